// How strongly do the users' own deeds say that the canary harms the business: fewer conversions per session,
// or more failed payments?
//
// The same bet as for errors. For something good the suspicion is a ratio below 1, for something bad one
// above; the check's tolerance is the margin. Sessions must stay on the side they were assigned to, and are
// counted in the minute of their assignment: conversions lag, so a minute is read only once it has matured,
// on both sides alike. A drop of a tenth needs tens of thousands of sessions; `power.ts` says so before the
// rollout starts.
import type { Baseline } from './baseline.ts';
import { type EvidenceState, initial, observe, type PairedCount } from './errorEvidence.ts';
import { endMs, type Minute } from './minutes.ts';
import type { BusinessCheck } from './policy.ts';

export type BusinessState = {
  readonly check: BusinessCheck;
  readonly state: EvidenceState;
  /** Minutes still too young to be read, oldest first. */
  readonly maturing: readonly (PairedCount & { readonly endMs: number })[];
  /** Outcomes read so far. */
  readonly canary: { readonly bad: number; readonly total: number };
  readonly stable: { readonly bad: number; readonly total: number };
};

/** From a twentieth to half fewer. */
export const dropRatios: readonly number[] = [0.95, 0.9, 0.8, 0.7, 0.5];
/** From a tenth more to ten times as many. */
export const riseRatios: readonly number[] = [1.1, 1.25, 1.5, 2, 3, 5, 10];

/** Before the first minute. */
export function beginBusiness(check: BusinessCheck, baseline: Baseline): BusinessState {
  return {
    check,
    state: initial({
      dispersion: baseline.businessDispersions[check.name] ?? 1,
      margin: check.counted === 'good' ? 1 - check.tolerance : 1 + check.tolerance,
      ratios: check.counted === 'good' ? dropRatios : riseRatios,
    }),
    maturing: [],
    canary: { bad: 0, total: 0 },
    stable: { bad: 0, total: 0 },
  };
}

/** Adds a minute and reads those that it makes old enough. The minutes themselves are the clock. */
export function observeBusiness(business: BusinessState, minute: Minute): BusinessState {
  const { check } = business;
  const count = (side: Minute['canary']) => {
    const seen = side?.business?.[check.name];
    return seen === undefined ? null : { bad: seen.count, total: seen.total };
  };
  const young = {
    canary: count(minute.canary),
    stable: count(minute.stable),
    periodSeconds: minute.periodSeconds,
    endMs: endMs(minute),
  };
  const matureAtMs = young.endMs - check.maturityMinutes * 60_000;
  const all = [...business.maturing, young];
  const firstYoung = all.findIndex((period) => period.endMs > matureAtMs);
  const mature = firstYoung < 0 ? all : all.slice(0, firstYoung);
  return mature.reduce(read, { ...business, maturing: firstYoung < 0 ? [] : all.slice(firstYoung) });
}

function read(business: BusinessState, period: PairedCount): BusinessState {
  const { canary, stable } = business;
  return {
    ...business,
    state: observe(business.state, period),
    canary: {
      bad: canary.bad + (period.canary?.bad ?? 0),
      total: canary.total + (period.canary?.total ?? 0),
    },
    stable: {
      bad: stable.bad + (period.stable?.bad ?? 0),
      total: stable.total + (period.stable?.total ?? 0),
    },
  };
}
