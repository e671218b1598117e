// How fast the error budget is being spent.
//
// An objective of 99.9 % over 30 days leaves a budget: 0.1 % of the period's requests may fail. Burn 1 spends
// exactly that in exactly the period; burn 14.4 for one hour spends 2 % of it. A burn rate says nothing about
// how sure we are: on a handful of requests use the bounds in `budgetEvidence.ts`, never this point estimate.

/** Error ratio in units of the budget: 0 = no errors, 1 = the budget lasts exactly its period. */
export function burnRate({
  bad,
  total,
  objective,
}: {
  bad: number;
  total: number;
  objective: number;
}): number {
  return total === 0 ? 0 : bad / total / (1 - objective);
}
