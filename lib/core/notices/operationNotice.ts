/** What people are told of an operation: that it goes back, waits for them, or has ended. */
import type { OperationEvent } from '../../../events/operation.ts';
import { operationSentence } from '../operations/sentence.ts';
import type { Notice } from './notice.ts';

type Told = Pick<Notice, 'subject' | 'sentence' | 'urgency'>;

/** @returns null when nobody is told of this event */
export function operationNotice(event: OperationEvent): Told | null {
  const told = news[event.type];
  if (told === undefined) return null;
  const { ending, urgency } = told;
  // An SNS subject has 100 characters at most.
  const subject = `${event.operationId.slice(0, 100 - ending.length)}${ending}`;
  return { subject, sentence: operationSentence(event), urgency };
}

const news: Readonly<
  Partial<Record<OperationEvent['type'], { readonly ending: string } & Pick<Told, 'urgency'>>>
> = {
  OperationTakeBackInitiated: { ending: ': taking back', urgency: 'page' },
  OperationHeld: { ending: ': held', urgency: 'page' },
  OperationCompleted: { ending: ': completed', urgency: 'tell' },
  OperationTakenBack: { ending: ': taken back', urgency: 'tell' },
};
