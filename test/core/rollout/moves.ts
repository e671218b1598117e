/**
 * Random lives of a service: moves that are turned into commands against the state they meet. Half of them do
 * what the state machine would do next, so that lives get far; the others are whatever somebody might send.
 */
import fc from 'fast-check';
import type { Verdict } from '../../../events/rollout.ts';
import type { ServiceEvent } from '../../../events/service.ts';
import type { Command } from '../../../lib/core/rollout/commands.ts';
import { decide } from '../../../lib/core/rollout/decide.ts';
import { evolve } from '../../../lib/core/rollout/evolve.ts';
import { nextAction } from '../../../lib/core/rollout/next.ts';
import { desiredWeight, initialState, type ServiceState } from '../../../lib/core/rollout/state.ts';
import {
  alarm,
  canaryAlarm,
  evidence,
  failHealth,
  planFor,
  serviceAlarm,
  settings,
  start,
  t0,
} from './facts.ts';

const approving = [5, 25, 45, 65, 85, 95, 100].map((weight, index) => ({
  weight,
  bakeSeconds: 120,
  ...(index === 2 ? { approval: 'manual' as const } : index === 4 ? { approval: 'auto' as const } : {}),
}));

const whileActive = ['refuse', 'queue', 'supersede'] as const;
const plans = [
  planFor({ kind: 'canary' }),
  planFor({ kind: 'canary', steps: approving }),
  planFor({ kind: 'linear', stepPercent: 20 }),
  planFor({ kind: 'rolling' }),
  planFor({ kind: 'blue-green', autoPromote: true }),
  planFor({ kind: 'blue-green' }),
  planFor({ kind: 'all-at-once' }),
];

export type Move = {
  /** Does what the state machine would do, or sends something of its own. */
  readonly drives: boolean;
  readonly what: number;
  readonly how: number;
  /** Since the move before; clocks may also be a little behind. */
  readonly seconds: number;
};

export const moves = fc.array(
  fc.record({
    drives: fc.boolean(),
    what: fc.nat(999),
    how: fc.nat(999),
    seconds: fc.oneof(
      { weight: 4, arbitrary: fc.integer({ min: 0, max: 90 }) },
      { weight: 4, arbitrary: fc.constantFrom(60, 120, 300, 600, 1800) },
      { weight: 1, arbitrary: fc.integer({ min: -5, max: 0 }) },
      { weight: 1, arbitrary: fc.constantFrom(30, 3600, 86_400) },
    ),
  }),
  { minLength: 1, maxLength: 120, size: 'max' },
);

const pick = <T>(list: readonly T[], by: number): T => list[by % list.length] as T;
/** Another number from the same one, so that choices made from one move do not go together. */
const other = (how: number, salt: number): number => (Math.imul(how + 1, 2654435761) >>> (salt * 3)) & 0xffff;

const verdicts: readonly Verdict[] = ['pass', 'pass', 'pass', 'inconclusive', 'fail'];
const record = (verdict: Verdict, how: number, now: number): Command => ({
  ...{ type: 'RecordAnalysis', verdict, evidence: evidence(verdict), now },
  settings: {
    analysis: {
      ...settings.analysis,
      unknown: {
        answer: pick(['wait', 'extend', 'pause', 'roll-back'], how),
        extendSeconds: 90,
        extensionsMax: 2,
      },
    },
  },
});

/** What the flow behind the machine's next state would record. */
function driven(state: ServiceState, { how }: Move, now: number): Command {
  const { rollout } = state;
  const rolloutId = rollout.phase === 'none' ? '' : rollout.rolloutId;
  const timing = { rolloutId, evaluateSeconds: 60, scaleDownDelaySeconds: 30, shiftTimeoutSeconds: 60 };
  const { next } = nextAction(state, { ...timing, now });
  const confirm: Command = { type: 'ConfirmShift', weight: desiredWeight(rollout) ?? 0, now };
  switch (next) {
    case 'Done':
      return begin(how, now);
    case 'PrepareCanary':
      return { type: 'ConfirmPrepared', tasks: 3, now };
    case 'ShiftTraffic':
      return rollout.phase === 'shifting' ? confirm : { type: 'OrderShift', now };
    case 'EvaluateCanary':
      return record(pick(verdicts.slice(0, 4), how), how, now);
    case 'AwaitApproval':
      if (rollout.phase === 'held' || rollout.phase === 'paused') return { type: 'Resume', by: 'ada', now };
      if (rollout.phase === 'awaiting-approval') return { type: 'Approve', by: 'ada', now };
      return { type: 'RequestApproval', autoAfterSeconds: 300, now };
    case 'PromoteCanary':
      if (rollout.phase === 'promoted') return { type: 'ConfirmCompletion', now };
      if (rollout.phase !== 'promoting') return { type: 'OrderPromotion', now };
      return rollout.weight === 100 ? { type: 'ConfirmPromotion', rollbackWindowSeconds: 600, now } : confirm;
    case 'RollBack':
      if (rollout.phase === 'rolling-back' && rollout.trafficOffAt !== null) {
        return { type: 'ConfirmRollback', differences: [], now };
      }
      return confirm;
  }
}

