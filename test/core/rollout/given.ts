/**
 * given(events).when(command).then(events | refused): decisions told as stories, with every event's shape
 * checked.
 */
import { expect } from 'vitest';
import { ServiceEvent } from '../../../events/service.ts';
import type { Decision } from '../../../lib/core/decision.ts';
import type { Command } from '../../../lib/core/rollout/commands.ts';
import { decide } from '../../../lib/core/rollout/decide.ts';
import { evolve } from '../../../lib/core/rollout/evolve.ts';
import { initialState, type Rollout, type ServiceState } from '../../../lib/core/rollout/state.ts';

/** The fields of an event that matter to a test; `type` always does. */
export type Like = { readonly type: ServiceEvent['type'] } & Readonly<Record<string, unknown>>;

export type Story = {
  readonly state: ServiceState;
  readonly rollout: () => Exclude<Rollout, { phase: 'none' }>;
  readonly when: (command: Command) => Outcome;
  /** More facts, as they stand in the stream. */
  readonly and: (...events: readonly ServiceEvent[]) => Story;
};

export type Outcome = Story & {
  readonly decision: Decision<ServiceEvent>;
  /** These events and no others, in this order; none: accepted, and nothing is to be recorded. */
  readonly then: (...expected: readonly Like[]) => Outcome;
  readonly refused: (reason: string) => Outcome;
};

export const given = (...events: readonly ServiceEvent[]): Story =>
  story(events.reduce(evolve, initialState));

function story(state: ServiceState): Story {
  return {
    state,
    rollout: () => {
      if (state.rollout.phase === 'none') throw new Error('there is no rollout in this story');
      return state.rollout;
    },
    and: (...events) => story(events.reduce(evolve, state)),
    when: (command) => outcomeOf(state, command),
  };
}

function outcomeOf(before: ServiceState, command: Command): Outcome {
  const decision = decide(before, command);
  const events = decision.outcome === 'accepted' ? decision.events : [];
  for (const event of events) expect(ServiceEvent.parse(event)).toEqual(event);
  const outcome: Outcome = {
    ...story(events.reduce(evolve, before)),
    decision,
    // biome-ignore lint/suspicious/noThenProperty: the word of the trade; nobody awaits a story
    then: (...expected) => {
      expect(decision).toMatchObject({ outcome: 'accepted' });
      expect(events).toMatchObject(expected);
      return outcome;
    },
    refused: (reason) => {
      expect(decision).toMatchObject({
        outcome: 'refused',
        reason,
        sentence: expect.stringMatching(/^.+\.$/),
      });
      return outcome;
    },
  };
  return outcome;
}
