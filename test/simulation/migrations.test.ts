import { describe, expect, it } from 'vitest';
import type { Happening } from '../../lib/apps/simulate/scenario.ts';
import type { ServiceState } from '../../lib/core/rollout/state.ts';
import { SimEventStore } from '../../lib/sim/eventStore.ts';
import { migrate, playMigration, rings, standing } from './migration.ts';
import { operate } from './scene.ts';

type Day = Awaited<ReturnType<typeof playMigration>>;

const ask = (
  atSeconds: number,
  operation: 'roll-back' | 'resume' | 'freeze',
  more: object = {},
): Happening => ({ atSeconds, what: 'operate-migration', migrationId: 'smith', operation, ...more });

const greenOf = (day: Day) =>
  Object.fromEntries(day.shares.map(({ name, weight }) => [name, weight] as const));

const stateOf = ({ simulation }: Day, service: string) =>
  simulation.world.table.heads.get(`service/${service}`)?.snapshot?.state as ServiceState;

/** How the way back of each began. */
async function beginningsOf({ simulation }: Day, ...services: readonly string[]) {
  const store = new SimEventStore(simulation.world.table);
  const streams = services.map((name) => Array.fromAsync(store.read(`service/${name}`)));
  const recorded = (await Promise.all(streams)).flat();
  return recorded.flatMap(({ event }) => (event.type === 'RollbackInitiated' ? [event] : []));
}
const goesBack = expect.stringMatching(/orchestrator, which it depends on, goes back$/);

const everybodyBack = { orchestrator: 0, agent: 0, discovery: 0 };

describe('a migration', () => {
  it('goes forward wave by wave, each on foundations that are there', async () => {
    const day = await playMigration({});
    expect(day.story).toEqual([
      'MigrationStarted',
      ...['orchestrator', 'agent', 'discovery'].map((name) => `ComponentMigrated ${name}`),
      'MigrationCompleted',
    ]);
    expect(standing(day.shares)).toEqual([]);
    expect(greenOf(day)).toEqual({ orchestrator: 100, agent: 100, discovery: 100 });
  });

  it('asked for twice is one', async () => {
    const day = await playMigration({ happenings: [migrate(), migrate({}, 31), migrate({}, 200)] });
    expect(day.story.filter((type) => type === 'MigrationStarted')).toHaveLength(1);
    expect(day.shares.filter(({ weight }) => weight === 100)).toHaveLength(3);
  });
});

describe('an alarm', () => {
  it('in the second wave takes both back, who depends on the other first; each is whole before the next', async () => {
    const day = await playMigration({ happenings: [migrate(), rings(150, 'agent')] });
    expect(day.offs).toEqual(['agent', 'orchestrator']);
    expect(standing(day.shares)).toEqual([]);
    expect(day.story.slice(2)).toEqual([
      'MigrationRollbackInitiated',
      'ComponentRolledBack agent',
      'ComponentRolledBack orchestrator',
      'MigrationCompleted',
    ]);
    expect(day.events.find(({ type }) => type === 'MigrationRollbackInitiated')).toMatchObject({
      blastRadius: 'agent goes back, then orchestrator',
    });
    expect(day.events.at(-1)).toMatchObject({ outcome: 'rolled-back' });
  });

  it.each([
    ['while somebody who depends on it moves', 240],
    ['after everybody has moved, and the old sides are gone', 400],
  ])('of what the others depend on takes them off first, %s', async (_, atSeconds) => {
    const day = await playMigration({ happenings: [migrate(), rings(atSeconds, 'orchestrator')] });
    expect(day.offs).toEqual(['discovery', 'agent', 'orchestrator']);
    expect(standing(day.shares)).toEqual([]);
    const restored = ['discovery', 'agent', 'orchestrator'].map((name) => {
      const { rollout } = stateOf(day, name);
      return rollout.phase === 'rolled-back' ? rollout.endedAt : Number.NaN;
    });
    expect(restored).toEqual(restored.toSorted((one, other) => one - other));
  });

  it('is not needed: who depends on a service whose tasks die leaves before it as well', async () => {
    const dying = [400, 402, 404].map((atSeconds) => ({
      ...{
        atSeconds,
        what: 'lose-tasks' as const,
        service: 'orchestrator',
        slot: 'green' as const,
        tasks: 1,
      },
    }));
    const day = await playMigration({ happenings: [migrate(), ...dying] });
    expect(day.offs).toEqual(['discovery', 'agent', 'orchestrator']);
    expect(standing(day.shares)).toEqual([]);
  });

  it('while the event store is away moves nobody off a promoted foundation; then all go back, dependents first', async () => {
    const gone = { kind: 'refuse', fromSeconds: 238, toSeconds: 262 } as const;
    const day = await playMigration({
      happenings: [migrate(), rings(240, 'orchestrator')],
      faults: [{ on: '*/store.*', ...gone }],
    });
    expect(day.simulation.world.mail.intended.map(({ intent }) => intent.stream)).toContain(
      'service/orchestrator',
    );
    const away = day.shares.filter(({ atSeconds }) => atSeconds > 238 && atSeconds < 262);
    expect(away).toEqual([]);
    expect(day.offs).toEqual(['discovery', 'agent', 'orchestrator']);
    expect(standing(day.shares)).toEqual([]);
    const ended = await beginningsOf(day, 'agent', 'orchestrator');
    expect(ended).toMatchObject([{ trigger: 'migration', reason: goesBack }, { trigger: 'alarm' }]);
  });

  it('of a service that moved by itself takes nobody else back', async () => {
    const alone: Happening = {
      ...{ atSeconds: 330, what: 'request', service: 'orchestrator' },
      ...{ revision: 'orchestrator:3', rolloutId: 'alone' },
    };
    const day = await playMigration({ happenings: [migrate(), alone, rings(370, 'orchestrator')] });
    expect(greenOf(day)).toMatchObject({ agent: 100, discovery: 100 });
    expect(day.story.at(-1)).toBe('MigrationCompleted');
  });

  it('that rings again, with another one beside it, changes nothing', async () => {
    const day = await playMigration({
      happenings: [migrate(), rings(150, 'agent'), rings(151, 'orchestrator'), rings(155, 'agent')],
    });
    expect(day.offs).toEqual(['agent', 'orchestrator']);
    expect(standing(day.shares)).toEqual([]);
    expect(day.story.filter((type) => type === 'MigrationRollbackInitiated')).toHaveLength(1);
    expect(day.events.at(-1)).toMatchObject({ outcome: 'rolled-back' });
  });
});

