// Errors: the canary against stable (the rule that rolls back early), against the absolute limit, and as a
// burn of the error budget. The limits never judge a handful of requests: above the limit and not yet
// certain is inconclusive, with the number of requests that would make it certain.
import { burnRate } from '../slo/burnRate.ts';
import { percent, round } from './figures.ts';
import { betCheck, betNamed, countsOf, decidesAt, type Look, rateOf } from './look.ts';
import type { AnalysisPolicy } from './policy.ts';
import { certificateBeta, certifiedRatio } from './promotionCertificate.ts';
import { errorLimitOf } from './rolloutEvidence.ts';
import type { Check, Verdict } from './verdict.ts';

export function errorChecks(look: Look): Check[] {
  const { errors, objective } = look.policy;
  const checks = [
    limitCheck(look, 'error-rate', errors.maxRate, rateWords),
    limitCheck(look, 'burn', errors.burnAbort * (1 - objective), burnWords),
  ];
  const relative = relativeCheck(look);
  return relative === null ? checks : [relative, ...checks];
}

const rateWords = (rate: number): string => `error rate ${percent(rate)}`;

function burnWords(rate: number, { objective }: AnalysisPolicy): string {
  return `burn of the error budget ${burnRate({ bad: rate, total: 1, objective }).toPrecision(3)}×`;
}

function relativeCheck(look: Look): Check | null {
  const bet = betNamed(look, 'errors');
  if (bet === undefined) return null;
  return betCheck(look, bet, () => {
    const { canary, stable } = look.evidence;
    const beside = `${stable.bad} of ${stable.total} of stable`;
    const sides = `${canary.bad} of ${canary.total} canary requests failed, ${beside}`;
    const [own, other] = [rateOf(canary), rateOf(stable)];
    const times =
      own !== null && other !== null && own > other && other > 0
        ? ` (${Number((own / other).toPrecision(2))}×)`
        : '';
    return {
      counts: countsOf(canary, stable),
      sentence: `${sides}${times}; evidence ${bet.eValue.toPrecision(3)}.`,
    };
  });
}

type LimitWords = (rate: number, policy: AnalysisPolicy) => string;

function limitCheck(look: Look, name: string, limit: number, words: LimitWords): Check {
  const found = foundAt(look, limit);
  return {
    name,
    verdict: verdictAtLimit[found],
    tell: () => ({
      counts: countsOf(look.recent.canary, look.recent.stable),
      threshold: limit,
      ...(found === 'broken' ? { eValue: look.eValues.errorLimit } : {}),
      sentence: limitSentence(look, found, limit, words),
    }),
  };
}

/** How the canary's error rate over the metric window lies to a limit. */
type AtLimit = 'idle' | 'broken' | 'kept' | 'like-stable' | 'unsure';

const verdictAtLimit: Readonly<Record<AtLimit, Verdict>> = {
  idle: 'inconclusive',
  broken: 'fail',
  kept: 'pass',
  'like-stable': 'inconclusive',
  unsure: 'inconclusive',
};

function foundAt(look: Look, limit: number): AtLimit {
  const rate = rateOf(look.recent.canary);
  if (rate === null) return 'idle';
  const bet = betNamed(look, 'error-limit');
  const proven = bet !== undefined && bet.eValue >= decidesAt(look, bet);
  if (proven && (rate > limit || limit <= errorLimitOf(look.policy))) return 'broken';
  if (rate <= limit) return 'kept';
  const stable = rateOf(look.recent.stable);
  return stable !== null && stable > limit ? 'like-stable' : 'unsure';
}

function limitSentence(look: Look, found: AtLimit, limit: number, words: LimitWords): string {
  const rate = rateOf(look.recent.canary) ?? 0;
  const says = `The canary's ${words(rate, look.policy)} over the metric window`;
  switch (found) {
    case 'idle':
      return 'The canary answered no request in the metric window.';
    case 'broken':
      return `${says}: above the limit beyond doubt.`;
    case 'kept':
      return `${says} keeps the limit.`;
    case 'like-stable':
      return `${says} is above the limit, and so is stable's.`;
    case 'unsure': {
      const needed = requestsToProve(look, rate, limit);
      const more = Number.isFinite(needed) ? `; about ${needed} more requests would settle it` : '';
      return `${says} is above the limit on few requests${more}.`;
    }
  }
}

/**
 * Canary requests until the limit is proven broken, if the rate stays as seen: what the evidence still lacks
 * divided by what one request adds, Kullback–Leibler(rate, limit) ÷ φ.
 */
function requestsToProve(look: Look, rate: number, limit: number): number {
  const bet = betNamed(look, 'error-limit');
  if (bet === undefined || rate <= limit) return Number.POSITIVE_INFINITY;
  const lacking = Math.log(decidesAt(look, bet)) - Math.log(bet.eValue);
  const rest = rate >= 1 ? 0 : (1 - rate) * Math.log((1 - rate) / (1 - limit));
  const perRequest = (rate * Math.log(rate / limit) + rest) / look.evidence.baseline.errorDispersion;
  return Math.max(1, Math.ceil(lacking / perRequest));
}

/** Shown only: whether the opposite of harm is proven. */
export function certificateCheck({ evidence }: Look): Check {
  const eValue = Math.exp(Math.min(evidence.logCertificate, 690));
  const certified = eValue >= 1 / certificateBeta;
  const claim = `the canary fails less than ${certifiedRatio} times as often as stable`;
  return {
    name: 'certificate',
    verdict: certified ? 'pass' : 'inconclusive',
    dryRun: true,
    tell: () => ({
      counts: { canaryErrors: evidence.canary.bad, stableErrors: evidence.stable.bad },
      threshold: 1 / certificateBeta,
      eValue: round(eValue),
      sentence: certified ? `Certified: ${claim}.` : `Not yet certified that ${claim}.`,
    }),
  };
}
