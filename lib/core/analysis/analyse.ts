// From the minutes of a rollout to one answer: go on, go back, or not known yet.
// A fold over stored minutes and nothing else: the same minutes give the same answer a year later, a late
// revision of a minute only gives a better one, and any past rollout can be replayed under another policy.
import type { Evidence } from '../../../events/rollout.ts';
import { type RolloutBurn, rolloutBurn } from '../slo/rolloutBurn.ts';
import type { Baseline } from './baseline.ts';
import { type Bet, betsOf, combined, mannWhitneyShareOf } from './bets.ts';
import { businessChecks } from './businessChecks.ts';
import { certificateCheck, errorChecks } from './errorChecks.ts';
import { eValuesOf } from './eValues.ts';
import { round } from './figures.ts';
import { healthChecks, missingRequests } from './healthChecks.ts';
import { latencyChecks, mannWhitneyEvidence, stepMannWhitney } from './latencyChecks.ts';
import { type Look, windowOf } from './look.ts';
import { type ErrorCount, type Minute, minutesFrom, sumErrors } from './minutes.ts';
import type { AnalysisPolicy } from './policy.ts';
import { beginEvidence, observeMinute, type RolloutEvidence } from './rolloutEvidence.ts';
import { serviceBurnCheck } from './serviceBurn.ts';
import { templateChecks } from './templateChecks.ts';
import { type Check, type Verdict, worstFirst } from './verdict.ts';

export type AnalysisInput = {
  readonly policy: AnalysisPolicy;
  /** Frozen when the rollout started. */
  readonly baseline: Baseline;
  /** Every period of this rollout that is old enough to be read, oldest first, one per period. */
  readonly minutes: readonly Minute[];
  /** Epoch milliseconds, like the two below. */
  readonly now: number;
  readonly stepStartedAt: number;
  readonly stepEndsAt: number;
  /** Percent of requests the canary is configured to get now. */
  readonly weight: number;
  /** `bake`: look for reasons to go back. `step-end`: also ask whether enough was seen to go on. */
  readonly checksDue: 'bake' | 'step-end';
};

export type Analysis = {
  readonly verdict: Verdict;
  /** One sentence a person reads. */
  readonly summary: string;
  /** Those that count, worst first. */
  readonly checks: readonly Check[];
  /** Those that are shown only, worst first: judged when somebody asks. */
  readonly shown: () => readonly Check[];
  /** Evidence against the canary over all checks together; ≥ 1 ÷ alpha rolls back. */
  readonly combinedEValue: number;
  /** How many more canary requests would make an answer possible. */
  readonly needsRequests?: number;
  readonly minutesSeen: number;
  readonly burn: RolloutBurn;
  /** Errors and requests of the whole rollout so far. */
  readonly canary: ErrorCount;
  readonly stable: ErrorCount;
};

/** Judges a rollout on everything seen of it so far. */
export function analyse(input: AnalysisInput): Analysis {
  const start = beginEvidence(input.policy, input.baseline);
  return conclude(input.minutes.reduce(observeMinute, start), input);
}

/** Judges on evidence already folded over exactly `input.minutes`; `analyse` for who looks every minute. */
export function conclude(evidence: RolloutEvidence, input: AnalysisInput): Analysis {
  const look = lookAt(evidence, input);
  const judged = worstFirst(checksOf(look));
  const checks = judged.filter((check) => check.dryRun !== true);
  // Where nothing counts, nothing was looked at.
  const verdict = checks[0]?.verdict ?? 'inconclusive';
  const missing = missingRequests(look);
  return {
    verdict,
    summary: verdict === 'pass' ? wellSummary(look) : troubleSummary(look, checks),
    checks,
    shown: () => worstFirst([...judged.filter((check) => check.dryRun === true), ...besideChecks(look)]),
    combinedEValue: round(look.combined),
    ...(missing > 0 ? { needsRequests: missing } : {}),
    minutesSeen: evidence.minutesSeen,
    burn: rolloutBurn(input.policy, look.recent, evidence, evidence.baseline),
    canary: evidence.canary,
    stable: evidence.stable,
  };
}

function checksOf(look: Look): Check[] {
  const checks = healthChecks(look);
  checks.push(...errorChecks(look));
  checks.push(...latencyChecks(look));
  checks.push(...businessChecks(look));
  checks.push(...templateChecks(look));
  checks.push(combinedCheck(look));
  if (look.policy.dryRun.length === 0) return checks;
  return checks.map((check) => (isDryRun(look.policy, check.name) ? { ...check, dryRun: true } : check));
}

