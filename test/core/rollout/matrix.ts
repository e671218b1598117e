/** Every phase a service can be in, and every command there is: the two sides of the table of decisions. */
import type { Command } from '../../../lib/core/rollout/commands.ts';
import {
  alarm,
  approvalRequested,
  at,
  bakedAt,
  baking,
  completed,
  driftFound,
  failHealth,
  held,
  judged,
  minutes,
  ordered,
  paused,
  plan,
  planFor,
  prepared,
  promoted,
  promotionOrdered,
  record,
  rollbackCompleted,
  rollbackInitiated,
  shifted,
  start,
  started,
  stepAt,
  v3,
} from './facts.ts';
import { given, type Story } from './given.ts';

const blueGreen = planFor({ kind: 'blue-green' });
const asked = given(...baking(0, blueGreen), approvalRequested(1, bakedAt(0, blueGreen)));
const promoting = given(...baking(10), promotionOrdered(bakedAt(10)));

/** The commands of the table are given at this moment: after everything that happened in these stories. */
export const now = minutes(200);

export const phases = {
  none: given(),
  preparing: given(started()),
  prepared: given(started(), prepared()),
  shifting: given(started(), prepared(), ordered(0, 5, at(59))),
  baking: given(...baking(0)).and(ordered(1, 15, minutes(195)), shifted(15, minutes(196))),
  passed: given(...baking(0), judged('pass', bakedAt(0))),
  previewed: given(...baking(0, blueGreen)),
  'awaiting-approval': asked,
  approved: asked.and({ type: 'RolloutApproved', at: at(200), rolloutId: 'ro-1', by: 'ada' }),
  paused: given(...baking(0), paused(stepAt(0) + 1000)),
  held: given(...baking(0), held('capacity', stepAt(0) + 1000)),
  drifted: given(...baking(1), driftFound(15, 5, stepAt(1) + 1000), held('drift', stepAt(1) + 1000)),
  'all-passed': given(...baking(10)),
  promoting,
  promoted: promoting.and(promoted(minutes(190))),
  'window-over': promoting.and(promoted(minutes(190), 60), completed(minutes(191))),
  'rolling-back': given(...baking(0), rollbackInitiated(stepAt(0) + 1000)),
  'traffic-off': given(...baking(0), rollbackInitiated(stepAt(0) + 1000), shifted(0, stepAt(0) + 2000)),
  'rolled-back': given(
    ...[...baking(0), rollbackInitiated(stepAt(0) + 1000), shifted(0, stepAt(0) + 2000)],
    rollbackCompleted(stepAt(0) + 9000),
  ),
} satisfies Readonly<Record<string, Story>>;
export type PhaseName = keyof typeof phases;

const other = { ...planFor({ kind: 'canary' }, { rolloutId: 'ro-2', revision: v3 }), createdAt: now };

export const commands = {
  Start: start({ plan: other, now }),
  'Start again': start({ plan, now }),
  Enqueue: {
    ...{ type: 'Enqueue', service: 'orchestrator', whileActive: 'queue', now },
    wish: { rolloutId: 'ro-2', revision: v3, requestedBy: 'ada' },
  },
  DropQueued: { type: 'DropQueued', queuedId: 'ro-2', reason: 'known bad by now', now },
  TakeCheckpoint: {
    type: 'TakeCheckpoint',
    checkpoint: { weight: 0, desiredCounts: { stable: 3, canary: 0 }, scaling: { min: 2, max: 10 } },
    now,
  },
  ConfirmPrepared: { type: 'ConfirmPrepared', tasks: 3, now },
  OrderShift: { type: 'OrderShift', now },
  'ConfirmShift 5': { type: 'ConfirmShift', weight: 5, now },
  'ConfirmShift 0': { type: 'ConfirmShift', weight: 0, now },
  'RecordAnalysis pass': record('pass', now),
  'RecordAnalysis fail': record('fail', now),
  'RecordAnalysis inconclusive': record('inconclusive', now),
  RequestApproval: { type: 'RequestApproval', autoAfterSeconds: 300, now },
  Approve: { type: 'Approve', by: 'ada', now },
  Pause: { type: 'Pause', by: 'ada', why: 'lunch', now },
  Resume: { type: 'Resume', by: 'ada', now },
  Promote: { type: 'Promote', by: 'ada', now },
  PromoteFully: { type: 'PromoteFully', by: 'ada', now },
  OrderPromotion: { type: 'OrderPromotion', now },
  ConfirmPromotion: { type: 'ConfirmPromotion', rollbackWindowSeconds: 3600, now },
  ConfirmCompletion: { type: 'ConfirmCompletion', now },
  'RollBack by a person': { type: 'RollBack', trigger: 'operator', reason: 'no', by: 'ada', now },
  'RollBack by itself': { type: 'RollBack', trigger: 'deployment', reason: 'no', by: 'switchback', now },
  'RollBack after an outage': { type: 'RollBack', trigger: 'outage', reason: 'no', by: 'switchback', now },
  ConfirmRollback: { type: 'ConfirmRollback', differences: [], now },
  'ReceiveAlarm ALARM': alarm(now),
  'ReceiveAlarm OK': alarm(now, { state: 'OK' }),
  'FailHealth canary': failHealth('canary', now),
  'FailHealth stable': failHealth('stable', now),
  'FindDrift less': { type: 'FindDrift', foundWeight: 0, what: 'green gets 0 %', now },
  'FindDrift elsewhere': { type: 'FindDrift', foundWeight: null, what: 'a third target group', now },
  Hold: { type: 'Hold', reason: 'timed-out', why: 'a day is over', now },
  SetOverride: { type: 'SetOverride', by: 'ada', why: 'load test', until: minutes(260), now },
  LiftOverride: { type: 'LiftOverride', by: 'ada', now },
  RecordFallBack: {
    type: 'RecordFallBack',
    by: 'ada',
    why: 'all is dark',
    to: 'ecs-alb/blue',
    slot: 'blue',
    now,
  },
  'RecordFallBack elsewhere': {
    type: 'RecordFallBack',
    by: 'ada',
    why: 'all is dark',
    to: 'dns/blue',
    slot: null,
    now,
  },
} satisfies Readonly<Record<string, Command>>;
export type CommandName = keyof typeof commands;

/** `-` accepted and nothing to record, `A + B` the events, `!reason` a refusal. */
export function cell(story: Story, command: Command): string {
  const { decision } = story.when(command);
  if (decision.outcome === 'refused') return `!${decision.reason}`;
  return decision.events.length === 0 ? '-' : decision.events.map(({ type }) => type).join(' + ');
}
