/** An alarm that was heard and not acted upon has its turn later, although its change is known already. */
import { expect, it } from 'vitest';
import type { AlarmState } from '../../events/rollback.ts';
import type { Command } from '../../lib/core/rollout/commands.ts';
import { hearAlarm } from '../../lib/flows/hearAlarm.ts';
import { hearMissedAlarms } from '../../lib/flows/hearMissedAlarms.ts';
import { known, record } from '../../lib/flows/record.ts';
import { SimEventStore } from '../../lib/sim/eventStore.ts';
import { at, canaryAlarm, planFor, start } from '../core/rollout/facts.ts';

const service = 'orchestrator';
const cause = { correlationId: 'c-1', actor: 'test' };

/** A rollout at 5 %, and the one alarm that is configured for it in ALARM since `changedAt`. */
async function rolloutWith(alarm = canaryAlarm, state: AlarmState = 'ALARM') {
  const plan = planFor({ kind: 'canary' }, {}, { alarms: [alarm] });
  const store = new SimEventStore();
  let now = at(0);
  const changedAt = at(100);
  /** A canary's alarm asks neither the balancer nor the metrics. */
  const unused = new Proxy({}, { get: () => () => Promise.reject(new Error('not asked for here')) }) as never;
  const world = {
    clock: { now: () => now },
    store,
    log: { write: () => undefined },
    traffic: unused,
    metrics: unused,
    alarms: { read: async () => [{ name: alarm.name, state, changedAt, reason: 'too many errors' }] },
  };
  const say = (command: Command) => record(world, service, { ...command, now }, cause);
  for (const command of [
    start({ plan }),
    { type: 'ConfirmPrepared', tasks: 3, now },
    { type: 'OrderShift', now },
    { type: 'ConfirmShift', weight: 5, now },
  ] as const) {
    await say(command);
  }
  return {
    say,
    push: async () => {
      const seen = { alarm, state, changedAt, reason: 'too many errors' };
      return hearAlarm(world, service, seen, await known(world, service), cause, 30);
    },
    look: async () => hearMissedAlarms(world, service, plan, await known(world, service), cause),
    events: async () =>
      (await Array.fromAsync(store.read(`service/${service}`))).map(({ event }) => event.type),
    goTo: (seconds: number) => {
      now = at(seconds);
    },
  };
}

it('acts at the first look after an override on what the override kept from acting', async () => {
  const rollout = await rolloutWith();
  await rollout.say({ type: 'SetOverride', by: 'ada', why: 'load test', until: at(400), now: at(0) });
  rollout.goTo(101);
  await rollout.push();
  rollout.goTo(399);
  await rollout.look();
  expect(await rollout.events()).not.toContain('RollbackInitiated');
  rollout.goTo(400);
  const { state } = await rollout.look();
  expect(state.rollout.phase).toBe('rolling-back');
});

it('acts when the cool-off ends on what it suppressed', async () => {
  const unsure = { ...canaryAlarm, onUnknown: 'hold' as const };
  const rollout = await rolloutWith(unsure, 'INSUFFICIENT_DATA');
  rollout.goTo(90);
  await rollout.say({
    ...{
      type: 'ReceiveAlarm',
      alarm: unsure,
      state: 'INSUFFICIENT_DATA',
      changedAt: at(90),
      reason: 'first',
    },
    ...{ blame: 'unknown', settings: { coolOffSeconds: 30 }, now: at(90) },
  });
  await rollout.say({ type: 'Resume', by: 'ada', now: at(95) });
  rollout.goTo(101);
  await rollout.push();
  expect((await rollout.look()).state.rollout.phase).toBe('baking');
  rollout.goTo(121);
  expect((await rollout.look()).state.rollout.phase).toBe('held');
});

it('is no reason to act twice on a change that was acted upon', async () => {
  const rollout = await rolloutWith();
  rollout.goTo(101);
  await rollout.push();
  await rollout.push();
  await rollout.look();
  const events = await rollout.events();
  expect(events.filter((type) => type === 'AlarmReceived')).toHaveLength(1);
  expect(events.filter((type) => type === 'RollbackInitiated')).toHaveLength(1);
});
