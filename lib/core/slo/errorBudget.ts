// The arithmetic of an error budget: what there is, what is left, how long it lasts, how fast an alert can
// be.

/** Errors an objective allows among `requests`. */
export function errorBudget({ objective, requests }: { objective: number; requests: number }): number {
  return (1 - objective) * requests;
}

/**
 * Days until the budget is gone at a constant burn; `left` is the share that remains now, 0–1. Infinity when
 * nothing burns.
 */
export function daysToExhaustion(input: { left: number; burn: number; periodDays: number }): number {
  const { left, burn, periodDays } = input;
  return burn <= 0 ? Number.POSITIVE_INFINITY : (Math.max(0, left) * periodDays) / burn;
}

type Alert = { readonly windowSeconds: number; readonly burn: number; readonly objective: number };

/**
 * Seconds from the start of a constant error ratio until a window that was clean reaches its burn:
 * t = W·B·b ÷ e; never (Infinity) when the ratio is too small to reach it (SRE Workbook, ch. 5).
 */
export function detectionSeconds({
  windowSeconds,
  burn,
  objective,
  errorRatio,
}: Alert & { errorRatio: number }): number {
  const needed = burn * (1 - objective);
  return errorRatio < needed ? Number.POSITIVE_INFINITY : (windowSeconds * needed) / errorRatio;
}

/**
 * Seconds a full window goes on ringing after the errors stopped: W·(1 − B·b ÷ e). For a rule of two windows
 * the short one decides.
 */
export function resetSeconds({
  windowSeconds,
  burn,
  objective,
  errorRatio,
}: Alert & { errorRatio: number }): number {
  return errorRatio === 0 ? 0 : Math.max(0, windowSeconds * (1 - (burn * (1 - objective)) / errorRatio));
}

/** Share of the period's budget that is spent when an alert over this window fires: B·W ÷ P. */
export function spentAtFiring(input: { windowSeconds: number; burn: number; periodDays: number }): number {
  return (input.burn * input.windowSeconds) / (input.periodDays * 86_400);
}
