import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ServiceEvent } from '../../../events/service.ts';
import { decide } from '../../../lib/core/rollout/decide.ts';
import { compare } from '../../../lib/core/rollout/drift.ts';
import { evolve, fold } from '../../../lib/core/rollout/evolve.ts';
import { nextAction } from '../../../lib/core/rollout/next.ts';
import { activeOf, desiredWeight, initialState, overrideAt } from '../../../lib/core/rollout/state.ts';
import { broken } from './checker.ts';
import { live, type Moment, type Move, moves } from './moves.ts';

const always = (holds: (moments: readonly Moment[]) => void, numRuns = 500): void =>
  fc.assert(
    fc.property(moves, (list) => holds(live(list))),
    { numRuns },
  );

it('many events folded at once are the same events folded one by one, and what was before stays as it was', () => {
  always((moments) => {
    const all = moments.flatMap(({ events }) => events);
    const half = fold(initialState, all.slice(0, all.length / 2));
    const copy = structuredClone(half);
    const after = all.slice(all.length / 2).reduce(evolve, half);
    expect(fold(initialState, all)).toEqual(after);
    expect(fold(half, all.slice(all.length / 2))).toEqual(after);
    expect(half).toEqual(copy);
  });
});

it('every command has an answer in every state, and every event its shape', () => {
  always((moments) => {
    for (const { events } of moments) {
      for (const event of events) expect(ServiceEvent.parse(event)).toEqual(event);
    }
  }, 200);
});

it('the stream, folded after a journey through JSON, is the state', () => {
  always((moments) => {
    const stored = JSON.parse(JSON.stringify(moments.flatMap(({ events }) => events)));
    const { after } = moments.at(-1) as Moment;
    expect(stored.reduce(evolve, initialState)).toEqual(after);
    expect(JSON.parse(JSON.stringify(after))).toEqual(after);
  });
});

/** These record by design, each time they are said: what came from outside, and what a person did. */
const recordsByDesign = new Set(['ReceiveAlarm', 'FailHealth', 'SetOverride', 'RecordFallBack']);

it('a command said twice adds nothing the second time', () => {
  always((moments) => {
    for (const { command, refused, after } of moments) {
      if (refused || recordsByDesign.has(command.type)) continue;
      const again = decide(after, command);
      expect(again.outcome === 'accepted' ? again.events : [], command.type).toEqual([]);
    }
  });
});

it('an alarm heard twice is recorded twice, and acted upon once', () => {
  always((moments) => {
    for (const { command, after } of moments) {
      if (command.type !== 'ReceiveAlarm') continue;
      expect(decide(after, command)).toMatchObject({ events: [{ type: 'AlarmReceived' }] });
    }
  });
});

it('a rollout never does what it must not, by its own events', () => {
  always((moments) => {
    expect(broken(moments.flatMap(({ events }) => events))).toBeNull();
  }, 2000);
});

it('once it is taken back nothing is wanted on the canary until the next rollout starts', () => {
  always((moments) => {
    let back = false;
    for (const { events, after } of moments) {
      for (const { type } of events) {
        if (type === 'RollbackInitiated') back = true;
        if (type === 'RolloutStarted') back = false;
      }
      if (back) expect(desiredWeight(after.rollout)).toBe(0);
    }
  });
});

it('at most one rollout holds the service', () => {
  always((moments) => {
    for (const { before, events } of moments) {
      if (events.some(({ type }) => type === 'RolloutStarted')) expect(activeOf(before)).toBeNull();
    }
  });
});

it('nobody rises by more than twenty points over what was last confirmed', () => {
  always((moments) => {
    for (const { before, events } of moments) {
      const { rollout } = before;
      if (rollout.phase === 'none' || (rollout.strategy !== 'canary' && rollout.strategy !== 'linear'))
        continue;
      for (const event of events) {
        if (event.type === 'ShiftOrdered') expect(event.weight - rollout.weight).toBeLessThanOrEqual(20);
      }
    }
  });
});

it('a revision that was rolled back runs again only with a reason', () => {
  always((moments) => {
    for (const { before, events } of moments) {
      for (const event of events) {
        if (event.type !== 'RolloutStarted' || !before.knownBad.includes(event.revision)) continue;
        expect(event.knownBadOverride).toBeDefined();
      }
    }
  });
});

