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

/** What was folded up to a minute, and what followed it: one minute, or a few readings of it. */
type Folded = {
  readonly evidence: RolloutEvidence;
  readonly next: { readonly minute: Minute; readonly folded: Folded }[];
};

const beginnings = new WeakMap<AnalysisPolicy, WeakMap<Baseline, Folded>>();

export function rememberedAnalysis(input: AnalysisInput): Analysis {
  let folded = beginningOf(input);
  for (const minute of input.minutes) folded = after(folded, minute);
  return conclude(folded.evidence, input);
}

function after({ evidence, next }: Folded, minute: Minute): Folded {
  for (const known of next) if (known.minute === minute) return known.folded;
  const folded = begun(observeMinute(evidence, minute));
  next.push({ minute, folded });
  return folded;
}

const begun = (evidence: RolloutEvidence): Folded => ({ evidence, next: [] });

function beginningOf({ policy, baseline }: AnalysisInput): Folded {
  const byBaseline = beginnings.get(policy) ?? new WeakMap<Baseline, Folded>();
  beginnings.set(policy, byBaseline);
  const found = byBaseline.get(baseline) ?? begun(beginEvidence(policy, baseline));
  byBaseline.set(baseline, found);
  return found;
}
