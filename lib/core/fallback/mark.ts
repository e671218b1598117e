/** When a fall-back that is told late, or only by the mark on the target, concerns a rollout. */
import type { ServiceState } from '../rollout/state.ts';

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
