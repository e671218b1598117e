/** The fire exit step by step, on a clock that only its own pauses move. */
import { describe, expect, it } from 'vitest';
import type { Slot, Target } from '../../events/target.ts';
import type { FallBackMark } from '../../lib/core/fallback/mark.ts';
import type { FallBackService } from '../../lib/core/fallback/place.ts';
import { WorldUnavailable } from '../../lib/core/outage.ts';
import { type FellBack, fallBack } from '../../lib/flows/fallBack.ts';
import { targetOf } from '../../lib/sim/places.ts';

const name: Target = {
  ...{ kind: 'dns', hostedZoneId: 'Z1', name: 'www.shop.example', recordType: 'CNAME' },
  ...{ setIdentifiers: { blue: 'old', green: 'new' }, ttlSeconds: 90 },
};

const service = (of: Partial<FallBackService> & Pick<FallBackService, 'service'>): FallBackService => ({
  ...{ target: targetOf(of.service), dependsOn: [], shiftTimeoutSeconds: 60 },
  fallback: { target: null, slot: null, healthUrl: null, scaleDown: true },
  ...of,
});

/** A world with a call of each kind written down; `trouble` makes one fail, or does something beside it. */
function open(
  trouble: (call: string, atSeconds: number) => void = () => {},
  noted: (atSeconds: number) => FallBackMark | null = () => null,
) {
  let now = 0;
  const calls: string[] = [];
  const weights = new Map<Target, number>();
  const tasks = new Map<Slot, number>();
  const done = async <T>(call: string, answer: T): Promise<T> => {
    calls.push(call);
    trouble(call, now / 1000);
    return answer;
  };
  const nameOf = (target: Target) => (target.kind === 'ecs-alb' ? target.services.blue.slice(0, -5) : 'dns');
  const world = {
    clock: { now: () => now },
    pause: async (ms: number) => {
      now += ms;
    },
    log: { write: () => undefined },
    traffic: {
      read: (target: Target) =>
        done(`read ${nameOf(target)}`, {
          ...({ kind: 'weights', greenWeight: weights.get(target) ?? 0 } as const),
        }),
      shift: async (target: Target, slot: Slot, weight: number) => {
        await done(`shift ${nameOf(target)}`, null);
        weights.set(target, slot === 'green' ? weight : 100 - weight);
      },
      stableMark: (target: Target) => done(`mark of ${nameOf(target)}`, 'blue' as const),
      markStable: async () => undefined,
      markFallBack: (target: Target) => done(`note on ${nameOf(target)}`, undefined),
      fallBackMark: async () => noted(now / 1000),
      markOverride: async () => undefined,
      overrideMark: async () => null,
    },
    workload: {
      scale: (_: Target, slot: Slot, count: number) => {
        tasks.set(slot, count);
        return done(`scale ${slot}`, undefined);
      },
      read: (_: Target, slot: Slot) =>
        done(`tasks of ${slot}`, { desired: tasks.get(slot) ?? 3, running: tasks.get(slot) ?? 3 }),
    },
    health: { check: (url: string) => done(`health ${url}`, { ok: true, what: '200' }) },
    intents: { send: ({ stream }: { readonly stream: string }) => done(`record ${stream}`, undefined) },
  };
  const run = async (services: readonly FallBackService[]) => {
    const request = { service: null, why: 'dark', by: 'ada', dryRun: false, slot: null };
    const answer = await fallBack(world, request, services, 'call-1');
    if (answer.outcome === 'refused') throw new Error(answer.sentence);
    return { ...answer, seconds: now / 1000 } satisfies FellBack & { readonly seconds: number };
  };
  return { run, calls, weights, tasks };
}

const shop = service({ service: 'shop' });
const agent = service({ service: 'agent', dependsOn: ['shop'], shiftTimeoutSeconds: 20 });

