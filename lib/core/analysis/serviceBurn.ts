// Does the whole service, both sides together, spend its error budget too fast, by the multiwindow rules?
// Shown and never deciding: whose fault it is, the comparison says, and a service that burns without a
// rollout is the business of its alarms. A rule whose long window is longer than the rollout is asked over
// what there is.
import { type BurnJudgement, judgeAllBurns, type Spent } from '../slo/burnRate.ts';
import type { Look } from './look.ts';
import { endMs, errorCount, type Minute } from './minutes.ts';
import type { CheckResult } from './verdict.ts';

/** null before anything was counted. */
export function serviceBurnCheck({ policy, minutes }: Look): CheckResult | null {
  const objective = { objective: policy.objective, periodDays: policy.objectivePeriodDays };
  const pages = judgeAllBurns(
    objective,
    (seconds) => spentIn(minutes, seconds),
    ({ severity }) => severity === 'page',
  );
  const first = pages.find(({ verdict }) => verdict !== 'no-data');
  if (first === undefined) return null;
  const whole = spentIn(minutes, first.rule.longSeconds);
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

/** What both sides spent over the last so many seconds; null when nothing was counted. */
function spentIn(minutes: readonly Minute[], seconds: number): Spent | null {
  const newest = minutes.at(-1);
  if (newest === undefined) return null;
  const fromMs = endMs(newest) - seconds * 1000;
  let bad = 0;
  let total = 0;
  for (let nth = minutes.length - 1; nth >= 0; nth--) {
    const { startMs, canary, stable } = minutes[nth] as Minute;
    if (startMs < fromMs) break;
    const own = canary === null ? nothing : errorCount(canary);
    const other = stable === null ? nothing : errorCount(stable);
    bad += own.bad + other.bad;
    total += own.total + other.total;
  }
  return total === 0 ? null : { bad, total };
}

const nothing: Spent = { bad: 0, total: 0 };
