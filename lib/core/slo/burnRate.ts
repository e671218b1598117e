// How fast the error budget is being spent, and when that is worth waking somebody.
//
// An objective of 99.9 % over 30 days leaves a budget: 0.1 % of the period's requests may fail. Burn 1 spends
// exactly that in exactly the period; burn 14.4 for one hour spends 2 % of it (14.4 × 1 h ÷ 720 h).
//
// One window cannot serve: a short one rings for a blip, a long one rings late and goes on ringing for hours
// after the recovery. So each rule has two, and both must burn: the long one says that enough was spent, the
// short one (a twelfth) that it is still being spent. Four rules from "page now" to "a ticket this week".
//
// A burn rate says nothing about how sure we are: at 20 requests/s and 5 % canary, one error in the first
// minute is burn 16.7. `judgeBurn` therefore answers `unsure` where the counts are too small for its claim.
// SRE Workbook, ch. 5, table 5-8; third row: Sloth, internal/alert/windows/google-30d.yaml.
import { burnBounds, requestsToCertify } from './burnBounds.ts';

/** `bad` of `total` requests failed. */
export type Spent = { readonly bad: number; readonly total: number };

export type BurnRule = {
  readonly severity: 'page' | 'ticket';
  readonly longSeconds: number;
  readonly shortSeconds: number;
  /** Burn above which both windows must lie. */
  readonly burn: number;
  /** Share of the period's budget that is gone when the long window is full of it. */
  readonly budgetShare: number;
};

/** Error ratio in units of the budget: 0 = no errors, 1 = the budget lasts exactly its period. */
export function burnRate({ bad, total, objective }: Spent & { readonly objective: number }): number {
  return total === 0 ? 0 : bad / total / (1 - objective);
}

const windows = [
  { severity: 'page', longHours: 1, shortHours: 1 / 12, budgetPercent: 2 },
  { severity: 'page', longHours: 6, shortHours: 0.5, budgetPercent: 5 },
  { severity: 'ticket', longHours: 24, shortHours: 2, budgetPercent: 10 },
  { severity: 'ticket', longHours: 72, shortHours: 6, budgetPercent: 10 },
] as const;

/**
 * The multiwindow table for an objective's period: burn = budget share × period ÷ long window, which gives
 * 14.4, 6, 3 and 1 for 30 days and 13.44, 5.6, 2.8 and 0.933 for 28.
 */
export function burnRules({ periodDays }: { readonly periodDays: number }): readonly BurnRule[] {
  return windows.map(({ severity, longHours, shortHours, budgetPercent }) => ({
    severity,
    longSeconds: longHours * 3600,
    shortSeconds: shortHours * 3600,
    burn: (budgetPercent * periodDays * 24) / (100 * longHours),
    budgetShare: budgetPercent / 100,
  }));
}

export type BurnVerdict = 'burning' | 'quiet' | 'unsure' | 'no-data';

export type BurnJudgement = {
  readonly rule: BurnRule;
  readonly verdict: BurnVerdict;
  readonly longBurn: number;
  readonly shortBurn: number;
  /**
   * Further requests in the long window at its present error ratio until the answer is sure; 0 when it is.
   */
  readonly needsRequests: number;
};

// How sure a window must be before it rings.
const confidence = 0.95;

/**
 * Judges one rule. `count` answers what was spent in the last so many seconds, null when it is unknown.
 * Both point estimates must lie above the rule's burn (strictly), and the long window's lower bound too.
 */
export function judgeBurn(
  rule: BurnRule,
  objective: number,
  count: (seconds: number) => Spent | null,
): BurnJudgement {
  const long = count(rule.longSeconds);
  const short = count(rule.shortSeconds);
  if (long === null || short === null || long.total === 0 || short.total === 0) {
    return { rule, verdict: 'no-data', longBurn: 0, shortBurn: 0, needsRequests: 0 };
  }
  const longBurn = burnRate({ bad: long.bad, total: long.total, objective });
  const shortBurn = burnRate({ bad: short.bad, total: short.total, objective });
  // Compared as errors against errors allowed: dividing by 1 − objective first would blur the boundary.
  const over = ({ bad, total }: Spent) => bad > rule.burn * (1 - objective) * total * (1 + 1e-12);
  if (!over(long) || !over(short)) return { rule, verdict: 'quiet', longBurn, shortBurn, needsRequests: 0 };
  if (burnBounds({ ...long, objective, confidence }).lower > rule.burn) {
    return { rule, verdict: 'burning', longBurn, shortBurn, needsRequests: 0 };
  }
  const needsRequests = requestsToCertify({ ...long, objective, burn: rule.burn, confidence });
  return { rule, verdict: 'unsure', longBurn, shortBurn, needsRequests };
}

const mostUrgentFirst: Record<BurnVerdict, number> = { burning: 0, unsure: 1, 'no-data': 2, quiet: 3 };

/** All of the rules, those that burn first. */
export function judgeAllBurns(
  rules: readonly BurnRule[],
  objective: number,
  count: (seconds: number) => Spent | null,
): readonly BurnJudgement[] {
  return rules
    .map((rule) => judgeBurn(rule, objective, count))
    .sort((a, b) => mostUrgentFirst[a.verdict] - mostUrgentFirst[b.verdict]);
}
