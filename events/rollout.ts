/**
 * What can happen to one service's rollout, in the order it usually does. Past tense; `at` is epoch
 * milliseconds. Intent and fact are two events: `ShiftOrdered` before the call, `TrafficShifted` once a
 * read of the balancer showed the weight.
 */
import * as z from 'zod/mini';
import { Slot, Target } from './target.ts';

export const at = z.number().check(z.int(), z.gte(0));
/** Percent of requests the canary gets: 0–100, one decimal at most. */
export const Weight = z.number().check(
  z.gte(0, 'a weight is at least 0'),
  z.lte(100, 'a weight is at most 100'),
  z.refine(
    (weight) => Math.abs(weight * 10 - Math.round(weight * 10)) < 1e-9,
    'a weight has one decimal at most',
  ),
);

export const Strategy = z.enum(['canary', 'linear', 'blue-green', 'rolling', 'all-at-once']);
export type Strategy = z.infer<typeof Strategy>;

/** One step of a plan. `approval` is asked before the step's traffic moves. */
export const Step = z.object({
  weight: Weight,
  bakeSeconds: z.number().check(z.gte(0)),
  /** `analysed`: looked at all through the bake and judged at its end; `health-only`: target health alone. */
  judge: z.enum(['analysed', 'health-only']),
  approval: z.enum(['none', 'manual', 'auto']),
});
export type Step = z.infer<typeof Step>;

export const Verdict = z.enum(['pass', 'fail', 'inconclusive']);
export type Verdict = z.infer<typeof Verdict>;

export const RolloutQueued = z.object({
  type: z.literal('RolloutQueued'),
  at,
  rolloutId: z.string(),
  revision: z.string(),
  requestedBy: z.string(),
  behind: z.string(),
  /** As they were asked for: the request is made again with them. */
  why: z.optional(z.string()),
  knownBadOverride: z.optional(z.string()),
  strategy: z.optional(Strategy),
});

/** What waited in the queue may not begin after all. */
export const RolloutDropped = z.object({
  type: z.literal('RolloutDropped'),
  at,
  rolloutId: z.string(),
  reason: z.string(),
});

export const RolloutStarted = z.object({
  type: z.literal('RolloutStarted'),
  at,
  rolloutId: z.string(),
  planHash: z.string(),
  strategy: Strategy,
  revision: z.string(),
  stableRevision: z.string(),
  canarySlot: Slot,
  target: Target,
  steps: z.array(Step),
  /** Alarms already in ALARM at the start: only a new breach, or a worse one, counts. */
  baselineAlarms: z.array(z.string()),
  requestedBy: z.string(),
  why: z.optional(z.string()),
  /** Why a revision that was rolled back before may start again. */
  knownBadOverride: z.optional(z.string()),
});

export const CanaryPrepared = z.object({
  type: z.literal('CanaryPrepared'),
  at,
  rolloutId: z.string(),
  tasks: z.number(),
});

/** What a place to fall back to holds, as far as an event has room for it. */
export const FallbackPlace = z.object({
  /** For a person: `API stage a1b2c3/prod`. */
  place: z.string(),
  /** `stage variable environment` is `phase1`, and so on; null: it could not be read. */
  holds: z.nullable(z.array(z.object({ name: z.string(), value: z.string() }))),
  /** What it holds beside those: too much, or too long, to be recorded. */
  unrecorded: z.number(),
});
export type FallbackPlace = z.infer<typeof FallbackPlace>;

export const CheckpointTaken = z.object({
  type: z.literal('CheckpointTaken'),
  at,
  rolloutId: z.string(),
  weight: Weight,
  desiredCounts: z.object({ stable: z.number(), canary: z.number() }),
  revisions: z.object({ stable: z.string(), canary: z.string() }),
  /** Scaling bounds of stable before they were pinned; null where nothing scales it. */
  scaling: z.nullable(z.object({ min: z.number(), max: z.number() })),
  /** Left out where none is declared beside the target, and in what was recorded before it was read. */
  fallbackPlace: z.optional(FallbackPlace),
});

export const ShiftOrdered = z.object({
  type: z.literal('ShiftOrdered'),
  at,
  rolloutId: z.string(),
  step: z.number(),
  weight: Weight,
});