it('while an override holds nothing automatic judges the canary away', () => {
  always((moments) => {
    for (const { before, command, events } of moments) {
      if (overrideAt(before, command.now) === null) continue;
      for (const event of events) {
        if (event.type !== 'RollbackInitiated' || event.fromWeight === 0) continue;
        expect(['operator', 'superseded', 'outage']).toContain(event.trigger);
      }
    }
  });
});

it('a canary is promoted over a broken stable only if it passed and has the greater part', () => {
  always((moments) => {
    for (const { before, events } of moments) {
      const kept = events.some(
        (event) => event.type === 'PromotionOrdered' && event.mode === 'stable-broken',
      );
      if (kept) expect(before.rollout).toMatchObject({ phase: 'baking', lastVerdict: 'pass' });
    }
  }, 2000);
});

it('the next step is known in every state, and no look comes at once', () => {
  always((moments) => {
    for (const { after, command } of moments) {
      const rolloutId = after.rollout.phase === 'none' ? 'ro' : after.rollout.rolloutId;
      const timing = { evaluateSeconds: 60, scaleDownDelaySeconds: 30, shiftTimeoutSeconds: 60 };
      const { next, waitSeconds } = nextAction(after, { ...timing, rolloutId, now: command.now });
      const looks = next === 'EvaluateCanary' || next === 'AwaitApproval';
      expect(Number.isInteger(waitSeconds) && waitSeconds >= (looks ? 1 : 0), `${next} ${waitSeconds}`).toBe(
        true,
      );
    }
  });
});

it('a balancer that shows what is wanted is never called drift, one that shows more never less', () => {
  always((moments) => {
    for (const { after } of moments) {
      const { rollout } = after;
      const wanted = desiredWeight(rollout);
      if (rollout.phase === 'none' || wanted === null) continue;
      const green = (weight: number) => (rollout.canarySlot === 'green' ? weight : 100 - weight);
      const seen = (weight: number) => compare(rollout, { kind: 'weights', greenWeight: green(weight) }).kind;
      expect(seen(wanted)).toBe('as-decided');
      if (wanted < 99) expect(seen(wanted + 1)).toBe('more');
    }
  });
});

it('left alone with people who answer, every rollout ends', () => {
  const rest: readonly Move[] = Array.from({ length: 150 }, () => ({
    ...{ drives: true, what: 0, how: 0, seconds: 1800 },
  }));
  fc.assert(
    fc.property(moves, (list) => {
      const ended = live([...list, ...rest])
        .slice(list.length)
        .some(({ before: { rollout } }) => {
          return rollout.phase === 'rolled-back' || (rollout.phase === 'promoted' && rollout.completed);
        });
      expect(ended).toBe(true);
    }),
    { numRuns: 300 },
  );
});

it('lives get far: they end in every way, and go back from every phase', () => {
  const met = new Set<string>();
  fc.assert(
    fc.property(moves, (list) => {
      for (const { before, events, after } of live(list)) {
        met.add(after.rollout.phase);
        for (const event of events) {
          met.add(event.type);
          if (event.type === 'RollbackInitiated') met.add(`back from ${before.rollout.phase}`);
          if (event.type === 'PromotionOrdered') met.add(`promotion ${event.mode}`);
          if (event.type === 'RolloutHeld') met.add(`held: ${event.reason}`);
        }
      }
    }),
    { numRuns: 4000, seed: 20261121 },
  );
  const phases = [
    'preparing',
    'shifting',
    'baking',
    'awaiting-approval',
    'paused',
    'held',
    'promoting',
    'promoted',
  ];
  expect([...met]).toEqual(
    expect.arrayContaining([
      ...ServiceEvent.def.options.map((option) => option.def.shape.type.def.values[0]),
      ...phases.map((phase) => `back from ${phase}`),
      ...['promotion earned', 'promotion full', 'promotion stable-broken'],
      ...['held: cannot-go-back', 'held: flapping', 'held: drift', 'held: both-sides-suffer'],
    ]),
  );
});
