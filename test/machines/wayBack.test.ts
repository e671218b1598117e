/** The machines migration and rollback as they stand: one function each, asked again and again. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../lib/asl/clock.ts';
import { startExecution } from '../../lib/asl/execution.ts';
import { loadMachine } from '../../lib/asl/loadMachine.ts';
import { lambdaRunner } from '../../lib/asl/taskRunner.ts';

type Answer = { readonly next: string; readonly waitSeconds?: number; readonly outcome?: string };

const machines = {
  migration: {
    step: 'StepMigration',
    input: { migrationId: 'smith-1', correlationId: 'c-1' },
  },
  rollback: {
    step: 'RollBack',
    input: { service: 'shop', rolloutId: 'shop-v2', correlationId: 'c-1' },
  },
} as const;
type Name = keyof typeof machines;

/** Runs to the end; `answer` plays the machine's one function. */
async function ran(name: Name, answer: (call: number) => Answer, input: object = {}) {
  const file = new URL(`../../statemachines/${name}.asl.json`, import.meta.url);
  const definition = JSON.parse(readFileSync(file, 'utf8').replace(/\$\{(\w+)\}/g, '$1'));
  const clock = new VirtualClock();
  const began = clock.now();
  const payloads: unknown[] = [];
  const atSeconds: number[] = [];
  const successors: unknown[] = [];
  const tasks = lambdaRunner(
    (called, payload) => {
      expect(called).toBe(machines[name].step);
      payloads.push(payload);
      atSeconds.push((clock.now() - began) / 1000);
      return { waitSeconds: 0, outcome: 'under-way', ...answer(payloads.length) };
    },
    async (task) => {
      successors.push(task);
      return {};
    },
  );
  const execution = startExecution(loadMachine(definition), {
    ...{ name: 'run', clock, tasks, random: () => 0 },
    input: { ...machines[name].input, ...input },
  });
  const result = await clock.runUntil(execution.done);
  return { result, payloads, atSeconds, successors };
}

describe.each(Object.keys(machines) as Name[])('the %s machine', (name) => {
  const { step, input } = machines[name];
  const again = (waitSeconds: number): Answer => ({ next: step, waitSeconds });

  it('asks what is next, and asks again when it was told to wait', async () => {
    const answers = [again(2), again(0), again(5), { next: 'Done', outcome: 'rolled-back' }];
    const { result, payloads, atSeconds } = await ran(name, (call) => answers[call - 1] as Answer);
    expect(atSeconds).toEqual([0, 2, 2, 7]);
    expect(payloads).toEqual(answers.map(() => input));
    expect(result).toMatchObject({ status: 'SUCCEEDED', output: { outcome: 'rolled-back' } });
  });

  it('goes on after a function that died, ran out of time or could not reach something', async () => {
    const failures = ['Lambda.Unknown', 'States.Timeout', 'TrafficUnconfirmed', 'EventStoreUnavailable'];
    const { result, payloads } = await ran(name, (call) => {
      const failure = failures[call - 1];
      if (failure !== undefined) throw Object.assign(new Error('no answer'), { name: failure });
      return { next: 'Done', outcome: 'migrated' };
    });
    expect(payloads).toHaveLength(failures.length + 1);
    expect(result).toMatchObject({ status: 'SUCCEEDED' });
  });

  it('that gets nowhere for a long time fails with the reason, for whoever is woken by it', async () => {
    const { result, payloads, atSeconds } = await ran(name, () => {
      throw Object.assign(new Error('the table is gone'), { name: 'EventStoreUnavailable' });
    });
    expect(payloads).toHaveLength(41);
    expect(atSeconds.at(-1)).toBeLessThan(41 * 30);
    expect(result).toMatchObject({ status: 'FAILED', error: 'Stuck' });
    expect(JSON.stringify(result)).toContain('EventStoreUnavailable');
  });
});

describe('a migration that takes days', () => {
  const forever = (): Answer => ({ next: 'StepMigration', waitSeconds: 2 });

  it('is handed over to the next execution after a thousand looks, under a name of its own', async () => {
    const { result, payloads, successors } = await ran('migration', forever);
    expect(payloads).toHaveLength(1000);
    expect(successors).toHaveLength(1);
    expect(JSON.stringify(successors[0])).toContain('"smith-1-c-1-part-1"');
    expect(result).toMatchObject({ status: 'SUCCEEDED', output: { outcome: 'handed-over', part: 1 } });
  });

  it('and from that one to the one after it', async () => {
    const { successors } = await ran('migration', forever, { part: 1 });
    expect(JSON.stringify(successors[0])).toContain('"smith-1-c-1-part-2"');
  });
});

it('a rollback that is never over ends all the same: the minute’s check begins another', async () => {
  const { result, payloads } = await ran('rollback', () => ({ next: 'RollBack', waitSeconds: 5 }));
  expect(payloads).toHaveLength(1000);
  expect(result).toMatchObject({ status: 'SUCCEEDED', output: { outcome: 'under-way' } });
});
