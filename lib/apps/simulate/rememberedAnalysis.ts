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

/** The minutes of the newest look, and what was folded before each of them and after the last. */
type Folded = { readonly minutes: Minute[]; readonly evidence: RolloutEvidence[] };

const looks = new WeakMap<AnalysisPolicy, WeakMap<Baseline, Folded>>();

export function rememberedAnalysis(input: AnalysisInput): Analysis {
  const { minutes, evidence } = foldedFor(input);
  let same = 0;
  while (same < minutes.length && minutes[same] === input.minutes[same]) same++;
  minutes.length = same;
  evidence.length = same + 1;
  for (const minute of input.minutes.slice(same)) {
    evidence.push(observeMinute(evidence.at(-1) as RolloutEvidence, minute));
    minutes.push(minute);
  }
  return conclude(evidence.at(-1) as RolloutEvidence, input);
}

function foldedFor({ policy, baseline }: AnalysisInput): Folded {
  const byBaseline = looks.get(policy) ?? new WeakMap<Baseline, Folded>();
  looks.set(policy, byBaseline);
  const found = byBaseline.get(baseline) ?? { minutes: [], evidence: [beginEvidence(policy, baseline)] };
  byBaseline.set(baseline, found);
  return found;
}
