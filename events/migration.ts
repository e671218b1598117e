/** What can happen to a migration: components in dependency order, from the old world to the new. */
import * as z from 'zod/mini';
import { at } from './rollout.ts';

export const MigrationStarted = z.object({
  type: z.literal('MigrationStarted'),
  at,
  migrationId: z.string(),
  /** Waves of services; a wave starts when the one before it is migrated. */
  waves: z.array(z.array(z.string())),
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
  reason: z.string(),
  by: z.string(),
});

export const ComponentRolledBack = z.object({
  type: z.literal('ComponentRolledBack'),
  at,
  migrationId: z.string(),
  component: z.string(),
});

export const MigrationHeld = z.object({
  type: z.literal('MigrationHeld'),
  at,
  migrationId: z.string(),
  component: z.string(),
  reason: z.string(),
});

export const MigrationCompleted = z.object({
  type: z.literal('MigrationCompleted'),
  at,
  migrationId: z.string(),
  outcome: z.enum(['migrated', 'rolled-back', 'held']),
});

export const MigrationEvent = z.discriminatedUnion('type', [
  MigrationStarted,
  ComponentMigrated,
  MigrationRollbackInitiated,
  ComponentRolledBack,
  MigrationHeld,
  MigrationCompleted,
]);
export type MigrationEvent = z.infer<typeof MigrationEvent>;