describe('the fire exit', () => {
  it('asks all marks at once, moves who depends on others first, and everything else comes afterwards', async () => {
    const { run, calls } = open();
    expect(await run([shop, agent])).toMatchObject({ outcome: 'fell-back', recorded: 'intent-queue' });
    expect(calls.slice(0, 8)).toEqual([
      ...['mark of agent', 'mark of shop', 'shift agent', 'shift shop'],
      ...['note on agent', 'record service/agent', 'note on shop', 'record service/shop'],
    ]);
  });

  it('asserts its place for the longest shift timeout, and scales down only then', async () => {
    let scaledAt = 0;
    const { run } = open((call, atSeconds) => {
      if (call.startsWith('scale')) scaledAt = Math.max(scaledAt, atSeconds);
    });
    expect((await run([shop, agent])).seconds).toBe(60);
    expect(scaledAt).toBe(60);
  });

  it('moves it back when somebody moved it meanwhile', async () => {
    const { run, weights } = open((call, atSeconds) => {
      if (call === 'read shop' && atSeconds === 30) weights.set(shop.target, 50);
    });
    const { steps, outcome } = await run([shop]);
    expect(steps.map(({ what }) => what)).toContain('somebody moved the traffic meanwhile: moved back');
    expect(outcome).toBe('fell-back');
    expect(weights.get(shop.target)).toBe(0);
  });

  // A rollback was under way that went the other way: both sides ended at 0 (seeds 30032031, 30033006).
  it('gives the side that failed its tasks again when somebody sent traffic there meanwhile', async () => {
    const { run, weights, tasks } = open((call) => {
      if (call === 'scale green' && weights.get(shop.target) === 0) weights.set(shop.target, 100);
    });
    const { steps, outcome } = await run([shop]);
    expect(outcome).toBe('incomplete');
    expect(steps.at(-1)).toMatchObject({ what: expect.stringContaining('it has its 3 tasks'), ok: false });
    expect(tasks.get('green')).toBe(3);
  });

  it('leaves the side that failed as it is where the other one runs nothing', async () => {
    const { run, tasks, calls } = open();
    tasks.set('blue', 0);
    const { steps, outcome } = await run([shop]);
    expect(outcome).toBe('incomplete');
    expect(steps.at(-1)).toMatchObject({ what: expect.stringContaining('runs no task'), ok: false });
    expect(calls).not.toContain('scale green');
  });

  it('to a name waits until no resolver remembers the other side before that is scaled down', async () => {
    const elsewhere = {
      target: name,
      slot: 'blue',
      healthUrl: 'http://old/health',
      scaleDown: true,
    } as const;
    const { run, calls } = open();
    const { steps } = await run([service({ service: 'shop', shiftTimeoutSeconds: 2, fallback: elsewhere })]);
    expect(steps.filter(({ what }) => what.includes('scaled to 0'))).toMatchObject([
      { what: 'blue and green scaled to 0', atMs: 90_000 },
    ]);
    expect(calls.slice(0, 3)).toEqual(['shift dns', 'note on shop', 'record service/shop']);
    expect(calls.slice(-3)).toEqual(['health http://old/health', 'scale blue', 'scale green']);
  });

  it('goes on with the others where one cannot be moved, and says which', async () => {
    const { run } = open((call) => {
      if (call === 'shift agent') throw new WorldUnavailable('no answer');
    });
    const { outcome, steps } = await run([shop, agent]);
    expect(outcome).toBe('fell-back'); // a read shows it at its place all the same
    expect(steps.filter(({ ok }) => !ok)).toMatchObject([
      { service: 'agent', what: expect.stringContaining('no answer') },
    ]);
    expect(steps.map(({ what, service: of }) => `${of}: ${what}`)).toContain(
      'shop: all traffic to blue (ecs-alb)',
    );
  });

  it('leaves it to whoever took it since to the other side, and scales nothing down', async () => {
    const other = { id: 'call-2', by: 'bob', why: 'the other way', slot: 'green' } as const;
    const { run, weights, calls } = open(
      (call, atSeconds) => {
        if (call === 'read shop' && atSeconds === 30) weights.set(shop.target, 100);
      },
      // Their clock is two seconds behind.
      (atSeconds) => (atSeconds < 30 ? null : { ...other, at: -2000 }),
    );
    const { steps, outcome } = await run([shop]);
    expect(outcome).toBe('incomplete');
    expect(steps.at(-1)).toMatchObject({
      ...{ what: 'bob took the fire exit since (the other way): left to them', atMs: 32_000, ok: false },
    });
    expect(weights.get(shop.target)).toBe(100);
    expect(calls.filter((call) => call.startsWith('scale'))).toEqual([]);
  });

  it('notes itself on the target again until it stands there', async () => {
    const { run, calls } = open((call, atSeconds) => {
      if (/^note/.test(call) && atSeconds < 10) throw new WorldUnavailable('no answer');
    });
    const { steps, outcome } = await run([shop]);
    expect(outcome).toBe('fell-back');
    expect(steps.map(({ what, atMs }) => [atMs, what]).slice(1, 3)).toEqual([
      [0, 'not noted on the target: no answer'],
      [10_000, 'noted on the target after all'],
    ]);
    expect(calls.filter((call) => call === 'note on shop')).toHaveLength(6);
  });

  it('is its own record where neither the queue nor the target takes one', async () => {
    const { run } = open((call) => {
      if (/^(?:record|note)/.test(call)) throw new WorldUnavailable('no answer');
    });
    const { outcome, recorded, steps } = await run([shop]);
    expect({ outcome, recorded }).toEqual({ outcome: 'fell-back', recorded: 'answer' });
    expect(steps.map(({ what }) => what)).toEqual([
      'all traffic to blue (ecs-alb)',
      'not noted on the target: no answer',
      'not recorded beside this answer and the log: no answer',
      'a read shows all traffic at blue',
      'green scaled to 0',
    ]);
  });
});
