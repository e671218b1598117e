// Runs rules over many simulated rollouts of one scenario and adds up what happened.
import { type Random, randomFrom } from './random.ts';
import {
  rolloutMinutes,
  type Scenario,
  simulateHistory,
  simulateRollout,
  type Ticks,
  tickSeconds,
} from './rollouts.ts';
import { type Rule, viewOf } from './rules.ts';

/** From the decision to the first request that no longer reaches the canary. */
const actionSeconds = 20;

export type Score = {
  readonly rule: string;
  readonly rollouts: number;
  readonly rolledBack: number;
  /** Minutes from the regression to the decision, of those rolled back after it began. */
  readonly minutes: readonly number[];
  /** Canary errors served per rollout, mean. */
  readonly canaryErrors: number;
};

export function score(scenario: Scenario, rules: readonly Rule[], rollouts: number, seed: number): Score[] {
  const tallies = rules.map((rule) => ({ rule, rolledBack: 0, minutes: [] as number[], errors: 0 }));
  for (let n = 0; n < rollouts; n++) {
    const random = randomFrom(mix(seed, n));
    const ticks = simulateRollout(scenario, random);
    const view = viewOf(ticks, history(scenario, random), scenario.requestsPerSecond);
    for (const tally of tallies) {
      const decided = tally.rule.decide(view);
      if (decided !== null) {
        tally.rolledBack++;
        const seconds = decided + tally.rule.delaySeconds - scenario.regressionMinute * 60;
        if (seconds > 0) tally.minutes.push(seconds / 60);
      }
      const until =
        decided === null ? Number.POSITIVE_INFINITY : decided + tally.rule.delaySeconds + actionSeconds;
      tally.errors += errorsUntil(ticks, until);
    }
  }
  return tallies.map(({ rule, rolledBack, minutes, errors }) => ({
    rule: rule.name,
    rollouts,
    rolledBack,
    minutes,
    canaryErrors: errors / rollouts,
  }));
}

/** Middle of the values; a rollout that was never rolled back counts as later than all that were. */
export function medianMinutes({ minutes, rollouts }: Score): number | null {
  const middle = minutes.toSorted((a, b) => a - b)[Math.floor((rollouts - 1) / 2)];
  return middle ?? null;
}

/** Adds the scores of the same rule from several parts of one cell. */
export function merge(parts: readonly Score[]): Score {
  const rollouts = parts.reduce((sum, part) => sum + part.rollouts, 0);
  return {
    rule: parts[0]?.rule ?? '',
    rollouts,
    rolledBack: parts.reduce((sum, part) => sum + part.rolledBack, 0),
    minutes: parts.flatMap((part) => part.minutes),
    canaryErrors: parts.reduce((sum, part) => sum + part.canaryErrors * part.rollouts, 0) / rollouts,
  };
}

function history(scenario: Scenario, random: Random): Float64Array {
  const errors = simulateHistory(scenario, random);
  const incident = scenario.historyIncident;
  if (incident === null) return errors;
  const from = Math.floor(random.uniform() * (errors.length - incident.minutes));
  for (let i = from; i < from + incident.minutes; i++) {
    errors[i] = random.poisson(scenario.requestsPerSecond * 60 * incident.rate);
  }
  return errors;
}

function errorsUntil(ticks: Ticks, seconds: number): number {
  const count = Math.min(
    ticks.canaryErrors.length,
    Math.ceil(Math.min(seconds, rolloutMinutes * 60) / tickSeconds),
  );
  let errors = 0;
  for (let t = 0; t < count; t++) errors += ticks.canaryErrors[t] as number;
  return errors;
}

export function mix(seed: number, n: number): number {
  return (Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(n + 1, 0xc2b2ae35)) >>> 0;
}
