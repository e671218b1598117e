// One check per business rate: conversions that must not drop, failures that must not rise.

import type { BusinessState } from './businessEvidence.ts';
import { evidence as eValueOf } from './errorEvidence.ts';
import { betCheck, betNamed, type Look, percent, round } from './look.ts';
import type { CheckResult } from './verdict.ts';

export function businessChecks(look: Look): CheckResult[] {
  return look.evidence.business.map((business) => businessCheck(look, business));
}

function businessCheck(look: Look, { check, state, canary, stable }: BusinessState): CheckResult {
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
    return { name, verdict: due ? 'inconclusive' : 'pass', counts, threshold: null, sentence };
  }
  const sentence =
    `${check.name}: ${percent(canary.bad / canary.total)} of ${canary.total} on the canary, ` +
    `${percent(stable.bad / stable.total)} of ${stable.total} on stable`;
  const bet = betNamed(look, name);
  if (bet !== undefined)
    return betCheck(look, bet, counts, `${sentence}; evidence ${bet.eValue.toPrecision(3)}.`);
  const eValue = eValueOf(state);
  const threshold = 1 / look.policy.alpha;
  const verdict = eValue >= threshold ? 'fail' : 'pass';
  return { name, verdict, counts, threshold, eValue: round(eValue), sentence: `${sentence}.`, dryRun: true };
}
