/** What can happen on the way back, and the alarms and overrides that decide whether it is taken. */
import * as z from 'zod/mini';
import { at, Evidence } from './rollout.ts';
import { Slot } from './target.ts';

export const AlarmState = z.enum(['OK', 'ALARM', 'INSUFFICIENT_DATA']);
export type AlarmState = z.infer<typeof AlarmState>;

/** Every alarm that concerns a service is recorded, whatever was done about it. */
export const AlarmReceived = z.object({
  type: z.literal('AlarmReceived'),
  at,
  alarm: z.string(),
  state: AlarmState,
  /** When CloudWatch changed the state, epoch milliseconds. */
  changedAt: at,
  scope: z.enum(['canary', 'service']),
  reason: z.string(),
  action: z.enum([
    'roll-back',
    'hold',
    'keep-canary',
    'none',
    'baseline',
    'overridden',
    'suppressed',
    'already-rolling-back',
    'wait',
  ]),
  /** Of an alarm on the whole service: whose fault it is by the counts of both sides, and why. */
  judged: z.optional(
    z.object({
      blame: z.enum(['canary', 'both', 'stable']),
      sentence: z.string(),
      canary: z.object({ requests: z.number(), errors: z.number() }),
      stable: z.object({ requests: z.number(), errors: z.number() }),
      /** Against "the canary is no worse than stable", over all checks together. */
      eValue: z.number(),
    }),
  ),
});
export type AlarmReceived = z.infer<typeof AlarmReceived>;
export type AlarmAction = z.infer<typeof AlarmReceived>['action'];

export const HealthCheckFailed = z.object({
  type: z.literal('HealthCheckFailed'),
  at,
  side: z.enum(['canary', 'stable']),
  what: z.string(),
  /** How many in a row, this one included. */
  consecutive: z.number(),
  /** From this many in a row on the side counts as broken. */
  limit: z.number(),
});

/**
 * `deployment`: ECS or CodeDeploy said so; `outage`: a step could not be carried out, however often it was
 * tried; `superseded`: a newer request takes its place; `migration`: another service of its migration goes
 * back. The last two say nothing against the revision.
 */
export const RollbackTrigger = z.enum([
  'alarm',
  'analysis',
  'operator',
  'deployment',
  'health',
  'outage',
  'superseded',
  'migration',
]);
export type RollbackTrigger = z.infer<typeof RollbackTrigger>;

export const RollbackInitiated = z.object({
  type: z.literal('RollbackInitiated'),
  at,
  rolloutId: z.string(),
  trigger: RollbackTrigger,
  reason: z.string(),
  by: z.string(),
  fromWeight: z.number(),
  evidence: z.optional(Evidence),
  /**
   * Services whose way back must be over before this one is restored; the traffic does not wait, unless their
   * old side is still starting.
   */
  after: z.optional(z.array(z.string())),
});

/** Traffic is off, the restored side was read and found as it was. */
export const RollbackCompleted = z.object({
  type: z.literal('RollbackCompleted'),
  at,
  rolloutId: z.string(),
  /** From `RollbackInitiated` to the confirmed weight 0. */
  trafficOffMs: z.number(),
  differences: z.array(z.string()),
});

export const OverrideSet = z.object({
  type: z.literal('OverrideSet'),
  at,
  by: z.string(),
  why: z.string(),
  until: at,
});

export const OverrideLifted = z.object({ type: z.literal('OverrideLifted'), at, by: z.string() });

/** The fire exit was used: traffic went to the old world without asking anybody. */
export const FellBack = z.object({
  type: z.literal('FellBack'),
  at,
  by: z.string(),
  why: z.string(),
  /** Kind of target and slot. */
  to: z.string(),
  /** Of the service's own target; left out: traffic went to another one, or a version before wrote this. */
  slot: z.optional(Slot),
});
