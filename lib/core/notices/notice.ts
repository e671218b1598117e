/**
 * Which events a person is told of, and in which words: one message per decision. When a service flaps, what
 * would be the sixth message within ten minutes becomes a digest, and the next is sent only after five more.
 */
import type { ServiceEvent } from '../../../events/service.ts';

export type Notice = {
  /** At most 100 characters: what SNS takes as the subject of a mail. */
  readonly subject: string;
  readonly sentence: string;
  /** `page`: somebody must act; `tell`: good to know. */
  readonly urgency: 'page' | 'tell';
  /** How many decisions it speaks of. */
  readonly decisions: number;
};

/** Messages about one service within `flapSeconds` before they are gathered, five at a time. */
export const messagesMax = 5;
export const flapSeconds = 600;

/**
 * @param earlier events of the stream before this one, oldest first; what is older than ten minutes does not
 * count
 * @returns null when nobody is told of this event, or it waits for the next digest
 */
export function noticeOf(
  service: string,
  event: ServiceEvent,
  earlier: readonly ServiceEvent[],
): Notice | null {
  const told = tellingOf(event);
  if (told === null) return null;
  const since = event.at - flapSeconds * 1000;
  const recent = earlier.filter((one) => one.at > since && tellingOf(one) !== null);
  const subject = `${service}: ${told.what}`.slice(0, 100);
  if (recent.length < messagesMax) {
    return { subject, sentence: told.sentence, urgency: told.urgency, decisions: 1 };
  }
  const decisions = recent.length + 1;
  if (decisions % messagesMax !== 1 && told.urgency !== 'page') return null;
  const gathered = [...recent.slice(-(messagesMax - 1)), event].map((one) => tellingOf(one)?.what);
  return {
    subject: `${service} is flapping: ${decisions} decisions in ten minutes`.slice(0, 100),
    sentence: `The newest: ${gathered.join('; ')}. ${told.sentence}`,
    urgency: 'page',
    decisions,
  };
}

type Telling = { readonly what: string; readonly sentence: string; readonly urgency: 'page' | 'tell' };

function tellingOf(event: ServiceEvent): Telling | null {
  switch (event.type) {
    case 'RolloutStarted':
      return tell(
        'rollout started',
        `${event.revision} is rolled out in ${event.steps.length} steps, asked for by ${event.requestedBy}.`,
      );
    case 'ApprovalRequested':
      return tell('waits for an approval', `Step ${event.step + 1} waits for an approval.`);
    case 'RolloutDropped':
      return page('dropped from the queue', `${event.rolloutId} does not begin: ${event.reason}`);
    case 'RolloutPaused':
      return page('paused', `Paused by ${event.by}: ${event.why}`);
    case 'RolloutHeld':
      return page(`held (${event.reason})`, `A person must look: ${event.why}`);
    case 'DriftFound':
      return page('drift', `Somebody else moved the traffic: ${event.what}`);
    case 'RollbackInitiated':
      return page(
        'rolling back',
        `Rolling back from ${event.fromWeight} %, because of the ${event.trigger}: ${event.reason}`,
      );
    case 'RollbackCompleted':
      return event.differences.length === 0
        ? tell('rolled back', `All traffic was off after ${event.trafficOffMs} ms; stable is as it was.`)
        : page(
            'rolled back, and not as it was',
            `All traffic was off after ${event.trafficOffMs} ms, but: ${event.differences.join('; ')}`,
          );
    case 'RolloutPromoted':
      return tell('promoted', `${event.revision} is stable now.`);
    case 'OverrideSet':
      return page(
        'override set',
        `${event.by} suspended automatic roll backs until ${new Date(event.until).toISOString()}: ${event.why}`,
      );
    case 'AlarmReceived':
      // Every other alarm shows in what it led to.
      return event.action === 'overridden'
        ? page(
            'alarm overridden',
            `${event.alarm} is in ${event.state}, and an override, or the fire exit, keeps it from taking anything back: ${event.reason}`,
          )
        : null;
    case 'FellBack':
      return page('fell back', `${event.by} sent all traffic to ${event.to}: ${event.why}`);
    case 'OverrideLifted':
      return tell('override lifted', `${event.by} lifted the override.`);
    default:
      return null;
  }
}

const tell = (what: string, sentence: string): Telling => ({ what, sentence, urgency: 'tell' });
const page = (what: string, sentence: string): Telling => ({ what, sentence, urgency: 'page' });
