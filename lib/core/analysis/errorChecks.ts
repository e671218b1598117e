// Errors: the canary against stable (the rule that rolls back early), against the absolute limit, and as a
// burn of the error budget. The limits never judge a handful of requests: above the limit and not yet
// certain is inconclusive, with the number of requests that would make it certain.
import { burnRate } from '../slo/burnRate.ts';
import { percent, round } from './figures.ts';
import { betCheck, betNamed, countsOf, decidesAt, type Look, rateOf } from './look.ts';
import { certificateBeta, certifiedRatio } from './promotionCertificate.ts';
import { errorLimitOf } from './rolloutEvidence.ts';
import type { Check, Told, Verdict } from './verdict.ts';

export function errorChecks(look: Look): Check[] {
  const { policy } = look;
  const checks = [
    limitCheck(look, 'error-rate', policy.errors.maxRate, (rate) => `error rate ${percent(rate)}`),
    limitCheck(look, 'burn', policy.errors.burnAbort * (1 - policy.objective), (rate) => {
      const burn = burnRate({ bad: rate, total: 1, objective: policy.objective });
      return `burn of the error budget ${burn.toPrecision(3)}×`;
    }),
  ];
  const relative = relativeCheck(look);
  return relative === null ? checks : [relative, ...checks];
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

function limitCheck(look: Look, name: string, limit: number, words: (rate: number) => string): Check {
  const { canary, stable } = look.recent;
  const canaryRate = rateOf(canary);
  const stableRate = rateOf(stable);
  const check = (verdict: Verdict, see: () => Pick<Told, 'sentence' | 'eValue'>): Check => ({
    name,
    verdict,
    tell: () => ({ counts: countsOf(canary, stable), threshold: limit, ...see() }),
  });
  if (canaryRate === null)
    return check('inconclusive', () => ({
      sentence: 'The canary answered no request in the metric window.',
    }));
  const bet = betNamed(look, 'error-limit');
  const proven = bet !== undefined && bet.eValue >= decidesAt(look, bet);
  const says = () => `The canary's ${words(canaryRate)} over the metric window`;
  if (proven && (canaryRate > limit || limit <= errorLimitOf(look.policy)))
    return check('fail', () => ({
      eValue: bet.eValue,
      sentence: `${says()}: above the limit beyond doubt.`,
    }));
  if (canaryRate <= limit) return check('pass', () => ({ sentence: `${says()} keeps the limit.` }));
  if (stableRate !== null && stableRate > limit)
    return check('inconclusive', () => ({ sentence: `${says()} is above the limit, and so is stable's.` }));
  return check('inconclusive', () => {
    const needed = requestsToProve(look, canaryRate, limit);
    const more = Number.isFinite(needed) ? `; about ${needed} more requests would settle it` : '';
    return { sentence: `${says()} is above the limit on few requests${more}.` };
  });
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
