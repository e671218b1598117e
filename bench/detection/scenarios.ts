// What is simulated: the grid of clean rollouts, the regressions, the shared incidents, the latencies.
import type { LatencyScenario } from './latency.ts';
import { cleanScenario, type Scenario } from './rollouts.ts';

/** S1: every clean cell. */
export const cleanGrid: readonly Scenario[] = [5, 20, 100, 1000].flatMap((requestsPerSecond) =>
  [0.0002, 0.0005, 0.002].flatMap((errorRate) =>
    [1, 2, 5, 20].map((clusterSize) => ({
      ...cleanScenario,
      requestsPerSecond,
      errorRate,
      canaryErrorRate: errorRate,
      clusterSize,
    })),
  ),
);

/** Both sides fail at 5 % for ten minutes, at weight 15. */
export const sharedIncidents: readonly Scenario[] = [5, 20, 100, 1000].map((requestsPerSecond) => ({
  ...cleanScenario,
  requestsPerSecond,
  incident: { fromMinute: 40, minutes: 10, rate: 0.05 },
}));

/** An incident of ten minutes at 5 % in the day before must neither loosen nor blunt the judgement. */
export const incidentsInHistory: readonly Scenario[] = [1, 5].flatMap((clusterSize) =>
  [20, 100].map((requestsPerSecond) => ({
    ...cleanScenario,
    requestsPerSecond,
    clusterSize,
    historyIncident: { minutes: 10, rate: 0.05 },
  })),
);

/** S2: fifteen regressions from the first request on. */
export const regressions: readonly Scenario[] = (
  [
    [20, [0.005, 0.01, 0.02, 0.05, 0.1]],
    [100, [0.003, 0.005, 0.01, 0.02, 0.1]],
    [1000, [0.002, 0.003, 0.005, 0.01, 0.02]],
  ] as const
).flatMap(([requestsPerSecond, rates]) =>
  rates.map((canaryErrorRate) => ({ ...cleanScenario, requestsPerSecond, canaryErrorRate })),
);

/** Regressions that begin in the middle of a rollout, and with clustered errors. */
export const otherRegressions: readonly Scenario[] = [
  { ...cleanScenario, canaryErrorRate: 0.02, regressionMinute: 40 },
  { ...cleanScenario, requestsPerSecond: 1000, canaryErrorRate: 0.005, regressionMinute: 40 },
  { ...cleanScenario, canaryErrorRate: 0.01, clusterSize: 2 },
  { ...cleanScenario, canaryErrorRate: 0.01, clusterSize: 5 },
  { ...cleanScenario, canaryErrorRate: 0.01, clusterSize: 20 },
  { ...cleanScenario, canaryErrorRate: 1, requestsPerSecond: 5 },
];

/** Pooled false rollbacks of rules that are tuned or compared. */
export const comparedClean: readonly Scenario[] = [
  ...[5, 20, 100, 1000].map((requestsPerSecond) => ({ ...cleanScenario, requestsPerSecond })),
  { ...cleanScenario, errorRate: 0.002, canaryErrorRate: 0.002 },
];

const latency = { requestsPerSecond: 100, slowdown: 1, tailShare: 0, clusterSize: 1 };
export const latencies: readonly LatencyScenario[] = [
  { ...latency, name: 'no change' },
  { ...latency, name: 'no change, 5 requests/s', requestsPerSecond: 5 },
  { ...latency, name: 'no change, slow in clusters of 5', clusterSize: 5 },
  { ...latency, name: '10 % faster', slowdown: 0.9 },
  { ...latency, name: '+5 %', slowdown: 1.05 },
  { ...latency, name: '+10 %', slowdown: 1.1 },
  { ...latency, name: '+30 %', slowdown: 1.3 },
  { ...latency, name: '2 % of requests 10× slower', tailShare: 0.02 },
  { ...latency, name: '0.5 % of requests 10× slower', tailShare: 0.005 },
];
