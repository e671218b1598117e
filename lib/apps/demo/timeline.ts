/** Events as lines a person reads: when, what was decided, on which numbers. */
import type { ServiceEvent } from '../../../events/service.ts';

const colour = process.stdout.isTTY && process.env.NO_COLOR === undefined;
const paint = (code: number, text: string): string => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
export const green = (text: string): string => paint(32, text);
export const red = (text: string): string => paint(31, text);
export const yellow = (text: string): string => paint(33, text);
export const dim = (text: string): string => paint(2, text);
export const bold = (text: string): string => paint(1, text);

const barWidth = 30;

/** The canary's share of the traffic as a bar. @param weight percent of the canary */
function bar(weight: number): string {
  const canary = Math.round((weight / 100) * barWidth);
  return `${yellow('█'.repeat(canary))}${dim('░'.repeat(barWidth - canary))} ${String(weight).padStart(5)} %`;
}

/** Looks that found nothing to say yet are left out: the store has them. */
export const isTold = (event: ServiceEvent): boolean =>
  event.type !== 'AnalysisRecorded' ||
  event.verdict === 'fail' ||
  event.evidence.summary.startsWith('Enough');

/** CloudWatch's sentence with figures a person can read, and without its footnote. */
const plain = (reason: string): string =>
  reason
    .replace(/ \(minimum \d+ datapoint.*$/, '')
    .replace(/\d+\.\d{2,}/g, (figure) => Number(figure).toFixed(1));

/** One event, without its time. */
export function sentenceOf(event: ServiceEvent): string {
  switch (event.type) {
    case 'RolloutQueued':
      return `queued behind ${event.behind}`;
    case 'RolloutDropped':
      return `dropped from the queue: ${event.reason}`;
    case 'RolloutStarted':
      return bold(
        `rollout of ${nameOf(event.revision)} started, ${event.steps.length} steps, asked for by ${event.requestedBy}`,
      );
    case 'CheckpointTaken':
      return `checkpoint: ${event.desiredCounts.stable} tasks of ${nameOf(event.revisions.stable)} to go back to`;
    case 'CanaryPrepared':
      return `canary ready: ${event.tasks} healthy tasks, no traffic yet`;
    case 'ShiftOrdered':
      return dim(`step ${event.step + 1}: ordered ${event.weight} %`);
    case 'TrafficShifted':
      return bar(event.weight);
    case 'AnalysisRecorded':
      return verdictSentence(event);
    case 'ApprovalRequested':
      return yellow('waits for an approval');
    case 'RolloutApproved':
      return `approved by ${event.by}`;
    case 'RolloutPaused':
      return yellow(`paused by ${event.by}: ${event.why}`);
    case 'RolloutResumed':
      return `resumed by ${event.by}`;
    case 'RolloutHeld':
      return yellow(`held (${event.reason}): ${event.why}`);
    case 'DriftFound':
      return yellow(`drift: ${event.what}`);
    case 'PromotionOrdered':
      return dim('promotion ordered');
    case 'RolloutPromoted':
      return green(bold(`promoted: ${nameOf(event.revision)} is stable now`));
    case 'RolloutCompleted':
      return green('done: the old side is scaled down');
    default:
      return setbackSentence(event);
  }
}

type Setback = Extract<
  ServiceEvent,
  {
    type:
      | 'AlarmReceived'
      | 'HealthCheckFailed'
      | 'RollbackInitiated'
      | 'RollbackCompleted'
      | 'OverrideSet'
      | 'OverrideLifted'
      | 'FellBack';
  }
>;

function setbackSentence(event: Setback): string {
  switch (event.type) {
    case 'AlarmReceived':
      return event.state === 'ALARM'
        ? red(`alarm ${event.alarm}: ${plain(event.reason)}`)
        : dim(`alarm ${event.alarm} is ${event.state}`);
    case 'HealthCheckFailed':
      return red(`health check of the ${event.side} failed (${event.consecutive} in a row): ${event.what}`);
    case 'RollbackInitiated':
      return red(
        bold(
          `rolling back from ${event.fromWeight} %, because of the ${event.trigger}: ${plain(event.reason)}`,
        ),
      );
    case 'RollbackCompleted':
      return green(
        event.differences.length === 0
          ? 'rolled back: stable was read and is as it was'
          : `rolled back; not as it was: ${event.differences.join('; ')}`,
      );
    case 'OverrideSet':
      return yellow(`override by ${event.by}: ${event.why}`);
    case 'FellBack':
      return red(`fell back to ${event.to}, by ${event.by}: ${event.why}`);
    case 'OverrideLifted':
      return `override lifted by ${event.by}`;
  }
}

function verdictSentence({ verdict, evidence }: Extract<ServiceEvent, { type: 'AnalysisRecorded' }>): string {
  const text = `${verdict}: ${evidence.summary}`;
  return verdict === 'pass' ? green(text) : verdict === 'fail' ? red(text) : text;
}

/** The end of an ARN: `shop:2`. */
export const nameOf = (revision: string): string => revision.split('/').at(-1) ?? revision;
