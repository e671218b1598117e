/**
 * The notes on a target itself, and when a fall-back that is told late, or only by one, concerns a rollout.
 */
import type { ServiceState } from '../rollout/state.ts';

/** Who suspended automatic roll backs, why, and until when, epoch milliseconds. */
export type OverrideMark = { readonly by: string; readonly why: string; readonly until: number };

/** Who took the fire exit and why, as far as a target's tag can hold it. */
export type FallBackMark = {
  /** Epoch milliseconds; the record that was sent to the queue says the same. */
  readonly at: number;
  /** Of the call, without blanks: the record's command has it too. */
  readonly id: string;
  readonly by: string;
  readonly why: string;
};

/** However it is told, by the queue or by the mark: one call of the fire exit is recorded once. */
export const fallBackCommandId = (id: string): string => `fall-back:${id}`;

/** So long the fire exit goes on asserting its place where nobody configured it otherwise, seconds. */
const assertedSeconds = 60;

/** One that was over before the rollout began says nothing about it. */
export const concernsRollout = ({ rollout }: Pick<ServiceState, 'rollout'>, fellBackAt: number): boolean =>
  rollout.phase !== 'none' && fellBackAt > rollout.startedAt - assertedSeconds * 1000;

/** Did the stream not hear of it? The queue that was to tell it may have been down as well. */
export const isUnheardOf = (state: ServiceState, fellBackAt: number): boolean =>
  concernsRollout(state, fellBackAt) && fellBackAt > (state.fellBackAt ?? 0);
