/**
 * What can happen to an operation: a list of steps that are applied and verified in order, and whose inverses
 * run in reverse when one of them fails. Before every effect stands its intent, numbered; the fact carries
 * the intent's number.
 */
import * as z from 'zod/mini';
import { at } from './rollout.ts';

/** In this order; the inverses run the other way round. */
export const stages = ['infrastructure', 'application', 'data', 'verification'] as const;

/** What a failure leads to: the inverses run at once, or a person looks first. */
export const OnFailure = z.enum(['take-back', 'hold']);
export type OnFailure = z.infer<typeof OnFailure>;

/** From where a step is done again: an earlier run may have applied it already. */
export const From = z.enum(['apply', 'verify']);
export type From = z.infer<typeof From>;

/** One step of a plan; its kind says what is done, its arguments to what. */
export const Step = z.object({
  /** Unique in its operation. */
  step: z.string(),
  stage: z.enum(stages),
  kind: z.string(),
  arguments: z.record(z.string(), z.string()),
  /** Nothing undoes it once it has begun. */
  oneWay: z.boolean(),
});
export type Step = z.infer<typeof Step>;

/** The number of an intent: 1, 2, 3 … in one operation, whoever runs it. */
const intent = z.number().check(z.int(), z.gte(1));
const of = { at, operationId: z.string() };

export const OperationPlanned = z.object({
  type: z.literal('OperationPlanned'),
  ...of,
  what: z.string(),
  onFailure: OnFailure,
  requestedBy: z.string(),
});

export const StepPlanned = z.extend(Step, { type: z.literal('StepPlanned'), ...of });

/** Asked for once more, after it was completed or held. */
export const OperationReopened = z.object({
  type: z.literal('OperationReopened'),
  ...of,
  from: From,
  onFailure: OnFailure,
  requestedBy: z.string(),
});

export const StepStarted = z.object({ type: z.literal('StepStarted'), ...of, step: z.string(), intent });
export const StepApplied = z.object({
  type: z.literal('StepApplied'),
  ...of,
  step: z.string(),
  intent,
  evidence: z.string(),
});

export const VerificationStarted = z.object({
  type: z.literal('VerificationStarted'),
  ...of,
  step: z.string(),
  intent,
});
export const StepVerified = z.object({
  type: z.literal('StepVerified'),
  ...of,
  step: z.string(),
  intent,
  evidence: z.string(),
});

export const StepFailed = z.object({
  type: z.literal('StepFailed'),
  ...of,
  step: z.string(),
  intent,
  during: z.enum(['apply', 'verify']),
  reason: z.string(),
});

export const OperationTakeBackInitiated = z.object({
  type: z.literal('OperationTakeBackInitiated'),
  ...of,
  /** Steps that were, or may have been, applied, in the order their inverses run: the newest first. */
  order: z.array(z.string()),
  reason: z.string(),
  by: z.string(),
});

export const InverseStarted = z.object({
  type: z.literal('InverseStarted'),
  ...of,
  step: z.string(),
  intent,
});
export const StepInverted = z.object({
  type: z.literal('StepInverted'),
  ...of,
  step: z.string(),
  intent,
  evidence: z.string(),
});
export const InverseFailed = z.object({
  type: z.literal('InverseFailed'),
  ...of,
  step: z.string(),
  intent,
  reason: z.string(),
});

/** It stays as it is until a person asks for it again, or has it taken back. */
export const OperationHeld = z.object({
  type: z.literal('OperationHeld'),
  ...of,
  step: z.string(),
  reason: z.string(),
});

export const OperationCompleted = z.object({ type: z.literal('OperationCompleted'), ...of });
export const OperationTakenBack = z.object({ type: z.literal('OperationTakenBack'), ...of });

export const OperationEvent = z.discriminatedUnion('type', [
  OperationPlanned,
  StepPlanned,
  OperationReopened,
  StepStarted,
  StepApplied,
  VerificationStarted,
  StepVerified,
  StepFailed,
  OperationTakeBackInitiated,
  InverseStarted,
  StepInverted,
  InverseFailed,
  OperationHeld,
  OperationCompleted,
  OperationTakenBack,
]);
export type OperationEvent = z.infer<typeof OperationEvent>;
