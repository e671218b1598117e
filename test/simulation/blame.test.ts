/** An alarm on the whole service: the event says whose fault it is, and by which counts. */
import { describe, expect, it } from 'vitest';
import type { AlarmReceived } from '../../events/rollback.ts';
import type { Minute } from '../../lib/core/analysis/minutes.ts';
import { hearAlarm } from '../../lib/flows/hearAlarm.ts';
import { known, record } from '../../lib/flows/record.ts';
import { SimEventStore } from '../../lib/sim/eventStore.ts';
import { at, planFor, serviceAlarm, start } from '../core/rollout/facts.ts';

const service = 'orchestrator';
const cause = { correlationId: 'c-1', actor: 'test' };
const now = at(600);

/** What became of the alarm, after ten minutes with so many errors per minute on each side. */
async function heard(minutes: (() => Promise<readonly Minute[]>) | { canary: number; stable: number }) {
  const plan = planFor({ kind: 'canary' }, {}, { alarms: [serviceAlarm] });
  const store = new SimEventStore();
  const side = (requests: number, errors: number) => ({ requests, errors, slow: [], p95Ms: 20 });
  const counted = async (): Promise<readonly Minute[]> =>
    typeof minutes === 'function'
      ? minutes()
      : Array.from({ length: 10 }, (_, index) => ({
          startMs: at(index * 60),
          periodSeconds: 60,
          weight: 5,
          canary: side(300, minutes.canary),
          stable: side(5700, minutes.stable),
        }));
  const unused = new Proxy({}, { get: () => () => Promise.reject(new Error('not asked for here')) }) as never;
  const world = {
    clock: { now: () => now },
    store,
    log: { write: () => undefined },
    traffic: unused,
    metrics: { minutes: counted, percentiles: async () => null },
  };
  for (const command of [
    start({ plan }),
    { type: 'ConfirmPrepared', tasks: 3, now: at(0) },
    { type: 'OrderShift', now: at(0) },
    { type: 'ConfirmShift', weight: 5, now: at(0) },
  ] as const) {
    await record(world, service, command, cause);
  }
  await store.keepPlan(`service/${service}`, plan.rolloutId, plan);
  const seen = {
    alarm: serviceAlarm,
    state: 'ALARM',
    changedAt: at(590),
    reason: 'p95 above 800 ms',
  } as const;
  await hearAlarm(world, service, seen, await known(world, service), cause, 30);
  const events = (await Array.fromAsync(store.read(`service/${service}`))).map(({ event }) => event);
  return events.find(({ type }) => type === 'AlarmReceived') as unknown as AlarmReceived;
}

describe('an alarm on the whole service', () => {
  it('takes the canary off where it alone suffers, with both sides’ counts', async () => {
    expect(await heard({ canary: 30, stable: 3 })).toMatchObject({
      action: 'roll-back',
      judged: {
        blame: 'canary',
        sentence: 'The canary suffers more than stable: 10 % errors on the canary, 0.0526 % on stable.',
        canary: { requests: 3000, errors: 300 },
        stable: { requests: 57_000, errors: 30 },
        eValue: expect.any(Number),
      },
    });
  });

  it('holds where stable suffers as much, and says so in the event', async () => {
    expect(await heard({ canary: 15, stable: 285 })).toMatchObject({
      action: 'hold',
      judged: {
        blame: 'both',
        sentence:
          'Stable suffers as much as the canary, a rollback would not help: 5 % errors on the canary, 5 % on stable.',
      },
    });
  });

  it('is stable’s where the canary fares much better', async () => {
    expect((await heard({ canary: 1, stable: 285 })).judged).toMatchObject({ blame: 'stable' });
  });

  it('takes the canary off without a judgement where the counts cannot be read', async () => {
    const received = await heard(() => Promise.reject(new Error('CloudWatch is away')));
    expect(received.action).toBe('roll-back');
    expect(received).not.toHaveProperty('judged');
  });
});
