/** What can happen to a migration: components in dependency order, from the old world to the new. */
import * as z from 'zod/mini';
import { at } from './rollout.ts';

/** A service of a migration: where it goes, and on which of the others it depends. */
export const Component = z.object({
  service: z.string(),
  revision: z.string(),
  dependsOn: z.array(z.string()),
  /** Once migrated it cannot go back: something was done that nothing undoes. */
  oneWay: z.boolean(),
});
export type Component = z.infer<typeof Component>;

/** Who goes back when one component fails on the way: it and its dependents, or all that have moved. */
export const TakeBack = z.enum(['affected', 'everything']);
export type TakeBack = z.infer<typeof TakeBack>;

export const MigrationStarted = z.object({
  type: z.literal('MigrationStarted'),
  at,
  migrationId: z.string(),
  components: z.array(Component),
  /** Waves of services; a wave starts when the one before it is migrated. */
  waves: z.array(z.array(z.string())),
  takeBack: TakeBack,
  requestedBy: z.string(),
});

export const ComponentMigrated = z.object({
  type: z.literal('ComponentMigrated'),
  at,
  migrationId: z.string(),
  component: z.string(),
  rolloutId: z.string(),
});

export const MigrationRollbackInitiated = z.object({
  type: z.literal('MigrationRollbackInitiated'),
  at,
  migrationId: z.string(),
  /** Services to take back, in the order their traffic is taken off: dependents first. */
  order: z.array(z.string()),
  /** Who goes back because of whom, in one sentence. */
  blastRadius: z.string(),
  reason: z.string(),
  by: z.string(),
});

/** Restored and verified by its own stream. */
export const ComponentRolledBack = z.object({
  type: z.literal('ComponentRolledBack'),
  at,
  migrationId: z.string(),
  component: z.string(),
  /** What is not as it was, one sentence each. */
  differences: z.array(z.string()),
});

/** A person must choose: roll forward (resume), or freeze it as it is. */
export const MigrationHeld = z.object({
  type: z.literal('MigrationHeld'),
  at,
  migrationId: z.string(),
  component: z.string(),
  reason: z.string(),
});

/** On with it, perhaps with other revisions: every component that is not migrated is tried anew. */
export const MigrationResumed = z.object({
  type: z.literal('MigrationResumed'),
  at,
  migrationId: z.string(),
  revisions: z.record(z.string(), z.string()),
  by: z.string(),
});

export const MigrationCompleted = z.object({
  type: z.literal('MigrationCompleted'),
  at,
  migrationId: z.string(),
  /**
   * `partly-rolled-back`: some components went back, the others stay migrated; `held`: frozen by a person.
   */
  outcome: z.enum(['migrated', 'rolled-back', 'partly-rolled-back', 'held']),
});

export const MigrationEvent = z.discriminatedUnion('type', [
  MigrationStarted,
  ComponentMigrated,
  MigrationRollbackInitiated,
  ComponentRolledBack,
  MigrationHeld,
  MigrationResumed,
  MigrationCompleted,
]);
export type MigrationEvent = z.infer<typeof MigrationEvent>;
