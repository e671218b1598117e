import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  fallBackIn,
  fallBackText,
  knowsText,
  overrideIn,
  overrideText,
  stableIn,
} from '../../../lib/aws/marks.ts';
import { concernsRollout, isUnheardOf, knowsOf, stableSideBy } from '../../../lib/core/fallback/mark.ts';
import { initialState, type ServiceState } from '../../../lib/core/rollout/state.ts';
import { at, started } from '../rollout/facts.ts';
import { given } from '../rollout/given.ts';

const slots = fc.constantFrom('blue', 'green', null);

describe('a mark', () => {
  it('says who fell back, why and when, in what a tag can hold', () => {
    const who = { at: 1_795_260_577_582, id: '8f0c-1', by: 'ada@shop.example', why: 'carts are lost' };
    const mark = { ...who, slot: 'blue' } as const;
    expect(fallBackText(mark)).toBe('1795260577582 8f0c-1 to blue by ada@shop.example: carts are lost');
    expect(fallBackIn(fallBackText(mark))).toEqual(mark);
    expect(fallBackIn('1795260577582 8f0c-1 ada@shop.example: carts are lost')).toEqual({
      ...who,
      slot: null,
    });
  });

  it('is a tag that Elastic Load Balancing takes, whatever somebody says, and is read again', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.string({ unit: 'binary', maxLength: 600 }),
        slots,
        (by, why, slot) => {
          const text = fallBackText({ at: 1_795_260_577_582, id: 'id-1', by: by.slice(0, 100), why, slot });
          expect(text).toMatch(/^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,256}$/u);
          expect(fallBackIn(text)).toMatchObject({ at: 1_795_260_577_582, id: 'id-1', slot });
        },
      ),
      { numRuns: 40 },
    );
  });

  it('of an override says who, why and until when', () => {
    const mark = { by: 'ada', why: 'load test 50 users', until: 1_795_260_577_582 };
    expect(overrideIn(overrideText(mark))).toEqual(mark);
    expect(overrideIn('ada until noon')).toBeNull();
  });

  it.each(['', 'blue', 'yesterday: ada', '17 ada', '99999999999999999 x ada: y'])(
    'is not what somebody else wrote: %j',
    (text) => expect(fallBackIn(text)).toBeNull(),
  );
});

describe('the side that is stable by the marks', () => {
  const pulled = (at: number, slot: 'blue' | null = 'blue') => ({
    at,
    slot,
    id: 'id-1',
    by: 'ada',
    why: 'dark',
  });
  const marked = (knows: number | null) => ({ slot: 'green', knows }) as const;

  it.each([
    ['the one that was marked', marked(at(0)), null, 'green'],
    [
      'where the fire exit went, of which whoever marked it did not know',
      marked(at(9)),
      pulled(at(10)),
      'blue',
    ],
    ['the one that was marked by whoever knew of it', marked(at(10)), pulled(at(10)), 'green'],
    ['the one that was marked when it was long over', marked(at(100_000)), pulled(at(10)), 'green'],
    [
      'the one that was marked, where the fire exit went elsewhere',
      marked(at(9)),
      pulled(at(10), null),
      'green',
    ],
    ['what a version before, or a person, wrote there', marked(null), pulled(at(10)), 'green'],
    ['none where nobody marked one', null, null, null],
  ] as const)('is %s', (_, stable, fellBack, side) => expect(stableSideBy(stable, fellBack)).toBe(side));

  it('is read from two tags that were written together', () => {
    expect(stableIn('green', knowsText({ slot: 'green', knows: 17.4 }))).toEqual({
      slot: 'green',
      knows: 17,
    });
    expect(stableIn('blue', 'green 17')).toEqual({ slot: 'blue', knows: null });
    expect(stableIn('blue', '')).toEqual({ slot: 'blue', knows: null });
    expect(stableIn('blue', 'blue soon')).toEqual({ slot: 'blue', knows: null });
    expect(stableIn('', 'blue 17')).toBeNull();
    expect(stableIn('yellow', 'yellow 17')).toBeNull();
  });

  it('is no longer where the fire exit went once another rollout has begun, whether it was told or not', () => {
    const { state } = given(started());
    expect(stableSideBy(marked(knowsOf(state)), pulled(at(-61)))).toBe('green');
    expect(stableSideBy(marked(knowsOf(state)), pulled(at(-59)))).toBe('blue');
    expect(stableSideBy(marked(knowsOf({ ...state, fellBackAt: at(-59) })), pulled(at(-59)))).toBe('green');
  });
});

describe('a fall-back concerns a rollout', () => {
  const { state } = given(started());

  it.each([
    ['that was under way', at(300), true],
    ['that began while it asserted its place', at(-30), true],
    ['and none that began later', at(-61), false],
  ])('%s', (_, fellBackAt, concerns) => {
    expect(concernsRollout(state, fellBackAt)).toBe(concerns);
  });

  it('and nobody where there is none', () => {
    expect(concernsRollout(initialState, at(0))).toBe(false);
  });

  it('as news until the stream has heard of it, or of a later one', () => {
    const heard = (fellBackAt: number): ServiceState => ({ ...state, fellBackAt });
    expect(isUnheardOf(state, at(300))).toBe(true);
    expect(isUnheardOf(heard(at(299)), at(300))).toBe(true);
    expect(isUnheardOf(heard(at(300)), at(300))).toBe(false);
    expect(isUnheardOf(heard(at(400)), at(300))).toBe(false);
  });

  it('and is recorded once: the queue tells it, and the mark', () => {
    const record = {
      type: 'RecordFallBack',
      by: 'ada',
      why: 'dark',
      to: 'ecs-alb/blue',
      slot: 'blue',
    } as const;
    given(started())
      .when({ ...record, now: at(9) })
      .then({ type: 'FellBack' }, { type: 'RolloutHeld', reason: 'drift' })
      .when({ ...record, slot: null, now: at(9) })
      .then()
      .when({ ...record, now: at(20) })
      .then({ type: 'FellBack' });
  });

  it('and one that is recorded after a later one does not make that one news again', () => {
    const fellBack = { type: 'FellBack', by: 'ada', why: 'dark', to: 'ecs-alb/blue' } as const;
    const { state: after } = given(started(), { ...fellBack, at: at(20) }, { ...fellBack, at: at(9) });
    expect(isUnheardOf(after, at(20))).toBe(false);
  });

  it('that began after it was over: it is written down, and nobody is held', () => {
    given(started())
      .when({ type: 'RecordFallBack', by: 'ada', why: 'dark', to: 'x', slot: 'blue', now: at(-3600) })
      .then({ type: 'FellBack', at: at(-3600) });
  });
});
