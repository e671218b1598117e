/**
 * The notes on a target itself, and when a fall-back that is told late, or only by one, concerns a rollout.
 */
import type { Slot } from '../../../events/target.ts';
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
  /** Of the target it stands on, that got all traffic; null: it went to another target, or nobody said. */
  readonly slot: Slot | null;
};

/** Who marked a side as stable says which pulls of the fire exit he knew of. */
export type StableMark = {
  readonly slot: Slot;
  /** Of every one up to then, epoch milliseconds; null: he did not say, and is believed. */
  readonly knows: number | null;
};

/**
 * The side that is stable, by both notes. A promotion that began before somebody took the fire exit may mark
 * its side after them, so neither the order of the writes nor two clocks decide: a pull that whoever marked
 * stable did not know of stands above the mark.
 */
export function stableSideBy(stable: StableMark | null, fellBack: FallBackMark | null): Slot | null {
  if (stable === null || stable.knows === null) return stable?.slot ?? null;
  return fellBack !== null && fellBack.at > stable.knows ? (fellBack.slot ?? stable.slot) : stable.slot;
}

/**
 * Up to when whoever acts by this state knows of every pull of the fire exit that concerns its rollout, epoch
 * milliseconds. A rollout that has heard of one goes on only where a person said so.
 */
export const knowsOf = ({ rollout, fellBackAt = 0 }: Pick<ServiceState, 'rollout' | 'fellBackAt'>): number =>
  Math.max(fellBackAt, rollout.phase === 'none' ? 0 : rollout.startedAt - assertedSeconds * 1000);

/** However it is told, by the queue or by the mark: one call of the fire exit is recorded once. */
export const fallBackCommandId = (id: string): string => `fall-back:${id}`;

/** The clocks of two instances may differ by so much. */
export const clocksApartMs = 5000;

/** So long the fire exit goes on asserting its place where nobody configured it otherwise, seconds. */
const assertedSeconds = 60;

type Begun = { readonly rollout: { readonly phase: string; readonly startedAt?: number } };

/** One that was over before the rollout began says nothing about it. */
export const concernsRollout = ({ rollout: { phase, startedAt = 0 } }: Begun, fellBackAt: number): boolean =>
  phase !== 'none' && fellBackAt > startedAt - assertedSeconds * 1000;

/**
 * Is a rollback under way for which somebody asked since? One that nobody asked for yields to the fire exit.
 */
export const isOverruled = (
  rollout: { readonly phase: string; readonly trigger?: string; readonly initiatedAt?: number },
  fellBackAt: number,
): boolean =>
  rollout.phase === 'rolling-back' &&
  (rollout.trigger === 'operator' || rollout.trigger === 'migration' || rollout.trigger === 'superseded') &&
  (rollout.initiatedAt ?? 0) >= fellBackAt;

/** Did the stream not hear of it? The queue that was to tell it may have been down as well. */
export const isUnheardOf = (state: ServiceState, fellBackAt: number): boolean =>
  concernsRollout(state, fellBackAt) && fellBackAt > knowsOf(state);
