// Three answers and one order of severity, used everywhere: a check, a template, a whole analysis.

export type Verdict = 'pass' | 'fail' | 'inconclusive';

// Worst last. An inconclusive answer is never a pass, and a failure is never softened by one.
const severity: Record<Verdict, number> = { pass: 0, inconclusive: 1, fail: 2 };

/** The more severe of two verdicts. */
export function worse(left: Verdict, right: Verdict): Verdict {
  return severity[left] >= severity[right] ? left : right;
}

/** The most severe of several; of none it is `inconclusive`, because nothing was looked at. */
export function worstOf(verdicts: readonly Verdict[]): Verdict {
  const [first, ...rest] = verdicts;
  return first === undefined ? 'inconclusive' : rest.reduce(worse, first);
}

/** Orders worst first; equal severities keep their order when used with a stable sort. */
export function bySeverity(left: { verdict: Verdict }, right: { verdict: Verdict }): number {
  return severity[right.verdict] - severity[left.verdict];
}

/** What one check saw, how it judged it, and the sentence a person reads a year later. */
export type CheckResult = {
  readonly name: string;
  readonly verdict: Verdict;
  /** The measured numbers by name: `canaryErrors`, `stableRequests`, `p95Ms`. */
  readonly counts: Readonly<Record<string, number>>;
  /** The limit it was held against, in the unit of the check; null when there was none to hold it against. */
  readonly threshold: number | null;
  readonly eValue?: number;
  readonly sentence: string;
  /** Shown only: does not move the verdict of the analysis. */
  readonly dryRun?: boolean;
};
