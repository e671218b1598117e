/** A rollout that was taken back may be asked for once more, with a reason. */
import { describe, expect, it } from 'vitest';
import { evolve } from '../../../lib/core/rollout/evolve.ts';
import { retryOf } from '../../../lib/core/rollout/operator.ts';
import { initialState, type ServiceState } from '../../../lib/core/rollout/state.ts';
import { minutes, prepared, rollbackCompleted, rollbackInitiated, shifted, started } from './facts.ts';

const asked = { service: 'shop', by: 'ada', eventId: 'c4c1c1c9-6542-e61b-6ef0-8c4d36933a92' };

const time = minutes(5);
const takenBack: ServiceState = [
  started(),
  prepared(),
  rollbackInitiated(time),
  shifted(0, time + 1),
  rollbackCompleted(time + 2),
].reduce(evolve, initialState);

describe('a retry', () => {
  it('asks for the same revision under a new id, with the reason as its override', () => {
    const request = retryOf(takenBack, { ...asked, why: 'the cart service was down' });
    expect(request).toMatchObject({
      service: 'shop',
      revision: takenBack.knownBad[0],
      requestedBy: 'ada',
      knownBadOverride: 'the cart service was down',
    });
  });

  it('of the same event is the same rollout', () => {
    const twice = [1, 2].map(() => retryOf(takenBack, { ...asked, why: 'again' }));
    expect(twice[0]).toEqual(twice[1]);
  });

  it('without a reason is refused', () => {
    expect(retryOf(takenBack, { ...asked, why: ' ' })).toMatchObject({ reason: 'no-reason' });
  });

  it('of a rollout that was not taken back is refused', () => {
    expect(retryOf(initialState, { ...asked, why: 'x' })).toMatchObject({ reason: 'nothing-to-retry' });
  });
});
