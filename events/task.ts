/**
 * What the rollout machine hands each of its tasks. Fields are only ever added, and only as optional ones.
 */
import * as z from 'zod/mini';
import { parse } from './parsed.ts';

export const RolloutTask = z.object({
  service: z.string(),
  rolloutId: z.string(),
  correlationId: z.string(),
  /** What went wrong in the state before, where the machine caught something. */
  failure: z.optional(z.object({ error: z.string(), cause: z.string() })),
});
export type RolloutTask = z.infer<typeof RolloutTask>;

export const ApprovalTask = z.extend(RolloutTask, { taskToken: z.string() });
export type ApprovalTask = z.infer<typeof ApprovalTask>;

export const parseRolloutTask = (event: unknown) => parse(RolloutTask, event, 'rollout task');
export const parseApprovalTask = (event: unknown) => parse(ApprovalTask, event, 'approval task');

/** What the migration machine hands its task. */
export const MigrationTask = z.object({ migrationId: z.string(), correlationId: z.string() });
export type MigrationTask = z.infer<typeof MigrationTask>;

export const parseMigrationTask = (event: unknown) => parse(MigrationTask, event, 'migration task');
