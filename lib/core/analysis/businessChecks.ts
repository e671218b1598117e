// One check per business rate: conversions that must not drop, failures that must not rise.

import type { BusinessState } from './businessEvidence.ts';
import { percent, round } from './figures.ts';
import { betCheck, betNamed, type Look } from './look.ts';
import type { Check } from './verdict.ts';

export function businessChecks(look: Look): Check[] {
  return look.evidence.business.map((business, nth) =>
    businessCheck(look, business, look.eValues.business[nth] as number),
  );
}

function businessCheck(look: Look, { check, canary, stable }: BusinessState, eValue: number): Check {
  const name = `business:${check.name}`;
  const counts = {
    canaryCount: canary.bad,
    canaryTotal: canary.total,
    stableCount: stable.bad,
    stableTotal: stable.total,
  };
  if (canary.total === 0 || stable.total === 0) {
    const due = look.atStepEnd && look.weight < 100;
    const sentence = `No matured ${check.name} counts of both sides yet.`;
    return {
      name,
      verdict: due ? 'inconclusive' : 'pass',
      tell: () => ({ counts, threshold: null, sentence }),
    };
  }
  const says = () =>
    `${check.name}: ${percent(canary.bad / canary.total)} of ${canary.total} on the canary, ` +
    `${percent(stable.bad / stable.total)} of ${stable.total} on stable`;
  const bet = betNamed(look, name);
  if (bet !== undefined) {
    return betCheck(look, bet, () => ({
      counts,
      sentence: `${says()}; evidence ${bet.eValue.toPrecision(3)}.`,
    }));
  }
  const threshold = 1 / look.policy.alpha;
  return {
    name,
    verdict: eValue >= threshold ? 'fail' : 'pass',
    dryRun: true,
    tell: () => ({ counts, threshold, eValue: round(eValue), sentence: `${says()}.` }),
  };
}
