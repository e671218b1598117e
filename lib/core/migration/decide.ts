/**
 * decideMigration(state, command) → events | refusal. What the services' own streams say arrives in the
 * command;
 * repeating a command that already took effect is accepted with no event.
 */
import type { Component, MigrationEvent, TakeBack } from '../../../events/migration.ts';
import { accept, type Decision, refuse } from '../decision.ts';
import { affectedBy, blastRadius, foundationsOf, wavesOf } from '../rollback/waves.ts';
import { currentWave, evolveMigration, type Migration, type MigrationState } from './state.ts';

type At = { readonly now: number };

export type MigrationCommand =
  | (At & {
      readonly type: 'StartMigration';
      readonly migrationId: string;
      readonly components: readonly Component[];
      readonly takeBack: TakeBack;
      readonly requestedBy: string;
    })
  | (At & { readonly type: 'ConfirmMigrated'; readonly component: string; readonly rolloutId: string })
  | (At & {
      readonly type: 'TakeBack';
      readonly failed: readonly string[];
      /** Besides what has moved: components whose rollout is under way. */
      readonly moving: readonly string[];
      /** Components that cannot go back, with the reason. */
      readonly cannot: Readonly<Record<string, string>>;
      readonly whom: TakeBack;
      readonly reason: string;
      readonly by: string;
    })
  | (At & {
      readonly type: 'ConfirmBack';
      readonly component: string;
      readonly differences: readonly string[];
    })
  | (At & { readonly type: 'HoldMigration'; readonly component: string; readonly reason: string })
  | (At & {
      readonly type: 'ResumeMigration';
      readonly revisions: Readonly<Record<string, string>>;
      readonly by: string;
    })
  | (At & { readonly type: 'FreezeMigration' });

type Of<T extends MigrationCommand['type']> = Extract<MigrationCommand, { type: T }>;
type Decided = Decision<MigrationEvent>;

export function decideMigration(state: MigrationState, command: MigrationCommand): Decided {
  if (command.type === 'StartMigration') return start(state, command);
  if (state.phase === 'none') return refuse('no-migration', 'there is no such migration: start it first.');
  switch (command.type) {
    case 'ConfirmMigrated':
      return confirmMigrated(state, command);
    case 'TakeBack':
      return takeBack(state, command);
    case 'ConfirmBack':
      return confirmBack(state, command);
    case 'HoldMigration':
      return hold(state, command);
    case 'ResumeMigration':
      return resume(state, command);
    case 'FreezeMigration':
      if (state.phase === 'ended') return accept();
      if (state.phase !== 'held')
        return refuse('not-held', `the migration is ${state.phase}: nothing waits.`);
      return accept(completed(state, command.now, 'held'));
  }
}

/** So many fit into one event of 1 KB, compressed. */
export const componentsMax = 20;

function start(state: MigrationState, command: Of<'StartMigration'>): Decided {
  if (state.phase !== 'none') return accept(); // asked for twice
  const { migrationId, components, requestedBy, now } = command;
  if (components.length === 0) return refuse('nothing-to-migrate', 'name at least one service to migrate.');
  if (components.length > componentsMax) {
    return refuse(
      'too-many',
      `${components.length} services are more than the ${componentsMax} that move together: split the migration.`,
    );
  }
  const waves = wavesOf(components);
  if ('outcome' in waves) return waves;
  return accept({
    type: 'MigrationStarted',
    at: now,
    migrationId,
    components: [...components],
    waves: waves.map((wave) => [...wave]),
    takeBack: command.takeBack,
    requestedBy,
  });
}

function confirmMigrated(state: Migration, { component, rolloutId, now }: Of<'ConfirmMigrated'>): Decided {
  if (state.migrated.includes(component)) return accept();
  if (state.phase !== 'forward') return refuse('not-forward', `the migration is ${state.phase}.`);
  const { migrationId, components, migrated } = state;
  const moved: MigrationEvent = { type: 'ComponentMigrated', at: now, migrationId, component, rolloutId };
  const all = components.every(({ service }) => service === component || migrated.includes(service));
  return all ? accept(moved, completed(state, now, 'migrated')) : accept(moved);
}

/**
 * Who goes back, and who cannot. What a component that stays depends on stays as well: the new world below it
 * is what it speaks to.
 */
