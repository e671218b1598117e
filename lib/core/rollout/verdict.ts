/**
 * What a verdict leads to. A failure takes the canary off, whatever the phase. A pass at the end of the bake
 * clears the step. Anything else is unknown, and unknown is never a pass: the policy says how long to wait.
 */
import type { ServiceEvent } from '../../../events/service.ts';
import { accept, type Decision, refuse } from '../decision.ts';
import { brief, briefEvidence } from './brief.ts';
import type { CommandOf, RecordAnalysis } from './commands.ts';
import { dueAt, mayAdvance } from './progress.ts';
import { takenBack } from './rollBack.ts';
import { type Active, activeOf, overrideAt, type ServiceState } from './state.ts';

export function recordAnalysis(
  state: ServiceState,
  command: CommandOf<'RecordAnalysis'>,
): Decision<ServiceEvent> {
  const rollout = activeOf(state);
  if (rollout === null) return refuse('not-running', 'no rollout is under way.');
  if (rollout.phase === 'rolling-back') return accept();
  // Without requests there is nothing to analyse: target health alone judges such a step.
  const healthOnly = rollout.steps[rollout.step]?.judge === 'health-only';
  if (command.verdict === 'inconclusive' && healthOnly) return accept();
  const unknown = unknownAtBakeEnd(state, rollout, command);
  const recorded = newsWorthy(rollout, command)
    ? [analysisRecorded(rollout, command, unknown.bakeUntil)]
    : [];
  if (command.verdict !== 'fail') return accept(...recorded, ...unknown.events);
  return accept(...recorded, ...failure(state, rollout, command));
}

function failure(state: ServiceState, rollout: Active, command: RecordAnalysis): ServiceEvent[] {
  const { now, evidence } = command;
  // Whoever skipped the analysis, or kept the canary because stable broke, has answered for it already.
  const answeredFor = rollout.phase === 'promoting' && rollout.mode !== 'earned';
  if (answeredFor || overrideAt(state, now) !== null) return [];
  return takenBack(state, {
    now,
    trigger: 'analysis',
    reason: evidence.summary,
    by: 'switchback',
    evidence,
  });
}

/** A verdict is an event when it differs from the one before, or is the first one that may clear the step. */
function newsWorthy(rollout: Active, { verdict, now }: RecordAnalysis): boolean {
  if (rollout.lastVerdict !== verdict) return true;
  const due = dueAt(rollout);
  return due !== null && now >= due && (rollout.lastVerdictAt === null || rollout.lastVerdictAt < due);
}

function analysisRecorded(
  rollout: Active,
  { verdict, evidence, now }: RecordAnalysis,
  bakeUntil: number | null,
): ServiceEvent {
  return {
    type: 'AnalysisRecorded',
    at: now,
    rolloutId: rollout.rolloutId,
    step: rollout.step,
    verdict,
    evidence: briefEvidence(evidence),
    ...(bakeUntil === null ? {} : { bakeUntil }),
  };
}

type UnknownAnswer = { readonly bakeUntil: number | null; readonly events: ServiceEvent[] };

function unknownAtBakeEnd(state: ServiceState, rollout: Active, command: RecordAnalysis): UnknownAnswer {
  const nothing: UnknownAnswer = { bakeUntil: null, events: [] };
  const { now, evidence, settings, verdict } = command;
  if (verdict !== 'inconclusive' || rollout.phase !== 'baking' || now < rollout.bake.endsAt) return nothing;
  if (rollout.cleared) return nothing; // a person moved it on already
  const { answer, extendSeconds, extensionsMax } = settings.analysis.unknown;
  // Also when paused: whoever resumes it asks for another look, not for the same answer at once.
  const bakeUntil = now + Math.max(1000, Math.round(extendSeconds * 1000));
  const why = brief(`not enough is known to go on: ${evidence.summary}`);
  const paused: ServiceEvent = {
    type: 'RolloutPaused',
    at: now,
    rolloutId: rollout.rolloutId,
    by: 'switchback',
    why,
  };
  switch (answer) {
    case 'wait':
      return nothing;
    case 'extend':
      return { bakeUntil, events: rollout.extensions < extensionsMax ? [] : [paused] };
    case 'pause':
      return { bakeUntil, events: [paused] };
    case 'roll-back': {
      if (overrideAt(state, now) !== null) return nothing;
      const back = takenBack(state, { now, trigger: 'analysis', reason: why, by: 'switchback', evidence });
      return { bakeUntil: null, events: back };
    }
  }
}

export function requestApproval(
  state: ServiceState,
  command: CommandOf<'RequestApproval'>,
): Decision<ServiceEvent> {
  const rollout = activeOf(state);
  if (rollout === null) return refuse('not-running', 'no rollout is under way.');
  if (rollout.phase === 'awaiting-approval') return accept();
  const step = rollout.steps[rollout.step + 1];
  if (step === undefined || step.approval === 'none') {
    return refuse('no-approval-needed', `after step ${rollout.step + 1} nothing waits for an approval.`);
  }
  if (!mayAdvance(rollout, command.now)) {
    return refuse('not-cleared', `step ${rollout.step + 1} is ${rollout.phase}: it has not been passed.`);
  }
  const autoMs = Math.round(command.autoAfterSeconds * 1000);
  return accept({
    type: 'ApprovalRequested',
    at: command.now,
    rolloutId: rollout.rolloutId,
    step: rollout.step + 1,
    autoAt: step.approval === 'auto' ? command.now + autoMs : null,
  });
}
