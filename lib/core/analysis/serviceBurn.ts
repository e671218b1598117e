// Does the whole service, both sides together, spend its error budget too fast, by the multiwindow rules?
// Shown and never deciding: whose fault it is, the comparison says, and a service that burns without a
// rollout is the business of its alarms. A rule whose long window is longer than the rollout is asked over
// what there is.
import { type BurnJudgement, burnRules, judgeAllBurns, type Spent } from '../slo/burnRate.ts';
import type { Look } from './look.ts';
import { badOf, endMs, type Minute, totalOf } from './minutes.ts';
import type { Check } from './verdict.ts';

/** null before anything was counted. */
export function serviceBurnCheck({ policy, minutes }: Look): Check | null {
  const rules = burnRules({ periodDays: policy.objectivePeriodDays });
  const pages = rules.filter(({ severity }) => severity === 'page');
  const spans = pages.flatMap(({ longSeconds, shortSeconds }) => [longSeconds, shortSeconds]);
  spans.sort((a, b) => a - b);
  const spent = spentOver(minutes, spans);
  const count = (seconds: number) => spent[spans.indexOf(seconds)] ?? null;
  const judged = judgeAllBurns(pages, policy.objective, count);
  const first = judged.find(({ verdict }) => verdict !== 'no-data');
  if (first === undefined) return null;
  const whole = count(first.rule.longSeconds);
  return {
    name: 'service-burn',
    verdict: first.verdict === 'quiet' ? 'pass' : 'inconclusive',
    dryRun: true,
    tell: () => ({
      counts: { errors: whole?.bad ?? 0, requests: whole?.total ?? 0 },
      threshold: first.rule.burn,
      sentence: sentenceOf(first),
    }),
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
 * What both sides spent over the last so many seconds, for each of `spans`, shortest first; empty before any
 * minute.
 */
function spentOver(minutes: readonly Minute[], spans: readonly number[]): readonly Spent[] {
  const newest = minutes.at(-1);
  if (newest === undefined) return [];
  const toMs = endMs(newest);
  const spent: Spent[] = [];
  let bad = 0;
  let total = 0;
  let nth = minutes.length - 1;
  for (const seconds of spans) {
    for (; nth >= 0; nth--) {
      const { startMs, canary, stable } = minutes[nth] as Minute;
      if (startMs < toMs - seconds * 1000) break;
      bad += badOf(canary) + badOf(stable);
      total += totalOf(canary) + totalOf(stable);
    }
    spent.push({ bad, total });
  }
  return spent;
}
