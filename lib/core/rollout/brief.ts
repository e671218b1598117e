/**
 * Texts as events keep them. An event may take 1 KB as it is stored; a longer one would not be appended, and
 * a rollback must never fail for a long sentence. A character cut in half would not survive the store, and
 * the hash chain with it.
 */
import type { Evidence } from '../../../events/rollout.ts';

const cut = (text: string, characters: number): string => text.slice(0, characters).toWellFormed();

/** A reason: 300 characters are enough. */
export const brief = (sentence: string): string => cut(sentence, 300);

/** A reason beside a whole plan. */
export const briefest = (sentence: string): string => cut(sentence, 120);

/** Evidence: what was counted, whole; what was said about it, briefly. */
export const briefEvidence = (evidence: Evidence): Evidence => ({
  ...evidence,
  summary: cut(evidence.summary, 200),
  worst: evidence.worst.slice(0, 3).map((check) => ({
    ...check,
    name: cut(check.name, 60),
    sentence: cut(check.sentence, 140),
  })),
});
