// Minutes of rollouts for the tests, written as what differs from an ordinary one.
import type { Analysis, AnalysisInput } from '../../../lib/core/analysis/analyse.ts';
import { analyse } from '../../../lib/core/analysis/analyse.ts';
import { assumedBaseline, type Baseline } from '../../../lib/core/analysis/baseline.ts';
import { endMs, type Minute, type SideMinute } from '../../../lib/core/analysis/minutes.ts';
import { type AnalysisPolicy, defaultAnalysisPolicy } from '../../../lib/core/analysis/policy.ts';

/** Thresholds 100, 200, 400, 500 and 1000 ms; an ordinary service has these shares above them. */
const slowShares = [0.5, 0.1, 0.04, 0.01, 0.001];

/** One side; latencies ordinary unless given. */
export function side(requests: number, errors: number, given: Partial<SideMinute> = {}): SideMinute {
  return { requests, errors, slow: slowShares.map((share) => Math.round(requests * share)), ...given };
}

/** Minute i of a rollout; both sides without data unless given. */
export function minute(i: number, weight: number, given: Partial<Minute> = {}): Minute {
  return { startMs: i * 60_000, periodSeconds: 60, weight, canary: null, stable: null, ...given };
}

/** Errors per minute of both sides at 6 000 requests per minute. */
export function minutesOf(
  count: number,
  {
    weight = 5,
    canary = 0,
    stable = 3,
    from = 0,
  }: { weight?: number; canary?: number; stable?: number; from?: number } = {},
): Minute[] {
  return Array.from({ length: count }, (_, i) =>
    minute(from + i, weight, {
      canary: side(60 * weight, canary),
      stable: weight === 100 ? null : side(60 * (100 - weight), stable),
    }),
  );
}

/** A service with a day of history: independent errors at 0.05 %. */
export const knownBaseline: Baseline = {
  ...assumedBaseline(defaultAnalysisPolicy),
  errorDispersion: 1.07,
  slowThresholdsMs: [100, 200, 400, 500, 1000],
  slowDispersions: [1.07, 1.07, 1.07, 1.07, 1.07],
  shiftDispersion: 1.07,
  errorRate: 0.0005,
  requestsPerSecond: 100,
  historyMinutes: 1440,
};

/** A look at the end of the newest minute's delay. */
export function lookAt(
  minutes: readonly Minute[],
  given: Partial<AnalysisInput> & { policy?: AnalysisPolicy } = {},
): Analysis {
  const policy = given.policy ?? defaultAnalysisPolicy;
  const last = minutes.at(-1);
  return analyse({
    policy,
    baseline: knownBaseline,
    minutes,
    now: last === undefined ? 0 : endMs(last) + policy.dataDelaySeconds * 1000,
    stepStartedAt: minutes.findLast((item, i) => item.weight !== minutes[i - 1]?.weight)?.startMs ?? 0,
    stepEndsAt: 0,
    weight: last?.weight ?? 0,
    checksDue: 'bake',
    ...given,
  });
}

/** A check with all it tells. */
export function checkOf(analysis: Analysis, name: string) {
  const check = toldChecks(analysis).find((item) => item.name === name);
  if (check === undefined)
    throw new Error(`no check ${name} among ${analysis.checks.map((item) => item.name).join(', ')}`);
  return check;
}

/** An analysis with all that its checks tell: what two looks can be compared by. */
export function told(analysis: Analysis) {
  const { shown, ...judged } = analysis;
  return { ...judged, checks: toldChecks(analysis) };
}

const toldChecks = ({ checks, shown }: Analysis) =>
  [...checks, ...shown()].map(({ tell, ...check }) => ({ ...check, ...tell() }));
