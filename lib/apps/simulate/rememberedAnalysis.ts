/**
 * `analyse`, with what it has folded remembered: a rollout of three hours is looked at 180 times, and each
 * look begins with the minutes of the one before. Two histories that begin with the same minutes, as objects,
 * share what was folded over them.
 */
import { type Analysis, type AnalysisInput, conclude } from '../../core/analysis/analyse.ts';
import type { Baseline } from '../../core/analysis/baseline.ts';
import type { Minute } from '../../core/analysis/minutes.ts';
import type { AnalysisPolicy } from '../../core/analysis/policy.ts';
import { beginEvidence, observeMinute, type RolloutEvidence } from '../../core/analysis/rolloutEvidence.ts';

/** What was folded up to a minute, and what followed it. */
type Folded = { readonly evidence: RolloutEvidence; readonly next: WeakMap<Minute, Folded> };

const beginnings = new WeakMap<AnalysisPolicy, WeakMap<Baseline, Folded>>();

export function rememberedAnalysis(input: AnalysisInput): Analysis {
  let folded = beginningOf(input);
  for (const minute of input.minutes) {
    const next = folded.next.get(minute) ?? begun(observeMinute(folded.evidence, minute));
    folded.next.set(minute, next);
    folded = next;
  }
  return conclude(folded.evidence, input);
}

const begun = (evidence: RolloutEvidence): Folded => ({ evidence, next: new WeakMap() });

function beginningOf({ policy, baseline }: AnalysisInput): Folded {
  const byBaseline = beginnings.get(policy) ?? new WeakMap<Baseline, Folded>();
  beginnings.set(policy, byBaseline);
  const found = byBaseline.get(baseline) ?? begun(beginEvidence(policy, baseline));
  byBaseline.set(baseline, found);
  return found;
}