describe('an abort', () => {
  it.each([
    ['while somebody who depends on it moves', 240],
    ['after everybody has moved, and the old sides are gone', 400],
  ])('of what the others depend on begins their way back first, %s', async (_, atSeconds) => {
    const abort: Happening = {
      ...{
        atSeconds,
        what: 'operate',
        operation: 'abort',
        service: 'orchestrator',
        why: 'the scene says so',
      },
    };
    const day = await playMigration({ happenings: [migrate(), abort] });
    expect(day.offs).toEqual(['discovery', 'agent', 'orchestrator']);
    expect(standing(day.shares)).toEqual([]);
    const begun = await beginningsOf(day, 'discovery', 'agent', 'orchestrator');
    expect(begun).toMatchObject([
      { trigger: 'migration', reason: goesBack },
      { trigger: 'migration', reason: goesBack },
      { trigger: 'operator', after: ['discovery', 'agent'] },
    ]);
  });
});

describe('a roll back that is asked for', () => {
  it('of one service of a finished migration takes those who depend on it, and leaves the rest', async () => {
    const day = await playMigration({ happenings: [migrate(), ask(400, 'roll-back', { service: 'agent' })] });
    expect(day.offs).toEqual(['discovery', 'agent']);
    expect(standing(day.shares)).toEqual([]);
    expect(greenOf(day)).toEqual({ orchestrator: 100, agent: 0, discovery: 0 });
    expect(day.events.at(-1)).toMatchObject({ outcome: 'partly-rolled-back' });
  });

  it('again and again is done once', async () => {
    const back = (atSeconds: number) => ask(atSeconds, 'roll-back');
    const day = await playMigration({ happenings: [migrate(), back(400), back(401), back(420), back(900)] });
    expect(day.offs).toEqual(['discovery', 'agent', 'orchestrator']);
    expect(day.story.filter((type) => type.startsWith('ComponentRolledBack'))).toHaveLength(3);
    expect(greenOf(day)).toEqual(everybodyBack);
  });
});

