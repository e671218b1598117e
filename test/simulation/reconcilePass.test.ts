/** More services under way than one pass of reconcile comes to. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { turnOrder } from '../../lib/core/rollout/turnOrder.ts';
import { reconcile } from '../../lib/flows/reconcile.ts';

type World = Parameters<typeof reconcile>[0];

/** A store that takes its time, and knows nothing of the services but that they are under way. */
function slowWorld(services: number, readMs: number) {
  let now = 1_800_000_000_000;
  const met: string[] = [];
  const lines: unknown[] = [];
  const store = {
    async *active() {
      for (let number = 0; number < services; number++) yield `service/s${number}`;
    },
    head: async (stream: string) => {
      now += readMs;
      met.push(stream);
      return { stream, version: 0, snapshot: null, tail: [] };
    },
  };
  const world = {
    clock: { now: () => now },
    store,
    log: { write: (line: unknown) => void lines.push(line) },
  };
  const minute = () => {
    now = (Math.floor(now / 60_000) + 1) * 60_000;
  };
  return { world: world as unknown as World, met, lines, minute };
}

describe('a pass over more services than it comes to', () => {
  it('ends in time, says how many are left, and the next ones meet them', async () => {
    const { world, met, lines, minute } = slowWorld(100, 1000);
    for (let pass = 0; pass < 6; pass++) {
      const before = met.length;
      const done = await reconcile(world, 'c1');
      expect(done).toHaveLength(met.length - before);
      expect(done).toHaveLength(35);
      expect(lines.at(-1)).toEqual({ message: 'left for the next minute', left: 65, correlationId: 'c1' });
      minute();
    }
    expect(new Set(met).size).toBe(100);
  });

  it('meets everybody once, and says nothing, where there is time', async () => {
    const { world, met, lines } = slowWorld(30, 1000);
    await reconcile(world, 'c1');
    expect(met.toSorted()).toEqual([...new Set(met)].toSorted());
    expect(met).toHaveLength(30);
    expect(lines).toEqual([]);
  });

  it('leaves nobody out for more than three times as many passes as it would take in a row', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 400 }),
        fc.integer({ min: 1, max: 400 }),
        fc.nat(1e8),
        (all, met, first) => {
          const services = Array.from({ length: all }, (_, number) => number);
          const seen = new Set<number>();
          for (let pass = 0; pass < 3 * Math.ceil(all / met); pass++) {
            for (const service of turnOrder(services, first + pass).slice(0, met)) seen.add(service);
          }
          expect(seen.size).toBe(all);
        },
      ),
    );
  });
});
