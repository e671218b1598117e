import { describe, expect, it } from 'vitest';
import { MigrationEvent } from '../../../events/migration.ts';
import { decideMigration, type MigrationCommand } from '../../../lib/core/migration/decide.ts';
import {
  currentWave,
  evolveMigration,
  initialMigration,
  type Migration,
  type MigrationState,
  migrationOf,
  rolloutIdOf,
} from '../../../lib/core/migration/state.ts';

const now = 1_000;
const component = (service: string, ...dependsOn: string[]) => ({
  ...{ service, revision: `${service}:2`, dependsOn, oneWay: false },
});
const start: MigrationCommand = {
  type: 'StartMigration',
  migrationId: 'smith',
  components: [
    component('orchestrator'),
    component('agent', 'orchestrator'),
    component('discovery', 'agent', 'orchestrator'),
  ],
  takeBack: 'everything',
  requestedBy: 'ada',
  now,
};
const migrated = (name: string): MigrationCommand => ({
  ...{ type: 'ConfirmMigrated', component: name, rolloutId: `smith-${name}-1`, now },
});
const back = (name: string): MigrationCommand => ({
  ...{ type: 'ConfirmBack', component: name, differences: [], now },
});
type TakeBack = Extract<MigrationCommand, { type: 'TakeBack' }>;
const takeBack = (failed: string, more: Partial<TakeBack> = {}): MigrationCommand => ({
  ...{
    type: 'TakeBack',
    failed: [failed],
    moving: [],
    cannot: {},
    whom: 'everything',
    by: 'switchback',
    now,
  },
  ...{ reason: 'errors', ...more },
});

/** The state after these commands; each must be accepted, and every event fits its schema. */
function after(...commands: readonly MigrationCommand[]): MigrationState {
  return commands.reduce((state, command) => fold(state, said(state, command)), initialMigration);
}
function said(state: MigrationState, command: MigrationCommand) {
  const decision = decideMigration(state, command);
  if (decision.outcome === 'refused') throw new Error(decision.sentence);
  for (const event of decision.events) expect(MigrationEvent.parse(event)).toEqual(event);
  return decision.events;
}
const fold = (state: MigrationState, events: readonly MigrationEvent[]) =>
  events.reduce(evolveMigration, state);
const all = [start, migrated('orchestrator'), migrated('agent'), migrated('discovery')];

describe('forward', () => {
  it('moves wave by wave, and ends when the last component is migrated', () => {
    const waves: (readonly string[])[] = [];
    let state = after(start);
    for (const name of ['orchestrator', 'agent', 'discovery']) {
      waves.push(currentWave(state as Migration));
      state = fold(state, said(state, migrated(name)));
    }
    expect(waves).toEqual([['orchestrator'], ['agent'], ['discovery']]);
    expect(state).toMatchObject({ phase: 'ended', outcome: 'migrated' });
  });

  it('is started once, and a component migrated once', () => {
    expect(said(after(start), start)).toEqual([]);
    expect(said(after(start, migrated('orchestrator')), migrated('orchestrator'))).toEqual([]);
  });

  it('does not begin on a cycle', () => {
    const components = [component('a', 'b'), component('b', 'a')];
    expect(decideMigration(initialMigration, { ...start, components })).toMatchObject({ reason: 'cycle' });
  });
});

describe('back', () => {
  const broken = [...all.slice(0, 3), takeBack('discovery', { moving: ['discovery'] })];

  it('takes all that has moved, dependents first, and says so before it happens', () => {
    expect(said(after(...all.slice(0, 3)), takeBack('discovery', { moving: ['discovery'] }))).toEqual([
      {
        type: 'MigrationRollbackInitiated',
        at: now,
        migrationId: 'smith',
        order: ['discovery', 'agent', 'orchestrator'],
        blastRadius: 'discovery goes back, then agent and orchestrator',
        reason: 'errors',
        by: 'switchback',
      },
    ]);
  });

  it('takes just the dependents where that is asked, also of a finished migration', () => {
    const state = after(...all, takeBack('agent', { whom: 'affected' }));
    expect(state).toMatchObject({ phase: 'taking-back', order: ['discovery', 'agent'] });
    expect(fold(state, [...said(state, back('discovery'))])).toMatchObject({ order: ['agent'] });
    const ended = [back('discovery'), back('agent')].reduce((at, one) => fold(at, said(at, one)), state);
    expect(ended).toMatchObject({
      phase: 'ended',
      outcome: 'partly-rolled-back',
      migrated: ['orchestrator'],
    });
  });

  it('asked for twice is begun once, and a component is back once', () => {
    expect(said(after(...broken), takeBack('agent'))).toEqual([]);
    expect(said(after(...broken, back('discovery')), back('discovery'))).toEqual([]);
  });

  it('ends when the last one is back', () => {
    expect(after(...broken, back('discovery'), back('agent'), back('orchestrator'))).toMatchObject({
      phase: 'ended',
      outcome: 'rolled-back',
      migrated: [],
    });
  });
});

