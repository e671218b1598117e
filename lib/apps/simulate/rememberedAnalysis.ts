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

/** The minutes of the newest look, and what was folded up to each of the last of them, the newest last. */
type Folded = { minutes: readonly Minute[]; evidence: RolloutEvidence[] };

const looks = new WeakMap<AnalysisPolicy, WeakMap<Baseline, Folded>>();

export function rememberedAnalysis(input: AnalysisInput): Analysis {
  const { policy, baseline, minutes } = input;
  const before = lookBefore(input);
  let nth = 0;
  while (nth < minutes.length && minutes[nth] === before.minutes[nth]) nth++;
  const changed = before.minutes.length - nth;
  const folded = before.evidence.slice(0, Math.max(0, before.evidence.length - changed));
  let evidence = folded.at(-1);
  if (evidence === undefined) {
    nth = 0;
    evidence = beginEvidence(policy, baseline);
  }
  for (; nth < minutes.length; nth++) {
    evidence = observeMinute(evidence, minutes[nth] as Minute);
    folded.push(evidence);
    if (folded.length > minutesBack) folded.shift();
  }
  before.minutes = minutes;
  before.evidence = folded;
  return conclude(evidence, input);
}

function lookBefore({ policy, baseline }: AnalysisInput): Folded {
  const byBaseline = looks.get(policy) ?? new WeakMap<Baseline, Folded>();
  looks.set(policy, byBaseline);
  const found = byBaseline.get(baseline) ?? { minutes: [], evidence: [] };
  byBaseline.set(baseline, found);
  return found;
}
