/** Configuration above the file is read once per rollout: the plan that was made of it stays. */
import { describe, expect, it } from 'vitest';
import type { LayeredValue } from '../../lib/core/config/layeredValue.ts';
import { WorldUnavailable } from '../../lib/core/outage.ts';
import type { Plan } from '../../lib/core/rollout/plan.ts';
import { startMigration } from '../../lib/flows/startMigration.ts';
import { startRollout } from '../../lib/flows/startRollout.ts';
import { stepMigration } from '../../lib/flows/stepMigration.ts';
import { SimEventStore } from '../../lib/sim/eventStore.ts';
import { at, settings, v1, v2, v3 } from '../core/rollout/facts.ts';

const service = 'orchestrator';
const stream = `service/${service}`;
const request = { service, revision: v2, rolloutId: 'ro-1', requestedBy: 'ada' };

/** A service that runs v1 on blue, and a Parameter Store whose bake the test sets. */
function world() {
  const store = new SimEventStore();
  let bakeSeconds: string | Error = '300';
  let reads = 0;
  let startsFail = false;
  const started: string[] = [];
  const value = (text: string): LayeredValue => ({
    layer: 'parameter-store',
    place: 'parameter bake',
    words: ['strategy', 'bakeSeconds'],
    text,
  });
  const layers = {
    values: async () => {
      reads += 1;
      if (bakeSeconds instanceof Error) throw bakeSeconds;
      return [value(bakeSeconds)];
    },
  };
  const ports = {
    clock: { now: () => at(0) },
    log: { write: () => undefined },
    store,
    traffic: {
      read: async () => ({ kind: 'weights' as const, greenWeight: 0 }),
      shift: async () => undefined,
      markStable: async () => undefined,
      stableMark: async () => null,
      markFallBack: async () => undefined,
      fallBackMark: async () => null,
      markOverride: async () => undefined,
      overrideMark: async () => null,
    },
    workload: {
      read: async () => ({ revision: v1, desired: 3, running: 3, healthy: 3 }),
      place: async () => undefined,
    },
    metrics: { minutes: async () => [], percentiles: async () => null },
    alarms: { read: async () => [] },
    machines: {
      start: async (_: string, name: string) => {
        if (startsFail) throw new WorldUnavailable('StartExecution: not now');
        started.push(name);
      },
    },
  };
  return {
    ports,
    started,
    reads: () => reads,
    say: (text: string | Error) => {
      bakeSeconds = text;
    },
    machinesFail: (fail: boolean) => {
      startsFail = fail;
    },
    ask: () => startRollout(ports, request, settings, 'c-1', layers),
    plan: async () => (await store.plan(stream, 'ro-1')) as Plan | null,
    version: async () => (await store.head(stream)).version,
  };
}

describe('a rollout', () => {
  it('is made of what stood above the file when it was asked for, and says where', async () => {
    const { ask, plan } = world();
    await ask();
    expect(await plan()).toMatchObject({
      settings: { strategy: { bakeSeconds: 300 } },
      laid: [{ key: 'strategy.bakeSeconds', place: 'parameter bake' }],
    });
    expect((await plan())?.steps[0]?.bakeSeconds).toBe(300);
  });

  it('whose start died after its plan was kept goes on with that plan, whatever is said by then', async () => {
    const { ask, plan, say, machinesFail, reads, started } = world();
    machinesFail(true);
    await expect(ask()).rejects.toThrow('not now');
    machinesFail(false);
    say('900');
    await ask();
    expect((await plan())?.settings.strategy.bakeSeconds).toBe(300);
    expect([reads(), started]).toEqual([1, ['ro-1']]);
  });

  it('that was asked for twice is one, and the second time nothing is read', async () => {
    const { ask, say, reads, version } = world();
    await ask();
    const before = await version();
    say(new WorldUnavailable('Parameter Store is away'));
    expect(await ask()).toMatchObject({ outcome: 'started' });
    expect([reads(), await version()]).toEqual([1, before]);
  });

  it('does not begin on half a configuration: an outage is tried again, a wrong value refused', async () => {
    const { ask, plan, say, started, version } = world();
    say(new WorldUnavailable('Parameter Store is away'));
    await expect(ask()).rejects.toThrow('away');
    say('soon');
    expect(await ask()).toMatchObject({
      outcome: 'refused',
      reason: 'configuration-refused',
      sentence: expect.stringMatching(/^orchestrator: parameter bake: strategy\.bakeSeconds: .*number/),
    });
    expect([await plan(), await version(), started]).toEqual([null, 0, []]);
    say('60');
    expect(await ask()).toMatchObject({ outcome: 'started' });
  });
});

const oneWay = (revision: string) => {
  const detail = { revisions: { [service]: revision }, oneWay: [service], takeBack: 'everything' } as const;
  return { ...detail, migrationId: 'smith', requestedBy: 'ada', dryRun: false, eventId: 'e1' };
};
const task = { migrationId: 'smith', correlationId: 'e1' };

it('a service that its migration declares one-way does not wait in a queue, where nobody knows of that', async () => {
  const { ports, ask } = world();
  await ask();
  const queueing = [{ ...settings, whileActive: 'queue' as const }];
  await startMigration(ports, oneWay(v3), queueing, 'e1');
  await stepMigration(ports, task, queueing, { values: async () => [] });
  expect((await ports.store.head('migration/smith')).tail.at(-1)?.event).toMatchObject({
    type: 'MigrationHeld',
    reason: expect.stringContaining('rollout ro-1 of orchestrator is under way'),
  });
  expect((await ports.store.head(stream)).snapshot?.state).toMatchObject({ queued: null });
});

it('a layer cannot give a window to a service that its migration declares one-way', async () => {
  const { ports } = world();
  await startMigration(ports, oneWay(v2), [settings], 'e1');
  const window: LayeredValue = {
    ...{ layer: 'environment', place: 'environment WINDOW', text: '7200' },
    words: ['ROLLBACK_WINDOW_SECONDS'],
  };
  await stepMigration(ports, task, [settings], {
    values: async () => [window],
  });
  expect(await ports.store.plan(stream, 'smith-orchestrator-1')).toMatchObject({
    settings: { rollbackWindowSeconds: 0 },
    laid: [{ key: 'rollbackWindowSeconds', place: expect.stringContaining('migration smith') }],
  });
});
