// Three burns during a rollout that must not be mixed up.
//
// Version burn: what the release would cost if all traffic were on it. Decisions use this one. Service
// burn: what the service as a whole spends now; a canary at weight w adds only w of its version burn, so
//   a service-wide 1 % alarm cannot see a 2 % regression before half of the traffic is on it.
// Budget spent by the rollout: the canary's errors beyond what stable would have made, as a share of the
// whole
//   period's budget. The report and the hard cap use this one.
import { round } from '../analysis/figures.ts';
import { burnRate } from './burnRate.ts';

type Counts = { readonly bad: number; readonly total: number };
type Sides = { readonly canary: Counts; readonly stable: Counts };

export function versionBurn({ canary, objective }: { canary: Counts; objective: number }): number {
  return burnRate({ ...canary, objective });
}

export function serviceBurn({ canary, stable, objective }: Sides & { objective: number }): number {
  return burnRate({ bad: canary.bad + stable.bad, total: canary.total + stable.total, objective });
}

/**
 * Share of the period's error budget that the rollout itself cost, 0–1: excess canary errors over stable's
 * rate, divided by budget × requests of the period. `baselineRate` stands in where stable had no requests.
 */
export function spentByRollout(
  input: Sides & {
    objective: number;
    periodDays: number;
    requestsPerSecond: number;
    baselineRate: number;
  },
): number {
  const { canary, stable, objective, periodDays, requestsPerSecond, baselineRate } = input;
  const usual = stable.total === 0 ? baselineRate : stable.bad / stable.total;
  const excess = Math.max(0, canary.bad - usual * canary.total);
  const requests = requestsPerSecond * periodDays * 86_400;
  return requests === 0 ? 0 : excess / ((1 - objective) * requests);
}

/** The three together, six digits each. */
export type RolloutBurn = {
  readonly version: number;
  readonly service: number;
  /** Share of the period's budget, 0–1. */
  readonly spentByRollout: number;
};

/** @param recent both sides in the metric window @param whole both sides since the rollout began */
export function rolloutBurn(
  { objective, objectivePeriodDays }: { readonly objective: number; readonly objectivePeriodDays: number },
  recent: Sides,
  whole: Sides,
  before: { readonly requestsPerSecond: number | null; readonly errorRate: number | null },
): RolloutBurn {
  const spent = spentByRollout({
    canary: whole.canary,
    stable: whole.stable,
    objective,
    periodDays: objectivePeriodDays,
    requestsPerSecond: before.requestsPerSecond ?? 0,
    baselineRate: before.errorRate ?? 0,
  });
  return {
    version: round(versionBurn({ canary: recent.canary, objective })),
    service: round(serviceBurn({ ...recent, objective })),
    spentByRollout: round(spent),
  };
}
