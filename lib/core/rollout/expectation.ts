/**
 * What a strategy costs before it starts: expected downtime, risk, how many users meet the new version before
 * the first judgement, and how long it takes when all goes well. Shown to whoever asks for the rollout.
 */
import type { Step, Strategy } from '../../../events/rollout.ts';

export type Expectation = {
  readonly downtimeSeconds: number;
  readonly risk: 'low' | 'medium' | 'high';
  /** Sum of all bakes; approvals not counted. */
  readonly durationSeconds: number;
  /** Percent of users on the canary when the first verdict can fall. */
  readonly exposedPercent: number;
  readonly sentence: string;
};

/** @param steps the plan's own list, last one at 100 */
export function expect(strategy: Strategy, steps: readonly Step[]): Expectation {
  const durationSeconds = steps.reduce((sum, step) => sum + step.bakeSeconds, 0);
  const exposedPercent = steps.find((step) => step.weight > 0)?.weight ?? 100;
  const shown = `${exposedPercent} % of the users meet it first`;
  const common = { downtimeSeconds: 0, durationSeconds, exposedPercent };
  switch (strategy) {
    case 'canary':
      return {
        ...common,
        risk: 'low',
        sentence: `No downtime expected, low risk: ${shown}, every step is judged.`,
      };
    case 'linear':
      return {
        ...common,
        risk: 'low',
        sentence: `No downtime expected, low risk: ${shown}, in equal steps.`,
      };
    case 'blue-green':
      return {
        ...common,
        risk: 'medium',
        sentence:
          'No downtime expected, medium risk: nobody meets it in the preview, then everybody at once; ' +
          'back at once.',
      };
    case 'rolling':
      return {
        ...common,
        risk: 'medium',
        sentence: `No downtime expected, medium risk: ${shown}, nothing but target health is watched.`,
      };
    case 'all-at-once':
      return {
        ...common,
        risk: 'high',
        sentence:
          'No downtime if the new version starts, high risk: everybody meets it before anything is known.',
      };
  }
}
