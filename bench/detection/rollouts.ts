// Simulated rollouts: requests and errors of both sides in ticks of ten seconds, and the day before.
import type { Random } from './random.ts';

export const tickSeconds = 10;
export const stepWeights = [5, 15, 25, 50, 100];
export const stepMinutes = 25;
export const rolloutMinutes = stepWeights.length * stepMinutes;

export type Scenario = {
  /** Requests per second of the whole service. */
  readonly requestsPerSecond: number;
  /** Error ratio of stable, and of a canary without regression. */
  readonly errorRate: number;
  /** Error ratio of the canary from `regressionMinute` on; equal to `errorRate` in a clean rollout. */
  readonly canaryErrorRate: number;
  readonly regressionMinute: number;
  /** Mean size of a cluster of errors; a cluster falls on one side in one tick. 1 = independent errors. */
  readonly clusterSize: number;
  /** Both sides fail at `rate` for `minutes`. */
  readonly incident: { readonly fromMinute: number; readonly minutes: number; readonly rate: number } | null;
  /** The service failed at `rate` for `minutes` some time in the day before. */
  readonly historyIncident: { readonly minutes: number; readonly rate: number } | null;
};

/** Counts per tick; index = tick. */
export type Ticks = {
  readonly canaryRequests: Float64Array;
  readonly canaryErrors: Float64Array;
  readonly stableRequests: Float64Array;
  readonly stableErrors: Float64Array;
};

export const cleanScenario: Scenario = {
  requestsPerSecond: 100,
  errorRate: 0.0005,
  canaryErrorRate: 0.0005,
  regressionMinute: 0,
  clusterSize: 1,
  incident: null,
  historyIncident: null,
};

/** Configured canary weight at a minute, percent. */
export function weightAt(minute: number): number {
  return stepWeights[Math.min(stepWeights.length - 1, Math.floor(minute / stepMinutes))] as number;
}

/** A whole rollout as if nobody rolled back; rules decide afterwards where they would have. */
export function simulateRollout(scenario: Scenario, random: Random): Ticks {
  const count = (rolloutMinutes * 60) / tickSeconds;
  const ticks: Ticks = {
    canaryRequests: new Float64Array(count),
    canaryErrors: new Float64Array(count),
    stableRequests: new Float64Array(count),
    stableErrors: new Float64Array(count),
  };
  for (let t = 0; t < count; t++) {
    const minute = (t * tickSeconds) / 60;
    const share = weightAt(minute) / 100;
    const requests = scenario.requestsPerSecond * tickSeconds;
    const { incident } = scenario;
    const inIncident =
      incident !== null && minute >= incident.fromMinute && minute < incident.fromMinute + incident.minutes;
    const stableRate = inIncident ? incident.rate : scenario.errorRate;
    const regressed = minute >= scenario.regressionMinute ? scenario.canaryErrorRate : scenario.errorRate;
    const canaryRate = inIncident ? Math.max(incident.rate, regressed) : regressed;
    const canary = drawSide(requests * share, canaryRate, scenario.clusterSize, random);
    const stable = drawSide(requests * (1 - share), stableRate, scenario.clusterSize, random);
    ticks.canaryRequests[t] = canary.requests;
    ticks.canaryErrors[t] = canary.errors;
    ticks.stableRequests[t] = stable.requests;
    ticks.stableErrors[t] = stable.errors;
  }
  return ticks;
}

/** Errors per minute of the 24 hours before, with traffic that swings by half over the day. */
export function simulateHistory(scenario: Scenario, random: Random, minutes = 1440): Float64Array {
  const errors = new Float64Array(minutes);
  const phase = random.uniform() * 2 * Math.PI;
  for (let i = 0; i < minutes; i++) {
    const swing = 1 + 0.5 * Math.sin(phase + (2 * Math.PI * i) / 1440);
    errors[i] = drawErrors(
      scenario.requestsPerSecond * 60 * swing * scenario.errorRate,
      scenario.clusterSize,
      random,
    );
  }
  return errors;
}

/** Adds ticks up to periods of `seconds`. */
export function addUp(counts: Float64Array, seconds: number): Float64Array {
  const size = seconds / tickSeconds;
  const sums = new Float64Array(Math.floor(counts.length / size));
  for (let i = 0; i < sums.length; i++) {
    let sum = 0;
    for (let k = 0; k < size; k++) sum += counts[i * size + k] as number;
    sums[i] = sum;
  }
  return sums;
}

// A burst of errors brings its own requests (a client that retries), so requests are successes plus errors.
function drawSide(mean: number, rate: number, clusterSize: number, random: Random) {
  const errors = drawErrors(mean * rate, clusterSize, random);
  return { requests: random.poisson(mean * (1 - rate)) + errors, errors };
}

function drawErrors(mean: number, clusterSize: number, random: Random): number {
  if (clusterSize <= 1) return random.poisson(mean);
  const clusters = random.poisson(mean / clusterSize);
  let errors = 0;
  for (let i = 0; i < clusters; i++) errors += random.geometric(clusterSize);
  return errors;
}