function takeBack(state: Migration, command: Of<'TakeBack'>): Decided {
  if (state.phase === 'taking-back') return accept();
  const { migrationId, components, migrated } = state;
  const { cannot, failed, moving, now } = command;
  const there = [...migrated, ...moving];
  const asked = command.whom === 'everything' ? [...new Set([...failed, ...there])] : failed;
  const affected = affectedBy(components, asked).filter((name) => there.includes(name));
  const stays = new Map<string, string>();
  for (const name of affected) {
    const reason = cannot[name];
    if (reason !== undefined) stays.set(name, reason);
  }
  for (const name of [...stays.keys()]) {
    for (const below of foundationsOf(components, name)) {
      if (affected.includes(below) && !stays.has(below)) stays.set(below, `${name} stays and depends on it`);
    }
  }
  const order = affected.filter((name) => !stays.has(name));
  const held = [...stays].map(([component, reason]): MigrationEvent => {
    const why = `${component} cannot go back: ${reason}. Roll forward (resume) or freeze.`;
    return { type: 'MigrationHeld', at: now, migrationId, component, reason: why };
  });
  if (order.length === 0) {
    return held.length > 0 ? accept(...held) : refuse('nothing-to-take-back', 'nothing of it has moved.');
  }
  const begun: MigrationEvent = {
    type: 'MigrationRollbackInitiated',
    at: now,
    migrationId,
    order,
    blastRadius: blastRadius(order, order.some((name) => failed.includes(name)) ? failed : [...order]),
    reason: command.reason.slice(0, 300),
    by: command.by,
  };
  return accept(begun, ...held);
}

function confirmBack(state: Migration, { component, differences, now }: Of<'ConfirmBack'>): Decided {
  if (state.phase !== 'taking-back' || !state.order.includes(component)) return accept();
  const { migrationId } = state;
  const back: MigrationEvent = {
    type: 'ComponentRolledBack',
    at: now,
    migrationId,
    component,
    differences: [...differences],
  };
  const after = evolveMigration(state, back) as Migration;
  if (state.order.length > 1) return accept(back);
  if (state.stuck !== null) {
    return accept<MigrationEvent>(back, { type: 'MigrationHeld', at: now, migrationId, ...state.stuck });
  }
  return accept(
    back,
    completed(after, now, after.migrated.length === 0 ? 'rolled-back' : 'partly-rolled-back'),
  );
}

function hold(state: Migration, { component, reason, now }: Of<'HoldMigration'>): Decided {
  if (state.phase === 'ended') return refuse('ended', 'the migration has ended.');
  const { migrationId, components, stuck } = state;
  if (stuck?.component === component && stuck.reason === reason) return accept();
  const held = (name: string, why: string): MigrationEvent => ({
    ...{ type: 'MigrationHeld', at: now, migrationId, component: name, reason: why },
  });
  // What it depends on stays as well: the new world below it is what it speaks to.
  const foundations = foundationsOf(components, component);
  const stay = state.phase === 'taking-back' ? state.order.filter((name) => foundations.has(name)) : [];
  return accept(held(component, reason), ...stay.map((name) => held(name, stays(name, component))));
}

const stays = (name: string, above: string): string =>
  `${name} cannot go back: ${above} stays and depends on it. Roll forward (resume) or freeze.`;

function resume(state: Migration, { revisions, by, now }: Of<'ResumeMigration'>): Decided {
  if (state.phase === 'forward') return accept();
  if (state.phase !== 'held') return refuse('not-held', `the migration is ${state.phase}: nothing waits.`);
  const unknown = Object.keys(revisions).filter(
    (name) => !state.components.some(({ service }) => service === name),
  );
  if (unknown.length > 0) return refuse('unknown-service', `${unknown.join(', ')}: not of this migration.`);
  const { migrationId } = state;
  const resumed: MigrationEvent = { type: 'MigrationResumed', at: now, migrationId, revisions, by };
  const after = evolveMigration(state, resumed) as Migration;
  // Nobody could go back from where everybody was: it is done as it is.
  return currentWave(after).length === 0
    ? accept(resumed, completed(after, now, 'migrated'))
    : accept(resumed);
}

const completed = (
  { migrationId }: Migration,
  at: number,
  outcome: Extract<MigrationEvent, { type: 'MigrationCompleted' }>['outcome'],
): MigrationEvent => ({ type: 'MigrationCompleted', at, migrationId, outcome });
