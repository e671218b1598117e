/** Several services on the wire: forward in waves, back dependents first, one of them alone. */

import { APIGatewayClient } from '@aws-sdk/client-api-gateway';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { MigrationEvent } from '../../events/migration.ts';
import type { ApiStageTarget, EcsAlbTarget } from '../../events/target.ts';
import { type Endpoint, openShop, registerShop, watchShop } from '../../lib/apps/demo/account.ts';
import { apiStageTraffic } from '../../lib/aws/traffic/apiStage.ts';
import type { ServiceState } from '../../lib/core/rollout/state.ts';
import { freePort } from '../../lib/local/freePort.ts';
import { until } from '../until.ts';
import { phasedApi } from './elsewhere.ts';
import { openWire, type Wire } from './wire.ts';

let wire: Wire;
const targets: Record<string, EcsAlbTarget> = {};
const names = ['orchestrator', 'agent', 'discovery'] as const;
let migrations = 0;
let api: ApiStageTarget;

/** Where one of them would fall back to. */
async function elsewhere(at: Endpoint) {
  api = await phasedApi(at, { phase1: 1, phase2: 2 });
  return api;
}

async function service(at: Endpoint, name: string, dependsOn: readonly string[], bakeSeconds = 0) {
  const target = await openShop(at, await freePort(), 1, 1, name);
  targets[name] = target;
  await watchShop(at, target, name);
  return {
    target,
    dependsOn,
    strategy: { kind: 'rolling', batchPercent: 50, bakeSeconds, finalBakeSeconds: 0 },
    slo: { burnAlarms: false },
    alarms: ['blue', 'green'].map((slot) => ({ name: `${name}-${slot}-errors`, slot })),
    evaluateSeconds: 1,
    rollbackWindowSeconds: 600,
    scaleDownDelaySeconds: 0,
    shiftTimeoutSeconds: 1,
    healthFailuresMax: 100, // tasks of a busy machine start late
  };
}

beforeAll(async () => {
  wire = await openWire(
    {},
    {
      others: async (at) => ({
        orchestrator: await service(at, 'orchestrator', []),
        agent: await service(at, 'agent', ['orchestrator'], 6),
        discovery: {
          ...(await service(at, 'discovery', ['orchestrator', 'agent'])),
          fallback: { target: await elsewhere(at), slot: 'blue' },
        },
      }),
    },
  );
}, 60_000);

afterAll(() => wire.close());
afterEach(() => wire.cloud.faults.clear());

/** A machine that does too much does not answer in time: it is asked again. */
const busy = () => null;

const rolloutOf = async (name: string) =>
  ((await wire.store.head(`service/${name}`)).snapshot?.state as ServiceState | undefined)?.rollout;
const events = async (id: string): Promise<readonly MigrationEvent[]> =>
  (await Array.fromAsync(wire.store.read(`migration/${id}`))).map(({ event }) => event as MigrationEvent);
const seen = (id: string, type: MigrationEvent['type']) =>
  until(`${id}: ${type}`, async () => (await events(id)).find((event) => event.type === type), 60_000).catch(
    async (error: Error) => {
      const states = await Promise.all(names.map(async (name) => [name, (await rolloutOf(name))?.phase]));
      const lines = wire.lines.filter((line) => line.includes('"message"')).slice(-8);
      throw new Error(
        [
          error.message,
          JSON.stringify(states),
          ...(await events(id)).map((event) => JSON.stringify(event)),
          ...lines,
        ].join('\n'),
      );
    },
  );

const request = (type: string, detail: object) => ({
  id: `request-${Math.random().toString(36).slice(2)}`,
  source: 'test',
  'detail-type': type,
  detail,
});
const operate = async (detail: object) =>
  (
    await wire.invoke(
      'operate-migration',
      request('Switchback Migration Operation Requested', { by: 'ada', ...detail }),
    )
  ).payload;

/** All three to a new version. */
async function migrate(detail: object = {}) {
  migrations += 1;
  const migrationId = `smith-${migrations}`;
  const revisions: Record<string, string> = {};
  for (const name of names) {
    revisions[name] = await registerShop(wire.at, `v${migrations + 1}`, 'none', 0, name);
  }
  const { payload } = await wire.invoke(
    'start-migration',
    request('Switchback Migration Requested', { migrationId, revisions, requestedBy: 'ada', ...detail }),
  );
  return { migrationId, payload };
}

const weightOf = async (name: string) => {
  const rollout = await rolloutOf(name);
  const reading = await wire.traffic.read(targets[name] as EcsAlbTarget);
  if (reading.kind !== 'weights' || rollout === undefined || rollout.phase === 'none') return null;
  return rollout.canarySlot === 'green' ? reading.greenWeight : 100 - reading.greenWeight;
};

