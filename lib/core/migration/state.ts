/** What is known of one migration, folded from its stream. It is the snapshot in the stream's HEAD. */
import type { Component, MigrationEvent, TakeBack } from '../../../events/migration.ts';

/** Of the state below; a HEAD with another one is folded again from its events. */
export const migrationSchema = 2;

export type Outcome = Extract<MigrationEvent, { type: 'MigrationCompleted' }>['outcome'];

type Known = {
  readonly migrationId: string;
  readonly components: readonly Component[];
  readonly waves: readonly (readonly string[])[];
  readonly takeBack: TakeBack;
  /** When a person last set it going, epoch milliseconds. */
  readonly begunAt: number;
  /** Components whose traffic is on the new version, confirmed. */
  readonly migrated: readonly string[];
  /** How often it was resumed: a component that is tried anew gets another rollout. */
  readonly attempt: number;
  /** Who cannot go back or forward, until a person has chosen. */
  readonly stuck: { readonly component: string; readonly reason: string } | null;
};

export type Migration = Known &
  (
    | { readonly phase: 'forward' | 'held' }
    | { readonly phase: 'taking-back'; readonly order: readonly string[]; readonly reason: string }
    | { readonly phase: 'ended'; readonly outcome: Outcome }
  );

export type MigrationState = { readonly phase: 'none' } | Migration;

export const initialMigration: MigrationState = { phase: 'none' };

/** One rollout per component and attempt; at most 64 characters (`events/request.ts`). */
export const rolloutIdOf = ({ migrationId, attempt }: Migration, service: string): string =>
  `${migrationId.slice(0, 24)}-${service.slice(0, 32)}-${attempt}`;

/** The migration that asked for a rollout, by the id it was given; null where none did. */
export function migrationOf(rolloutId: string, service: string): string | null {
  const name = `-${service.slice(0, 32)}-`;
  const end = rolloutId.lastIndexOf(name);
  return end > 0 && /^\d+$/.test(rolloutId.slice(end + name.length)) ? rolloutId.slice(0, end) : null;
}

/** The components that are to move now: the first wave that is not migrated as a whole. */
export function currentWave({ waves, migrated }: Migration): readonly string[] {
  const wave = waves.find((names) => names.some((name) => !migrated.includes(name))) ?? [];
  return wave.filter((name) => !migrated.includes(name));
}

export function evolveMigration(state: MigrationState, event: MigrationEvent): MigrationState {
  if (event.type === 'MigrationStarted') {
    const { migrationId, components, waves, takeBack } = event;
    return {
      phase: 'forward',
      migrationId,
      components,
      waves,
      takeBack,
      begunAt: event.at,
      migrated: [],
      attempt: 1,
      stuck: null,
    };
  }
  if (state.phase === 'none') return state;
  switch (event.type) {
    case 'ComponentMigrated':
      return { ...state, migrated: [...state.migrated, event.component] };
    case 'MigrationRollbackInitiated':
      return { ...known(state), stuck: null, phase: 'taking-back', order: event.order, reason: event.reason };
    case 'ComponentRolledBack':
      return {
        ...state,
        migrated: state.migrated.filter((name) => name !== event.component),
        ...(state.phase === 'taking-back'
          ? { order: state.order.filter((name) => name !== event.component) }
          : {}),
      };
    case 'MigrationHeld': {
      const stuck = state.stuck ?? { component: event.component, reason: event.reason };
      // What is on its way back goes on: the others are not made to wait for the one that cannot.
      const order =
        state.phase === 'taking-back' ? state.order.filter((name) => name !== event.component) : [];
      return state.phase === 'taking-back' && order.length > 0
        ? { ...state, order, stuck }
        : { ...known(state), phase: 'held', stuck };
    }
    case 'MigrationResumed':
      return resumed(state, event);
    case 'MigrationCompleted':
      return { ...known(state), phase: 'ended', outcome: event.outcome };
  }
}

/** Whoever is to run another revision than before moves once more. */
function resumed(
  state: Migration,
  { at, revisions }: Extract<MigrationEvent, { type: 'MigrationResumed' }>,
): Migration {
  const before = new Map(state.components.map(({ service, revision }) => [service, revision]));
  const after = (service: string) => revisions[service] ?? (before.get(service) as string);
  return {
    ...known(state),
    phase: 'forward',
    stuck: null,
    attempt: state.attempt + 1,
    begunAt: at,
    components: state.components.map((each) => ({ ...each, revision: after(each.service) })),
    migrated: state.migrated.filter((service) => after(service) === before.get(service)),
  };
}

const known = (migration: Migration): Known => {
  const { migrationId, components, waves, takeBack, begunAt, migrated, attempt, stuck } = migration;
  return { migrationId, components, waves, takeBack, begunAt, migrated, attempt, stuck };
};
