/**
 * `analyse`, with what it has folded remembered: a rollout of three hours is looked at 180 times, and each
 * look begins with the minutes of the one before. As far as two looks have the same minutes, as objects, the
 * later one takes what the earlier one folded.
 */
import { type Analysis, type AnalysisInput, conclude } from '../../core/analysis/analyse.ts';
import type { Baseline } from '../../core/analysis/baseline.ts';
import type { Minute } from '../../core/analysis/minutes.ts';
import type { AnalysisPolicy } from '../../core/analysis/policy.ts';
import { beginEvidence, observeMinute, type RolloutEvidence } from '../../core/analysis/rolloutEvidence.ts';

/** So many of the newest minutes may be revised before all is folded anew. */
const minutesBack = 20;

/** The minutes of the newest look, and what was folded up to each of the last of them, by their number. */
type Folded = { minutes: readonly Minute[]; readonly evidence: Map<number, RolloutEvidence> };

const looks = new WeakMap<AnalysisPolicy, WeakMap<Baseline, Folded>>();

export function rememberedAnalysis(input: AnalysisInput): Analysis {
  const { policy, baseline, minutes } = input;
  const before = lookBefore(input);
  let nth = 0;
  while (nth < minutes.length && minutes[nth] === before.minutes[nth]) nth++;
  let evidence = before.evidence.get(nth);
  if (evidence === undefined) {
    nth = 0;
    evidence = beginEvidence(policy, baseline);
  }
  for (; nth < minutes.length; nth++) {
    evidence = observeMinute(evidence, minutes[nth] as Minute);
    before.evidence.set(nth + 1, evidence).delete(nth + 1 - minutesBack);
  }
  before.minutes = [...minutes];
  return conclude(evidence, input);
}

function lookBefore({ policy, baseline }: AnalysisInput): Folded {
  const byBaseline = looks.get(policy) ?? new WeakMap<Baseline, Folded>();
  looks.set(policy, byBaseline);
  const found = byBaseline.get(baseline) ?? { minutes: [], evidence: new Map() };
  byBaseline.set(baseline, found);
  return found;
}
