/**
 * What a verdict leads to. A failure takes the canary off, whatever the phase. A pass at the end of the bake
 * clears the step. Anything else is unknown, and unknown is never a pass: the policy says how long to wait.
 */
import type { ServiceEvent } from '../../../events/service.ts';
import { accept, type Decision, refuse } from '../decision.ts';
import type { CommandOf, RecordAnalysis } from './commands.ts';
import { initiated } from './rollBack.ts';
import { type Active, activeOf, overrideAt, type ServiceState } from './state.ts';

export function recordAnalysis(
  state: ServiceState,
  command: CommandOf<'RecordAnalysis'>,
): Decision<ServiceEvent> {
  const rollout = activeOf(state);
  if (rollout === null) return refuse('not-running', 'no rollout is under way.');
  if (rollout.phase === 'rolling-back' || rollout.phase === 'promoting') return accept();
  const recorded = newsWorthy(rollout, command) ? [analysisRecorded(rollout, command)] : [];
  switch (command.verdict) {
    case 'fail': {
      if (overrideAt(state, command.now) !== null) return accept(...recorded);
      const rollback = initiated(state, {
        now: command.now,
        trigger: 'analysis',
        reason: command.evidence.summary,
        by: 'switchback',
        evidence: command.evidence,
      });
      return accept(...recorded, ...(rollback === null ? [] : [rollback]));
    }
    case 'pass':
      return accept(...recorded);
    case 'inconclusive':
      return accept(...recorded, ...unknownAtBakeEnd(state, rollout, command));
  }
}

/** A verdict is an event when it is the bake's last word or differs from the one before. */
function newsWorthy(rollout: Active, { verdict, now }: RecordAnalysis): boolean {
  return rollout.lastVerdict !== verdict || (rollout.phase === 'baking' && now >= rollout.bake.endsAt);
}

function analysisRecorded(rollout: Active, { verdict, evidence, now }: RecordAnalysis): ServiceEvent {
  return {
    type: 'AnalysisRecorded',
    at: now,
    rolloutId: rollout.rolloutId,
    step: rollout.step,
    verdict,
    evidence,
  };
}

function unknownAtBakeEnd(state: ServiceState, rollout: Active, command: RecordAnalysis): ServiceEvent[] {
  const { now, evidence, settings } = command;
  if (rollout.phase !== 'baking' || now < rollout.bake.endsAt) return [];
  const { answer, extensionsMax } = settings.analysis.unknown;
  const common = { at: now, rolloutId: rollout.rolloutId };
  const why = `not enough is known to go on: ${evidence.summary}`;
  switch (answer) {
    case 'wait':
      return [];
    case 'extend':
      return rollout.extensions < extensionsMax
        ? [] // the recorded verdict itself lengthens the bake (see evolve)
        : [{ ...common, type: 'RolloutPaused', by: 'switchback', why }];
    case 'pause':
      return [{ ...common, type: 'RolloutPaused', by: 'switchback', why }];
    case 'roll-back': {
      if (overrideAt(state, now) !== null) return [];
      const rollback = initiated(state, {
        now,
        trigger: 'analysis',
        reason: why,
        by: 'switchback',
        evidence,
      });
      return rollback === null ? [] : [rollback];
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
  return accept({
    type: 'ApprovalRequested',
    at: command.now,
    rolloutId: rollout.rolloutId,
    step: rollout.step + 1,
    autoAt: step.approval === 'auto' ? command.now + command.autoAfterSeconds * 1000 : null,
  });
}
