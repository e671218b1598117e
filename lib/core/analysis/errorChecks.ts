// Errors: the canary against stable (the rule that rolls back early), against the absolute limit, and as a
// burn of the error budget. The limits never judge a handful of requests: above the limit and not yet
// certain is inconclusive, with the number of requests that would make it certain.
import { burnRate } from '../slo/burnRate.ts';
import {
  betCheck,
  betNamed,
  countsOf,
  decidesAt,
  errorCounts,
  type Look,
  percent,
  rateOf,
  round,
} from './look.ts';
import { certificateBeta, certifiedRatio } from './promotionCertificate.ts';
import { errorLimitOf } from './rolloutEvidence.ts';
import type { CheckResult } from './verdict.ts';

export function errorChecks(look: Look): CheckResult[] {
  const relative = relativeCheck(look);
  const { policy } = look;
  return [
    ...(relative === null ? [] : [relative]),
    limitCheck(look, 'error-rate', policy.errors.maxRate, (rate) => `error rate ${percent(rate)}`),
    limitCheck(look, 'burn', policy.errors.burnAbort * (1 - policy.objective), (rate) => {
      const burn = burnRate({ bad: rate, total: 1, objective: policy.objective });
      return `burn of the error budget ${burn.toPrecision(3)}×`;
    }),
  ];
}

function relativeCheck(look: Look): CheckResult | null {
  const bet = betNamed(look, 'errors');
  if (bet === undefined) return null;
  const { canary, stable } = look.evidence;
  const counts = countsOf(canary, stable);
  const beside = `${stable.bad} of ${stable.total} of stable`;
  const sides = `${canary.bad} of ${canary.total} canary requests failed, ${beside}`;
  const [own, other] = [rateOf(canary), rateOf(stable)];
  const times =
    own !== null && other !== null && own > other && other > 0
      ? ` (${Number((own / other).toPrecision(2))}×)`
      : '';
  return betCheck(look, bet, counts, `${sides}${times}; evidence ${bet.eValue.toPrecision(3)}.`);
}

function limitCheck(look: Look, name: string, limit: number, words: (rate: number) => string): CheckResult {
  const { canary, stable, counts } = errorCounts(look.window);
  const canaryRate = rateOf(canary);
  const stableRate = rateOf(stable);
  const common = { name, counts, threshold: limit };
  if (canaryRate === null) {
    return {
      ...common,
      verdict: 'inconclusive',
      sentence: 'The canary answered no request in the metric window.',
    };
  }
  const bet = betNamed(look, 'error-limit');
  const proven = bet !== undefined && bet.eValue >= decidesAt(look, bet);
  const says = `The canary's ${words(canaryRate)} over the metric window`;
  if (proven && (canaryRate > limit || limit <= errorLimitOf(look.policy))) {
    return {
      ...common,
      verdict: 'fail',
      eValue: bet.eValue,
      sentence: `${says}: above the limit beyond doubt.`,
    };
  }
  if (canaryRate <= limit) return { ...common, verdict: 'pass', sentence: `${says} keeps the limit.` };
  if (stableRate !== null && stableRate > limit) {
    return {
      ...common,
      verdict: 'inconclusive',
      sentence: `${says} is above the limit, and so is stable's.`,
    };
  }
  const needed = requestsToProve(look, canaryRate, limit);
  const more = Number.isFinite(needed) ? `; about ${needed} more requests would settle it` : '';
  return {
    ...common,
    verdict: 'inconclusive',
    sentence: `${says} is above the limit on few requests${more}.`,
  };
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
export function certificateCheck({ evidence }: Look): CheckResult {
  const eValue = Math.exp(Math.min(evidence.logCertificate, 690));
  const certified = eValue >= 1 / certificateBeta;
  const claim = `the canary fails less than ${certifiedRatio} times as often as stable`;
  return {
    name: 'certificate',
    verdict: certified ? 'pass' : 'inconclusive',
    counts: { canaryErrors: evidence.canary.bad, stableErrors: evidence.stable.bad },
    threshold: 1 / certificateBeta,
    eValue: round(eValue),
    sentence: certified ? `Certified: ${claim}.` : `Not yet certified that ${claim}.`,
    dryRun: true,
  };
}
