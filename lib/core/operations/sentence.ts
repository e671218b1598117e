/** An operation's events as a person reads them, without their time. */
import type { OperationEvent } from '../../../events/operation.ts';

export function operationSentence(event: OperationEvent): string {
  switch (event.type) {
    case 'OperationPlanned':
      return `${event.what}: asked for by ${event.requestedBy}; if it fails, ${failing[event.onFailure]}`;
    case 'StepPlanned': {
      const given = Object.entries(event.arguments).map(([name, value]) => `${name} ${value}`);
      const oneWay = event.oneWay ? ', and nothing takes it back' : '';
      return `planned ${event.step} (${event.stage}): ${event.kind} with ${given.join(', ')}${oneWay}`;
    }
    case 'OperationReopened':
      return `asked for again by ${event.requestedBy}, from ${event.from} on; if it fails, ${failing[event.onFailure]}`;
    case 'StepStarted':
      return `${event.step}: begun (${event.intent})`;
    case 'StepApplied':
      return `${event.step}: applied, ${event.evidence}`;
    case 'VerificationStarted':
      return `${event.step}: being verified (${event.intent})`;
    case 'StepVerified':
      return `${event.step}: verified, ${event.evidence}`;
    case 'StepFailed':
      return `${event.step}: failed to ${event.during}: ${event.reason}`;
    case 'OperationTakeBackInitiated':
      return `taking back ${event.order.join(', ') || 'nothing'}, by ${event.by}: ${event.reason}`;
    case 'InverseStarted':
      return `${event.step}: being taken back (${event.intent})`;
    case 'StepInverted':
      return `${event.step}: taken back, ${event.evidence}`;
    case 'InverseFailed':
      return `${event.step}: could not be taken back: ${event.reason}`;
    case 'OperationHeld':
      return `held: ${event.reason}`;
    case 'OperationCompleted':
      return 'completed: every step is verified';
    case 'OperationTakenBack':
      return 'taken back: it is as it was before';
  }
}

const failing = { 'take-back': 'it is taken back', hold: 'a person looks' } as const;