function begin(how: number, now: number): Command {
  const plan = pick(plans, how);
  const { rolloutId, revision } = { rolloutId: `ro-${how % 23}`, revision: `rev-${how % 5}` };
  const asked = { ...plan.settings, whileActive: pick(whileActive, how) };
  return start({
    plan: { ...plan, rolloutId, revision, settings: asked, createdAt: now },
    baselineAlarms: how % 4 === 0 ? [canaryAlarm.name] : [],
    ...(how % 3 === 0 ? { knownBadOverride: 'we know' } : {}),
    now,
  });
}

function heard(how: number, now: number): Command {
  return alarm(now, {
    alarm: {
      ...pick([canaryAlarm, serviceAlarm], how),
      slot: pick([null, null, 'blue', 'green'], other(how, 1)),
      onUnknown: pick(['wait', 'hold', 'roll-back'], other(how, 2)),
      onBothSuffer: pick(['hold', 'roll-back'], other(how, 3)),
    },
    state: pick(['ALARM', 'ALARM', 'OK', 'INSUFFICIENT_DATA'], other(how, 4)),
    blame: pick(['canary', 'both', 'stable', 'unknown'], other(how, 5)),
  });
}

const triggers = ['operator', 'deployment', 'outage', 'health'] as const;
const reasons = ['capacity', 'stuck', 'timed-out', 'unknown'] as const;
const by = 'ada';

/** Anything anybody might send, in any phase. */
function sent(state: ServiceState, { what, how }: Move, now: number): Command {
  const weight = pick([desiredWeight(state.rollout) ?? 0, 0, 5, 100], how);
  const anything: readonly (() => Command)[] = [
    () => begin(how, now),
    () => ({ type: 'ConfirmPrepared', tasks: 3, now }),
    () => ({ type: 'OrderShift', now }),
    () => ({ type: 'ConfirmShift', weight, now }),
    () => record(pick(verdicts, how), how, now),
    () => record(pick(verdicts, how), how, now),
    () => ({ type: 'RequestApproval', autoAfterSeconds: 60, now }),
    () => ({ type: 'Approve', by, now }),
    () => ({ type: 'Pause', by, why: 'lunch', now }),
    () => ({ type: 'Resume', by, now }),
    () => ({ type: 'Promote', by, now }),
    () => (how % 3 === 0 ? { type: 'PromoteFully', by, now } : { type: 'OrderPromotion', now }),
    () => ({ type: 'ConfirmPromotion', rollbackWindowSeconds: 600, now }),
    () => ({ type: 'ConfirmCompletion', now }),
    () => ({ type: 'RollBack', trigger: pick(triggers, how), reason: 'no', by, now }),
    () => ({ type: 'ConfirmRollback', differences: ['stable has 2 healthy tasks, it had 3'], now }),
    () => heard(how, now),
    () => heard(how, now),
    () => failHealth(pick(['canary', 'stable', 'stable'], how), now),
    () => failHealth('stable', now),
    () => ({ type: 'FindDrift', foundWeight: pick([null, 0, 1, 5, 20, 50], how), what: 'somebody', now }),
    () => ({ type: 'Hold', reason: pick(reasons, how), why: 'x', now }),
    () => ({ type: 'SetOverride', by, why: 'load test', until: now + (how + 1) * 1000, now }),
    () => ({ type: 'LiftOverride', by, now }),
    () => ({ type: 'RecordFallBack', by, why: 'all is dark', to: 'x', slot: pick([null, 'blue'], how), now }),
    () => ({ type: 'OrderShift', rolloutId: `ro-${how % 23}`, now }),
    () => ({ type: 'DropQueued', queuedId: state.queued?.rolloutId ?? 'ro', reason: 'known bad', now }),
    () => ({
      ...{ type: 'Enqueue', service: 'shop', whileActive: pick(whileActive, how), now },
      wish: { rolloutId: `ro-${how % 23}`, revision: `rev-${how % 5}`, requestedBy: by },
    }),
    () => ({
      ...{ type: 'TakeCheckpoint', now },
      checkpoint: { weight: 0, desiredCounts: { stable: 3, canary: 0 }, scaling: null },
    }),
  ];
  return pick(anything, what)();
}

/** One command of a life, between the states before and after it. */
export type Moment = {
  readonly before: ServiceState;
  readonly command: Command;
  readonly refused: boolean;
  readonly events: readonly ServiceEvent[];
  readonly after: ServiceState;
};

/** @throws whatever `decide` or `evolve` throws: they never should */
export function live(list: readonly Move[]): readonly Moment[] {
  let state = initialState;
  let now = t0;
  return list.map((move): Moment => {
    now += move.seconds * 1000;
    const before = state;
    const command = move.drives ? driven(before, move, now) : sent(before, move, now);
    const decision = decide(before, command);
    const events = decision.outcome === 'accepted' ? decision.events : [];
    state = events.reduce(evolve, before);
    return { before, command, refused: decision.outcome === 'refused', events, after: state };
  });
}
