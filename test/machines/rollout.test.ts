/** statemachines/rollout.asl.json as it stands: time and order, with functions that say what comes next. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../lib/asl/clock.ts';
import { startExecution } from '../../lib/asl/execution.ts';
import { loadMachine } from '../../lib/asl/loadMachine.ts';
import { lambdaRunner } from '../../lib/asl/taskRunner.ts';

const text = readFileSync(new URL('../../statemachines/rollout.asl.json', import.meta.url), 'utf8');
/** Functions by the name of their substitution: `${ShiftTraffic}` is the function ShiftTraffic. */
const definition = JSON.parse(text.replace(/\$\{(\w+)\}/g, '$1'));

type Answer = { readonly next: string; readonly waitSeconds?: number; readonly outcome?: string };
type Called = {
  readonly name: string;
  readonly payload: Record<string, unknown>;
  readonly atSeconds: number;
};

/** Runs to the end; `answer` plays every function. */
async function ran(answer: (name: string, call: number) => Answer, input: object = {}) {
  const clock = new VirtualClock();
  const began = clock.now();
  const calls: Called[] = [];
  const successors: unknown[] = [];
  const tasks = lambdaRunner(
    (name, payload) => {
      const atSeconds = (clock.now() - began) / 1000;
      calls.push({ name, payload: payload as Record<string, unknown>, atSeconds });
      return { waitSeconds: 0, outcome: 'under-way', ...answer(name, calls.length) };
    },
    async (task) => {
      successors.push(task);
      return {};
    },
  );
  const execution = startExecution(loadMachine(definition), {
    name: 'shop-v2',
    input: { service: 'shop', rolloutId: 'shop-v2', correlationId: 'c-1', ...input },
    clock,
    tasks,
    random: () => 0,
  });
  const result = await clock.runUntil(execution.done);
  return { result, calls, successors, seconds: (clock.now() - began) / 1000 };
}

const script =
  (...answers: readonly Answer[]) =>
  (_: string, call: number): Answer =>
    answers[call - 1] ?? { next: 'Done', outcome: 'promoted' };

describe('the rollout machine', () => {
  it('runs what each task says comes next, and waits as long as it says', async () => {
    const { result, calls, seconds } = await ran(
      script(
        { next: 'ShiftTraffic' },
        { next: 'EvaluateCanary', waitSeconds: 60 },
        { next: 'EvaluateCanary', waitSeconds: 60 },
        { next: 'PromoteCanary' },
      ),
    );
    expect(calls.map(({ name }) => name)).toEqual([
      'PrepareCanary',
      'ShiftTraffic',
      'EvaluateCanary',
      'EvaluateCanary',
      'PromoteCanary',
    ]);
    expect(seconds).toBe(120);
    expect(result).toMatchObject({ status: 'SUCCEEDED', output: { outcome: 'promoted' } });
  });

  it('rolls back with the failure when a step cannot be carried out, however often it is tried', async () => {
    const { result, calls } = await ran((name) => {
      if (name === 'PrepareCanary') return { next: 'ShiftTraffic' };
      if (name === 'RollBack') return { next: 'Done', outcome: 'rolled-back' };
      throw Object.assign(new Error('reads show another weight'), { name: 'TrafficUnconfirmed' });
    });
    expect(calls.filter(({ name }) => name === 'ShiftTraffic').length).toBeGreaterThan(5);
    const back = calls.find(({ name }) => name === 'RollBack');
    expect(back?.payload.failure).toMatchObject({ error: 'TrafficUnconfirmed' });
    expect(result).toMatchObject({ status: 'SUCCEEDED', output: { outcome: 'rolled-back' } });
  });

  it('starts its successor after a thousand looks, and hands over what comes next', async () => {
    const { result, calls, successors } = await ran(() => ({ next: 'EvaluateCanary', waitSeconds: 60 }));
    expect(calls).toHaveLength(1000);
    expect(successors).toHaveLength(1);
    expect(JSON.stringify(successors[0])).toContain('"next":"EvaluateCanary"');
    expect(JSON.stringify(successors[0])).toContain('shop-v2-part-2');
    expect(result).toMatchObject({ status: 'SUCCEEDED', output: { outcome: 'handed-over', part: 2 } });
  });

  it('goes on as its own successor where the one before stopped', async () => {
    const { calls } = await ran(script({ next: 'Done' }), { next: 'EvaluateCanary', part: 2 });
    expect(calls.map(({ name }) => name)).toEqual(['EvaluateCanary']);
  });

  it('fails loudly where a task names a state that does not exist', async () => {
    const { result } = await ran(script({ next: 'Elsewhere' }));
    expect(result).toMatchObject({ status: 'FAILED', error: 'NextUnknown' });
  });
});