it.each([
  ['smith-agent-1', 'agent', 'smith'],
  ['agent-agent-12', 'agent', 'agent'],
  ['smith-agent-1', 'orchestrator', null],
  ['smith-agent-x', 'agent', null],
  ['-agent-1', 'agent', null],
  ['agent-0a1b2c', 'agent', null],
])('rollout %s of %s belongs to migration %s', (rolloutId, service, migrationId) => {
  expect(migrationOf(rolloutId, service)).toBe(migrationId);
});

it('a rollout is found to belong to its migration, however long the names are', () => {
  const state = after({ ...start, migrationId: 'm'.repeat(24) }) as Migration;
  const name = 'a-service-with-a-name-that-is-much-too-long-for-an-id';
  expect(migrationOf(rolloutIdOf(state, name), name)).toBe(state.migrationId);
});

describe('who cannot go back', () => {
  const stuck = takeBack('discovery', { cannot: { agent: 'it is past a step that nothing undoes' } });
  const state = after(...all, stuck);

  it('stays with its reason, and keeps what it depends on; its dependents go', () => {
    expect(said(after(...all), stuck)).toMatchObject([
      { type: 'MigrationRollbackInitiated', order: ['discovery'] },
      { type: 'MigrationHeld', component: 'agent', reason: expect.stringContaining('nothing undoes') },
      { component: 'orchestrator', reason: expect.stringContaining('agent stays and depends on it') },
    ]);
  });

  it('holds the migration once the others are back: roll forward with other revisions', () => {
    const held = fold(state, said(state, back('discovery')));
    expect(held).toMatchObject({ phase: 'held', migrated: ['orchestrator', 'agent'] });
    const on = fold(
      held,
      said(held, { type: 'ResumeMigration', revisions: { discovery: 'discovery:3' }, by: 'ada', now }),
    ) as Migration;
    expect(on).toMatchObject({ phase: 'forward', attempt: 2, stuck: null });
    expect(currentWave(on)).toEqual(['discovery']);
    expect(rolloutIdOf(on, 'discovery')).toBe('smith-discovery-2');
  });

  it('or freeze', () => {
    const held = fold(state, said(state, back('discovery')));
    expect(fold(held, said(held, { type: 'FreezeMigration', now }))).toMatchObject({
      phase: 'ended',
      outcome: 'held',
    });
  });

  it('because its old side does not start is found out on the way: it stays with what it depends on', () => {
    const hold = { type: 'HoldMigration', component: 'agent', reason: 'it is cold', now } as const;
    const taking = after(...all, takeBack('discovery'));
    expect(said(taking, hold)).toMatchObject([
      { component: 'agent', reason: 'it is cold' },
      { component: 'orchestrator', reason: expect.stringContaining('agent stays and depends on it') },
    ]);
    const waiting = fold(taking, said(taking, hold));
    expect(waiting).toMatchObject({ phase: 'taking-back', order: ['discovery'] });
    expect(said(waiting, hold)).toEqual([]);
    expect(fold(waiting, said(waiting, back('discovery')))).toMatchObject({
      ...{ phase: 'held', migrated: ['orchestrator', 'agent'] },
      stuck: { component: 'agent', reason: 'it is cold' },
    });
  });

  it('when nobody can go, nothing is begun', () => {
    const cannot = { orchestrator: 'gone', agent: 'gone', discovery: 'gone' };
    const events = said(after(...all), takeBack('orchestrator', { cannot }));
    expect(new Set(events.map(({ type }) => type))).toEqual(new Set(['MigrationHeld']));
    expect(fold(after(...all), events)).toMatchObject({ phase: 'held' });
  });

  // It went on for ever with nothing to do (seed 71028007).
  describe('and everybody is there', () => {
    const cannot = { orchestrator: 'gone', agent: 'gone', discovery: 'gone' };
    const held = fold(after(...all), said(after(...all), takeBack('orchestrator', { cannot })));
    const resume = (revisions: Readonly<Record<string, string>>) =>
      fold(held, said(held, { type: 'ResumeMigration', revisions, by: 'ada', now })) as Migration;

    it('is done as it is when a person resumes it', () => {
      expect(resume({})).toMatchObject({ phase: 'ended', outcome: 'migrated' });
    });

    it('moves whom they give another revision once more', () => {
      const on = resume({ agent: 'agent:9' });
      expect(on).toMatchObject({ phase: 'forward', attempt: 2 });
      expect(currentWave(on)).toEqual(['agent']);
      expect(rolloutIdOf(on, 'agent')).toBe('smith-agent-2');
    });
  });
});