export const TrafficShifted = z.object({
  type: z.literal('TrafficShifted'),
  at,
  rolloutId: z.string(),
  weight: Weight,
});

/** What a verdict rests on, small enough for an event; the raw minutes stay beside it under `minutesHash`. */
export const Evidence = z.object({
  verdict: Verdict,
  summary: z.string(),
  /** Against "the canary is no worse than stable", over all checks together. */
  eValue: z.number(),
  canary: z.object({ requests: z.number(), errors: z.number() }),
  stable: z.object({ requests: z.number(), errors: z.number() }),
  /** The checks that did not pass, worst first, three at most. */
  worst: z.array(
    z.object({ name: z.string(), verdict: Verdict, sentence: z.string(), threshold: z.nullable(z.number()) }),
  ),
  minutesSeen: z.number(),
  /**
   * 1 spends the error budget in its period: the canary's errors as if all traffic were on it, and the whole
   * service's, both over the metric window; and the share of the period's budget that the rollout cost, 0–1.
   */
  burn: z.optional(z.object({ version: z.number(), service: z.number(), spentByRollout: z.number() })),
  needsRequests: z.optional(z.number()),
  minutesHash: z.optional(z.string()),
});
export type Evidence = z.infer<typeof Evidence>;

export const AnalysisRecorded = z.object({
  type: z.literal('AnalysisRecorded'),
  at,
  rolloutId: z.string(),
  step: z.number(),
  verdict: Verdict,
  evidence: Evidence,
  /** The bake ends then instead: too little is known at its end, and the policy grants more time. */
  bakeUntil: z.optional(at),
});

export const ApprovalRequested = z.object({
  type: z.literal('ApprovalRequested'),
  at,
  rolloutId: z.string(),
  step: z.number(),
  /** When it goes on by itself if the analysis passes; null: a person must say so. */
  autoAt: z.nullable(at),
});

export const RolloutApproved = z.object({
  type: z.literal('RolloutApproved'),
  at,
  rolloutId: z.string(),
  by: z.string(),
});

export const RolloutPaused = z.object({
  type: z.literal('RolloutPaused'),
  at,
  rolloutId: z.string(),
  by: z.string(),
  why: z.string(),
});

export const RolloutResumed = z.object({
  type: z.literal('RolloutResumed'),
  at,
  rolloutId: z.string(),
  by: z.string(),
});

/** A person must look: the controller keeps watching and keeps its hands off the weight. */
export const RolloutHeld = z.object({
  type: z.literal('RolloutHeld'),
  at,
  rolloutId: z.string(),
  reason: z.enum([
    'drift',
    'both-sides-suffer',
    'stable-suffers',
    'flapping',
    'unknown',
    'capacity',
    'cannot-go-back',
    'timed-out',
    'stuck',
  ]),
  why: z.string(),
});
export type HoldReason = z.infer<typeof RolloutHeld>['reason'];

/** The world has less canary than we last confirmed, or sends traffic where we do not know: it is adopted. */
export const DriftFound = z.object({
  type: z.literal('DriftFound'),
  at,
  rolloutId: z.string(),
  expectedWeight: Weight,
  foundWeight: z.nullable(Weight),
  what: z.string(),
});

/**
 * `full`: a person skipped the steps that were left; `stable-broken`: a canary that passed is kept when
 * stable breaks.
 */
export const PromotionMode = z.enum(['earned', 'full', 'stable-broken']);
export type PromotionMode = z.infer<typeof PromotionMode>;

export const PromotionOrdered = z.object({
  type: z.literal('PromotionOrdered'),
  at,
  rolloutId: z.string(),
  mode: PromotionMode,
  by: z.string(),
});

export const RolloutPromoted = z.object({
  type: z.literal('RolloutPromoted'),
  at,
  rolloutId: z.string(),
  revision: z.string(),
  stableSlot: Slot,
  /** Alarms until then still roll back. */
  rollbackWindowUntil: at,
  /** The old side keeps its tasks until then. */
  oldSideUntil: z.optional(at),
});

/** Everything after the promotion is done: the old side is scaled down, stable's scaling released. */
export const RolloutCompleted = z.object({ type: z.literal('RolloutCompleted'), at, rolloutId: z.string() });
