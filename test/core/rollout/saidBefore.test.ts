/** What a person said may come late: then it is not said of another rollout, and lasts no longer. */
import { describe, expect, it } from 'vitest';
import { parseOperationRequest } from '../../../events/request.ts';
import type { ServiceEvent } from '../../../events/service.ts';
import type { Command } from '../../../lib/core/rollout/commands.ts';
import { evolve } from '../../../lib/core/rollout/evolve.ts';
import { initialState, stateSchema } from '../../../lib/core/rollout/state.ts';
import { operate } from '../../../lib/flows/operate.ts';
import { SimEventStore } from '../../../lib/sim/eventStore.ts';
import { sample } from '../events/payloads.ts';
import { at, baking, minutes, settings, started, t0 } from './facts.ts';
import { given } from './given.ts';

const now = minutes(90);
const by = 'ada';
const words: readonly Command[] = [
  { type: 'Pause', by, why: 'lunch', now },
  { type: 'Resume', by, now },
  { type: 'Approve', by, now },
  { type: 'Promote', by, now },
  { type: 'PromoteFully', by, now },
  { type: 'RollBack', trigger: 'operator', reason: 'aborted', by, now },
];

describe('a word that comes late', () => {
  it.each(words.map((word) => [word.type, word] as const))(
    'is not said of a later rollout: %s',
    (_, word) => {
      given(...baking(1))
        .when({ ...word, saidAt: t0 - 4000 })
        .refused('said-before');
    },
  );

  it('of this rollout is heard, whenever it comes; and within the second in which it began', () => {
    for (const saidAt of [at(60), t0 - 3000])
      given(...baking(1))
        .when({ type: 'Pause', by, why: 'lunch', now, saidAt })
        .then({ type: 'RolloutPaused' });
  });

  it('has its time from EventBridge, to the second, or none', () => {
    const event = sample('OperationRequest');
    const saidAt = Date.parse(event.time as string);
    expect(parseOperationRequest(event)).toMatchObject({ value: { saidAt } });
    for (const time of [undefined, 'soon']) {
      const read = parseOperationRequest({ ...event, time });
      expect(read.ok && 'saidAt' in read.value).toBe(false);
    }
  });
});

/** A rollout that bakes, in a store; a balancer that shows what was decided. */
async function world() {
  const store = new SimEventStore();
  const clock = { ms: minutes(5), now: () => clock.ms };
  const stream = `service/${settings.service}`;
  let commands = 0;
  let state = initialState;
  const append = async (...events: readonly ServiceEvent[]) => {
    const { version } = await store.head(stream);
    state = events.reduce(evolve, state);
    await store.append(stream, {
      ...{ expected: version, events, commandId: `c-${++commands}`, correlationId: 'c', actor: 'test' },
      ...{ snapshot: { schema: stateSchema, state }, active: true },
    });
  };
  const weight = () => story().then((rollout) => rollout.weight);
  const story = async () => given(...(await history()).map(({ event }) => event as ServiceEvent)).rollout();
  const history = () => Array.fromAsync(store.read(stream));
  const ports = {
    ...{ clock, store, log: { write: () => undefined } },
    traffic: {
      read: async () => ({ kind: 'weights', greenWeight: await weight() }),
      markOverride: async () => undefined,
      fallBackMark: async () => null,
    },
    tokens: { find: async () => null },
  } as unknown as Parameters<typeof operate>[0];
  const say = (operation: 'pause' | 'resume' | 'override', saidAt: number, id: string = operation) => {
    const until = operation === 'override' ? { untilMinutes: 10 } : {};
    return operate(
      ports,
      { service: settings.service, operation, by, why: 'why', saidAt, ...until },
      { settings, services: [settings] },
      id,
    );
  };
  /** What was said meanwhile is in what is appended next. */
  const follow = async () => {
    state = (await store.head(stream)).snapshot?.state as typeof state;
  };
  return { append, history, story, say, clock, follow };
}

describe('an operation', () => {
  it('told again after more commands than the store knows is not done again', async () => {
    const { append, history, story, say, clock, follow } = await world();
    for (const event of baking(0)) await append(event);
    const saidAt = clock.ms;
    await say('pause', saidAt);
    await say('resume', saidAt + 1000);
    await follow();
    for (let nth = 0; nth < 20; nth++)
      await append({ type: 'OverrideLifted', at: clock.ms, by: `somebody ${nth}` });
    clock.ms = saidAt + 90_000;
    const before = (await history()).length;
    expect(await say('pause', saidAt)).toMatchObject({ outcome: 'done', phase: 'baking' });
    expect(await history()).toHaveLength(before);
    expect((await story()).phase).toBe('baking');
    expect(await say('pause', saidAt, 'another')).toMatchObject({ outcome: 'done', phase: 'paused' });
  });

  it('that suspends rollbacks does so from when it was said, and no longer where it is told again', async () => {
    const { append, say, clock } = await world();
    await append(started());
    const saidAt = clock.ms;
    clock.ms = saidAt + 60_000;
    const first = await say('override', saidAt);
    expect(first).toMatchObject({ override: { until: saidAt + 600_000 } });
    clock.ms = saidAt + 120_000;
    expect(await say('override', saidAt, 'the same, sent again')).toEqual(first);
    clock.ms = saidAt + 660_000;
    expect(await say('override', saidAt, 'much later')).toMatchObject({ reason: 'expired' });
  });
});
