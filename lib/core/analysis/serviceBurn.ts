// Does the whole service, both sides together, spend its error budget too fast, by the multiwindow rules?
// Shown and never deciding: whose fault it is, the comparison says, and a service that burns without a
// rollout is the business of its alarms. A rule whose long window is longer than the rollout is asked over
// what there is.
import { type BurnJudgement, judgeAllBurns, type Spent } from '../slo/burnRate.ts';
import type { Look } from './look.ts';
import { addCounts, endMs, errorCount, type Minute } from './minutes.ts';
import type { CheckResult } from './verdict.ts';

/** null before anything was counted. */
export function serviceBurnCheck({ policy, minutes }: Look): CheckResult | null {
  const objective = { objective: policy.objective, periodDays: policy.objectivePeriodDays };
  const spentIn = spendingOf(minutes);
  const pages = judgeAllBurns(objective, spentIn, ({ severity }) => severity === 'page');
  const first = pages.find(({ verdict }) => verdict !== 'no-data');
  if (first === undefined) return null;
  const whole = spentIn(first.rule.longSeconds);
  return {
    name: 'service-burn',
    verdict: first.verdict === 'quiet' ? 'pass' : 'inconclusive',
    counts: { errors: whole?.bad ?? 0, requests: whole?.total ?? 0 },
    threshold: first.rule.burn,
    sentence: sentenceOf(first),
    dryRun: true,
  };
}

function sentenceOf({ rule, verdict, longBurn, shortBurn, needsRequests }: BurnJudgement): string {
  const rates = `${longBurn.toPrecision(3)}× over ${spanOf(rule.longSeconds)}, ${shortBurn.toPrecision(3)}× over ${spanOf(rule.shortSeconds)}`;
  const says = `The whole service burns its error budget ${rates}`;
  switch (verdict) {
    case 'burning':
      return `${says}: more than ${rule.burn.toPrecision(3)}×, which is worth a page.`;
    case 'unsure':
      return `${says}, on few requests: about ${needsRequests} more would settle it.`;
    default:
      return `${says}.`;
  }
}

const spanOf = (seconds: number): string =>
  seconds >= 3600 ? `${seconds / 3600} h` : `${Math.round(seconds / 60)} min`;

/**
 * What both sides spent over the last so many seconds; null when nothing was counted. Added up once, from the
 * newest minute back, since every rule asks for two windows.
 */
function spendingOf(minutes: readonly Minute[]): (seconds: number) => Spent | null {
  const since: Spent[] = [];
  let spent: Spent = { bad: 0, total: 0 };
  for (let nth = minutes.length - 1; nth >= 0; nth--) {
    const { canary, stable } = minutes[nth] as Minute;
    if (canary !== null) spent = addCounts(spent, errorCount(canary));
    if (stable !== null) spent = addCounts(spent, errorCount(stable));
    since.push(spent);
  }
  const newest = minutes.at(-1);
  return (seconds) => {
    if (newest === undefined) return null;
    const fromMs = endMs(newest) - seconds * 1000;
    const before = minutes.findLastIndex(({ startMs }) => startMs < fromMs);
    const within = since[minutes.length - before - 2];
    return within === undefined || within.total === 0 ? null : within;
  };
}