describe('who cannot go back', () => {
  it('past a step that nothing undoes stays with its reason; the others go, and a person says what next', async () => {
    const happenings = [migrate({ oneWay: ['orchestrator'] }), rings(150, 'agent')];
    const day = await playMigration({ happenings });
    expect(greenOf(day)).toEqual({ orchestrator: 100, agent: 0, discovery: 0 });
    expect(day.events.filter((event) => event.type === 'MigrationHeld').at(-1)).toMatchObject({
      component: 'orchestrator',
      reason:
        'orchestrator cannot go back: it is past a step that nothing undoes. Roll forward (resume) or freeze.',
    });

    const told = day.simulation.world.mail.told.map(({ message }) => message.subject);
    expect(told.filter((subject) => subject.startsWith('smith'))).toEqual([
      ...['smith: rolling back', 'smith: held'],
      'smith: held', // once more, when the others are back: a person is waited for
    ]);

    const forward = ask(300, 'resume', { revisions: { agent: 'agent:3' } });
    const on = await playMigration({ happenings: [...happenings, forward] });
    expect(on.events.at(-1)).toMatchObject({ outcome: 'migrated' });
    expect(greenOf(on)).toEqual({ orchestrator: 100, agent: 100, discovery: 100 });

    const frozen = await playMigration({ happenings: [...happenings, ask(300, 'freeze')] });
    expect(frozen.events.at(-1)).toMatchObject({ outcome: 'held' });
  });

  it('is not taken back by its alarm either', async () => {
    const happenings = [migrate({ oneWay: ['orchestrator'] }), rings(150, 'orchestrator')];
    const day = await playMigration({ happenings });
    expect(greenOf(day).orchestrator).toBe(100);
    expect(stateOf(day, 'orchestrator').rollout.phase).toBe('promoted');
  });

  it('because its old side does not start stays until it does, and a person is asked', async () => {
    const gone = { kind: 'refuse', fromSeconds: 395, toSeconds: 1300 } as const;
    const day = await playMigration({
      happenings: [migrate(), ask(400, 'roll-back')],
      faults: [{ on: '*/workload.place', ...gone }],
      minutes: 40,
    });
    expect(day.story).toContain('MigrationHeld discovery');
    expect(day.events.find((event) => event.type === 'MigrationHeld')).toMatchObject({
      reason: expect.stringContaining('did not start within 600 s'),
    });
    expect(greenOf(day)).toEqual(everybodyBack); // when it does
  });

  it('because a person suspended it stays, and what it depends on with it', async () => {
    const override: Happening = { ...operate(140, 'override', 60), service: 'agent' } as Happening;
    const day = await playMigration({ happenings: [migrate(), override, ask(150, 'roll-back')] });
    expect(greenOf(day)).toMatchObject({ orchestrator: 100 });
    expect(day.events.filter((event) => event.type === 'MigrationHeld')).toMatchObject([
      { component: 'agent', reason: expect.stringContaining('a person suspended its rollback') },
      { component: 'orchestrator', reason: expect.stringContaining('agent stays and depends on it') },
    ]);
  });
});

describe('the fire exit', () => {
  const pulled = (service: string): Happening => ({ atSeconds: 150, what: 'fire-exit', service });

  it('stops the migration: no other wave begins, a person resumes', async () => {
    const day = await playMigration({ happenings: [migrate(), pulled('agent')] });
    expect(greenOf(day)).toEqual({ orchestrator: 100, agent: 0, discovery: 0 });
    expect(day.events.at(-1)).toMatchObject({ type: 'MigrationHeld', component: 'agent' });
    expect(stateOf(day, 'discovery')).toBeUndefined();
  });
});

describe('whatever fails on the way back', () => {
  const happenings = [migrate(), rings(185, 'agent')];
  const back = async (fault: Parameters<typeof playMigration>[0]['faults']) => {
    const day = await playMigration({ happenings, faults: fault ?? [] });
    expect({ fault, offs: day.offs, end: day.events.at(-1) }).toMatchObject({
      offs: ['agent', 'orchestrator'],
      end: { type: 'MigrationCompleted', outcome: 'rolled-back' },
    });
    expect(standing(day.shares)).toEqual([]);
  };

  it('in its middle, for two minutes, it is taken up again', async () => {
    const gone = { kind: 'refuse', fromSeconds: 187, toSeconds: 300 } as const;
    await back([{ on: 'store.*', ...gone }]);
    await back([{ on: 'traffic.*', ...gone }]);
    await back([{ on: 'machines.*', ...gone }]);
    await back([{ on: 'workload.*', ...gone }]);
  });

  const steps: readonly (readonly [string, number])[] = [
    ['on-alarm/store.write-head', 2],
    ['on-alarm/traffic.write', 1],
    ['on-alarm/machines.start', 1],
    ['step-migration/store.write-head', 8],
    ['step-migration/machines.start', 4],
    ['step-migration/workload.place', 2],
    ['step-migration/traffic.write', 1],
    ['roll-back/store.write-head', 2],
    ['roll-back/workload.place', 2],
    ['roll-back/workload.release', 2],
    ['roll-back/workload.scale', 2],
    ['roll-back/traffic.mark', 2],
  ];

  it.each(steps)('%s: a crash before and after each', async (on, times) => {
    for (let nth = 1; nth <= times; nth++) await back([{ on, nth, kind: 'crash-after' }]);
    await back([{ on, nth: 1, kind: 'crash-before' }]);
  });
});
