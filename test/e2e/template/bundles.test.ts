/**
 * What ships: each bundle holds its own clients and the configured kinds of target, and nothing of the
 * workbench.
 */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { deployedFunctions } from '../../../lib/apps/deploy/functions.ts';
import { repositoryRoot } from '../../tidy/plant.ts';
import { bundledFiles } from './bundleCommands.ts';
import { type Example, type Packaged, packaged, packagingMs } from './packaged.ts';

const verbs = Object.keys(deployedFunctions);
const made = new Map<Example, Packaged>();
beforeAll(async () => {
  for (const example of ['mistersmith', 'cloudshelf', 'shop'] as const)
    made.set(example, await packaged('prod', example));
}, packagingMs);

const files = (example: Example, verb: string) => bundledFiles(made.get(example)?.dist ?? '', verb);

const clientsIn = (paths: readonly string[]) =>
  [...new Set(paths.flatMap((path) => /@aws-sdk\/(client-[\w-]+)\//.exec(path)?.[1] ?? []))].sort();

/** What the function's own file imports: its rights. */
const clientsImported = (verb: string) => {
  const source = readFileSync(join(repositoryRoot, 'functions', verb, 'handler.ts'), 'utf8');
  return [...source.matchAll(/from '@aws-sdk\/(client-[\w-]+)'/g)]
    .map(([, client]) => client as string)
    .sort();
};

const adapters = /^lib\/aws\/(?:traffic|workload|scaling|metrics)\/(\w+)\.ts$/;
const kindsIn = (paths: readonly string[]) =>
  [...new Set(paths.flatMap((path) => adapters.exec(path)?.[1] ?? []))].sort();

describe.each(verbs)('the bundle of %s', (verb) => {
  it('holds no client that the function does not import', () => {
    const extra = clientsIn(files('mistersmith', verb)).filter(
      (client) => !clientsImported(verb).includes(client),
    );
    expect(extra).toEqual([]);
  });

  it('holds the adapters of configured kinds only, and no client for another', () => {
    expect(kindsIn(files('mistersmith', verb)).filter((kind) => kind !== 'ecsAlb')).toEqual([]);
    expect(kindsIn(files('cloudshelf', verb)).filter((kind) => kind !== 'apiStage')).toEqual([]);
    expect(clientsIn(files('mistersmith', verb))).not.toContain('client-api-gateway');
    expect(clientsIn(files('mistersmith', verb))).not.toContain('client-route-53');
    expect(clientsIn(files('cloudshelf', verb))).not.toContain('client-elastic-load-balancing-v2');
  });

  it('holds nothing of the workbench: no local cloud, interpreter, simulator, app or test tool', () => {
    const ours = files('mistersmith', verb).filter((path) =>
      /^(?:lib\/(?:local|asl|sim|apps)|test|bench)\//.test(path),
    );
    expect(ours).toEqual([]);
  });

  it('is zipped to at most 250 KB', () => {
    const { size } = statSync(join(made.get('mistersmith')?.zips ?? '', `${verb}.zip`));
    expect(size).toBeLessThanOrEqual(250 * 1024);
  });
});

/** Loading above bare Node follows from the bytes; `npm run bench -- cold-start` measures both. */
const hotPath = ['on-alarm', 'shift-traffic', 'fall-back'];

describe.each(['shop', 'mistersmith'] as const)('for a target of kind ecs-alb, as in %s', (example) => {
  it.each(hotPath)('%s is zipped to at most 100 KB', (verb) => {
    const { size } = statSync(join(made.get(example)?.zips ?? '', `${verb}.zip`));
    expect(size).toBeLessThanOrEqual(100 * 1024);
  });
});

describe('the fire exit', () => {
  it('carries nothing of the event store, the machines or the parameter store', () => {
    const paths = files('mistersmith', 'fall-back');
    expect(
      paths.filter((path) => /eventStore|client-(?:dynamodb|sfn|ssm|eventbridge|cloudwatch)/.test(path)),
    ).toEqual([]);
  });
});