/** What never decides, whatever the policy says: no look waits for it. */
function besideChecks(look: Look): Check[] {
  const serviceBurn = serviceBurnCheck(look);
  return serviceBurn === null ? [certificateCheck(look)] : [certificateCheck(look), serviceBurn];
}

function lookAt(evidence: RolloutEvidence, input: AnalysisInput): Look {
  const { policy, minutes, now, stepStartedAt, weight, checksDue } = input;
  const step = minutesFrom(minutes, stepStartedAt);
  const window = windowOf(minutes, policy.windowSeconds);
  const atStepEnd = checksDue === 'step-end';
  const dryRun = (name: string) => isDryRun(policy, name);
  const share = atStepEnd ? mannWhitneyShareOf(evidence, dryRun) : 0;
  const ranks = share > 0 ? stepMannWhitney(evidence, step) : null;
  const stepEndE = mannWhitneyEvidence(policy, ranks, share);
  const eValues = eValuesOf(evidence);
  const bets = betsOf(evidence, stepEndE, dryRun, eValues);
  return {
    policy,
    minutes,
    window,
    recent: { canary: sumErrors(window, 'canary'), stable: sumErrors(window, 'stable') },
    step,
    evidence,
    eValues,
    bets,
    ranks,
    combined: combined(bets),
    now,
    weight,
    atStepEnd,
  };
}

/**
 * The sum of all bets: rolls back at 1 ÷ alpha although no single check would, and holds from a tenth of
 * it.
 */
function combinedCheck(look: Look): Check {
  const { alpha, holdAtEValue } = look.policy;
  const total = look.combined;
  return {
    name: 'evidence',
    verdict: total >= 1 / alpha ? 'fail' : total >= holdAtEValue ? 'inconclusive' : 'pass',
    tell: () => {
      const strongest = strongestOf(look.bets);
      const from = strongest === null ? '' : `, most of it from ${strongest.name}`;
      const amount = `${total.toPrecision(3)} of ${round(1 / alpha)}`;
      const evidence = `Evidence against the canary over all checks: ${amount}`;
      return {
        counts: {},
        threshold: round(1 / alpha),
        eValue: round(total),
        sentence: total >= holdAtEValue ? `${evidence}${from}.` : `${evidence}.`,
      };
    },
  };
}

function wellSummary({ evidence, combined, atStepEnd }: Look): string {
  const { canary, stable } = evidence;
  const other = `${stable.bad} in ${stable.total} of stable`;
  const sides = `${canary.bad} errors in ${canary.total} canary requests, ${other}`;
  const found = `${sides}; evidence against the canary ${combined.toPrecision(2)}`;
  return atStepEnd ? `Enough was seen to go on: ${found}.` : `Nothing against the canary so far: ${found}.`;
}

// When only the sum decided, its strongest part says what was seen.
function troubleSummary({ bets }: Look, checks: readonly Check[]): string {
  const [worst] = checks;
  if (worst === undefined) return 'Nothing was checked.';
  const { sentence } = worst.tell();
  if (worst.name !== 'evidence') return sentence;
  const strongest = checks.find((check) => check.name === strongestOf(bets)?.name);
  return strongest === undefined ? sentence : `${sentence} ${strongest.tell().sentence}`;
}

function strongestOf(bets: readonly Bet[]): Bet | null {
  return bets.reduce<Bet | null>(
    (most, bet) => (most === null || bet.share * bet.eValue > most.share * most.eValue ? bet : most),
    null,
  );
}

function isDryRun(policy: AnalysisPolicy, name: string): boolean {
  return policy.dryRun.some((pattern) => pattern === name || new RegExp(pattern).test(name));
}

/** The small form of an analysis, below 1 KB: what an event carries. */
export function evidenceOf(analysis: Analysis): Evidence {
  const against = analysis.checks.filter((check) => check.verdict !== 'pass');
  return {
    verdict: analysis.verdict,
    summary: analysis.summary.slice(0, 200),
    eValue: analysis.combinedEValue,
    canary: { requests: analysis.canary.total, errors: analysis.canary.bad },
    stable: { requests: analysis.stable.total, errors: analysis.stable.bad },
    minutesSeen: analysis.minutesSeen,
    burn: analysis.burn,
    ...(analysis.needsRequests === undefined ? {} : { needsRequests: analysis.needsRequests }),
    worst: against.slice(0, 3).map(({ name, verdict, tell }) => {
      const { sentence, threshold } = tell();
      return { name, verdict, sentence: sentence.slice(0, 140), threshold };
    }),
  };
}