describe('a migration', () => {
  it('shows before anything moves in which waves it goes, and who would go back with whom', async () => {
    const { payload } = await migrate({ dryRun: true });
    expect(payload).toMatchObject({
      outcome: 'dry-run',
      waves: [['orchestrator'], ['agent'], ['discovery']],
      blastRadius: [
        'orchestrator goes back, so discovery and agent go first',
        'agent goes back, so discovery goes first, then orchestrator',
        'discovery goes back, then agent and orchestrator',
      ],
    });
    expect(await events('smith-1')).toEqual([]);
  });

  it('goes forward wave by wave; then one service of it goes back with its dependents', async () => {
    const { migrationId } = await migrate();
    await seen(migrationId, 'MigrationCompleted');
    const done = await events(migrationId);
    expect(done.flatMap((event) => (event.type === 'ComponentMigrated' ? [event.component] : []))).toEqual([
      ...names,
    ]);
    for (const name of names) {
      expect(await weightOf(name)).toBe(100);
      // One that is being tidied up is not trusted to take traffic for a while.
      await until(`${name} is tidied up`, async () => {
        const rollout = await rolloutOf(name).catch(busy);
        return rollout?.phase === 'promoted' && rollout.completed;
      });
    }

    const back = { migrationId, operation: 'roll-back', service: 'agent', why: 'it loses messages' };
    expect(await operate({ ...back, dryRun: true })).toMatchObject({
      order: ['discovery', 'agent'],
      blastRadius: 'agent goes back, so discovery goes first',
    });
    expect(await weightOf('agent')).toBe(100);
    // Somebody switches the place to fall back to meanwhile.
    await apiStageTraffic(new APIGatewayClient(wire.at)).shift(api, 'blue', 100);
    expect(await operate(back)).toMatchObject({ outcome: 'done', phase: 'taking-back' });
    await until(
      'the end',
      async () =>
        (await events(migrationId)).at(-1)?.type === 'MigrationCompleted' &&
        (await events(migrationId)).length > done.length,
      60_000,
    );
    const all = (await events(migrationId)).slice(done.length);
    expect(
      all.map((event) => ('component' in event ? `${event.type} ${event.component}` : event.type)),
    ).toEqual([
      'MigrationRollbackInitiated',
      'ComponentRolledBack discovery',
      'ComponentRolledBack agent',
      'MigrationCompleted',
    ]);
    expect(all.at(-1)).toMatchObject({ outcome: 'partly-rolled-back' });
    expect([await weightOf('orchestrator'), await weightOf('agent'), await weightOf('discovery')]).toEqual([
      100, 0, 0,
    ]);
    const difference = `stage variable environment is "1", it was "2" (API stage ${api.restApiId}/live)`;
    expect(all.filter(({ type }) => type === 'ComponentRolledBack')).toMatchObject([
      { component: 'discovery', differences: [difference] },
      { component: 'agent', differences: [] },
    ]);
    const ended = (await wire.store.head('service/discovery')).tail.map(({ event }) => event);
    expect(ended.findLast(({ type }) => type === 'RollbackCompleted')).toMatchObject({
      differences: [difference],
    });
  });

  it('goes back dependents first when an alarm rings in the second wave, though everything dies after each step', async () => {
    const { migrationId } = await migrate();
    await until(
      'traffic in the second wave',
      async () => {
        const rollout = await rolloutOf('agent').catch(busy);
        if (!rollout || rollout.phase === 'none') return false;
        return rollout.rolloutId.startsWith(migrationId) && rollout.weight >= 50;
      },
      60_000,
    );
    const asked = wire.requests.length;
    for (const slot of ['blue', 'green']) await wire.ring(`agent-${slot}-errors`, 'OK');
    const { canarySlot } = (await rolloutOf('agent')) as { readonly canarySlot: string };
    await wire.ring(`agent-${canarySlot}-errors`);

    const streams = [`migration/${migrationId}`, ...names.map((name) => `service/${name}`)];
    let seen = '';
    let kills = 0;
    await until(
      'the end',
      async () => {
        const heads = await Promise.all(streams.map((stream) => wire.store.head(stream))).catch(busy);
        if (heads === null) return false;
        const versions = heads.map(({ version }) => version).join();
        if (versions !== seen) {
          for (const name of ['on-alarm', 'step-migration', 'roll-back']) {
            wire.cloud.killFunction(`switchback-${name}`);
          }
          // The same command again, and a second alarm beside it.
          if (++kills === 3) await wire.ring(`orchestrator-${canarySlot}-errors`);
          if (kills === 3) await operate({ migrationId, operation: 'roll-back', why: 'it is slow' });
          seen = versions;
        }
        return heads[0]?.tail.at(-1)?.event.type === 'MigrationCompleted';
      },
      120_000,
    );
    expect(kills).toBeGreaterThan(5);
    const told = await events(migrationId);
    expect(told.at(-1)).toMatchObject({ outcome: 'rolled-back' });
    expect(told.filter(({ type }) => type === 'MigrationRollbackInitiated')).toHaveLength(1);
    const back = told.flatMap((event) => (event.type === 'ComponentRolledBack' ? [event.component] : []));
    expect(back.indexOf('agent')).toBeLessThan(back.indexOf('orchestrator'));
    for (const name of back) expect(await weightOf(name)).toBe(0);
    const lastWrite = (name: string) =>
      wire.requests
        .slice(asked)
        .findLastIndex(
          ({ operation, body }) =>
            operation === 'ModifyRule' &&
            String(body).includes(encodeURIComponent((targets[name] as EcsAlbTarget).ruleArn)),
        );
    expect(lastWrite('agent')).toBeGreaterThan(-1);
    expect(lastWrite('agent')).toBeLessThan(lastWrite('orchestrator'));
    for (const stream of streams) expect((await wire.store.verify(stream)).brokenAt).toBeNull();
  }, 240_000);
});
