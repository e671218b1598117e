/** The state machines as they are deployed: valid, whole, and every name in them stands for something. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import aslValidator from 'asl-validator';
import { beforeAll, describe, expect, it } from 'vitest';
import * as outages from '../../../lib/core/outage.ts';
import { repositoryRoot } from '../../tidy/plant.ts';
import { packaged, packagingMs, type Template } from './packaged.ts';

const folder = join(repositoryRoot, 'statemachines');
const files = readdirSync(folder).filter((file) => file.endsWith('.asl.json'));

// biome-ignore lint/suspicious/noExplicitAny: a machine's states have the shape of their type
type State = any;
const definitionOf = (file: string) => JSON.parse(readFileSync(join(folder, file), 'utf8'));

let template: Template;
beforeAll(async () => {
  ({ template } = await packaged('prod', 'mistersmith'));
}, packagingMs);

/** Every state with the states beside it, those of Map and Parallel too. */
function levels(
  machine: State,
): readonly { readonly start: string; readonly states: Record<string, State> }[] {
  const inner = Object.values<State>(machine.States).flatMap((state) => [
    ...(state.Branches ?? []),
    ...(state.ItemProcessor === undefined ? [] : [state.ItemProcessor]),
  ]);
  return [{ start: machine.StartAt, states: machine.States }, ...inner.flatMap(levels)];
}

const nextOf = (state: State): readonly string[] => [
  ...(state.Next === undefined ? [] : [state.Next]),
  ...(state.Default === undefined ? [] : [state.Default]),
  ...(state.Choices ?? []).flatMap(({ Next }: State) => Next ?? []),
  ...(state.Catch ?? []).map(({ Next }: State) => Next),
];

/** Step Functions' and Lambda's own error names. */
const awsErrors =
  /^(?:States\.(?:ALL|Timeout|TaskFailed|HeartbeatTimeout)|Lambda\.\w+|Runtime\.ExitError|Sandbox\.Timedout)$/;
const ourErrors = new Set(Object.keys(outages));

describe.each(files)('%s', (file) => {
  it('is valid Amazon States Language', () => {
    const { isValid, errorsText } = aslValidator(definitionOf(file), { checkArn: false });
    expect(isValid ? [] : errorsText()).toEqual([]);
  });

  it('goes only to states that are there, and reaches all of them', () => {
    for (const { start, states } of levels(definitionOf(file))) {
      const targets = [start, ...Object.values(states).flatMap(nextOf)];
      expect(targets.filter((name) => !(name in states))).toEqual([]);
      expect(Object.keys(states).filter((name) => !targets.includes(name))).toEqual([]);
    }
  });

  it('catches and retries only errors that exist', () => {
    const states = levels(definitionOf(file)).flatMap((level) => Object.values<State>(level.states));
    const named = states.flatMap(({ Retry = [], Catch = [] }) =>
      [...Retry, ...Catch].flatMap(({ ErrorEquals }: State) => ErrorEquals as string[]),
    );
    const unknown = named.filter((name) => !awsErrors.test(name) && !ourErrors.has(name));
    expect([...new Set(unknown)]).toEqual([]);
  });

  it('gives every task a time to end in', () => {
    const states = levels(definitionOf(file)).flatMap((level) => Object.entries<State>(level.states));
    const endless = states.filter(
      ([, { Type, Resource, TimeoutSeconds }]) =>
        Type === 'Task' && TimeoutSeconds === undefined && !Resource.endsWith(':startExecution'),
    );
    expect(endless.map(([name]) => name)).toEqual([]);
  });

  it('is deployed as it stands, with a function behind every substitution', () => {
    const name = file.replace('.asl.json', '');
    const id = `${name.replace(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase())}Machine`;
    const { Properties } = template.Resources[id] ?? { Properties: {} };
    expect(JSON.parse(Properties.DefinitionString)).toEqual(definitionOf(file));
    const wanted = new Set([...Properties.DefinitionString.matchAll(/\$\{(\w+)\}/g)].map(([, it]) => it));
    expect(Object.keys(Properties.DefinitionSubstitutions).sort()).toEqual([...wanted].sort());
    for (const value of Object.values<State>(Properties.DefinitionSubstitutions)) {
      expect(template.Resources[value['Fn::GetAtt'][0]]?.Type).toBe('AWS::Lambda::Function');
    }
  });
});
