// Three answers and one order of severity, used everywhere: a check, a template, a whole analysis.

export type Verdict = 'pass' | 'fail' | 'inconclusive';

// An inconclusive answer is never a pass, and a failure is never softened by one.
const worstToBest: readonly Verdict[] = ['fail', 'inconclusive', 'pass'];

/** Worst first; equal ones keep their order. */
export function worstFirst<Judged extends { readonly verdict: Verdict }>(
  judged: readonly Judged[],
): Judged[] {
  const sorted: Judged[] = [];
  for (const verdict of worstToBest) for (const one of judged) if (one.verdict === verdict) sorted.push(one);
  return sorted;
}

/**
 * How one check judged. Most looks pass and nobody reads their checks, so what a check saw is only told when
 * it is asked for.
 */
export type Check = {
  readonly name: string;
  readonly verdict: Verdict;
  readonly tell: () => Told;
  /** Shown only: does not move the verdict of the analysis. */
  readonly dryRun?: boolean;
};

/** What one check saw, and the sentence a person reads a year later. */
export type Told = {
  /** The measured numbers by name: `canaryErrors`, `stableRequests`, `p95Ms`. */
  readonly counts: Readonly<Record<string, number>>;
  /** The limit it was held against, in the unit of the check; null when there was none to hold it against. */
  readonly threshold: number | null;
  readonly eValue?: number;
  readonly sentence: string;
};
