import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { batchQueue, type Queued } from '../../../lib/core/bridge/batchQueue.ts';
import { Circuit } from '../../../lib/core/bridge/circuit.ts';
import { backoffMs, failureKind } from '../../../lib/core/bridge/failure.ts';
import { Ledger } from '../../../lib/core/bridge/ledger.ts';
import { Pace } from '../../../lib/core/bridge/pace.ts';
import { Watermark } from '../../../lib/core/bridge/watermark.ts';

type Item = Queued & { readonly id: number };
const limits = { max: 10, bytes: 1000, lingerMs: 5 };
const item = (id: number, lane = '', bytes = 10, queuedAtMs = 0): Item => ({ id, lane, bytes, queuedAtMs });
const ids = (batch: readonly Item[] | null) => batch?.map(({ id }) => id) ?? null;

describe('a batch', () => {
  it('is due when it is full by count, by bytes, or when its oldest entry has lingered', () => {
    const queue = batchQueue<Item>('none', limits);
    expect(queue.take(0, true)).toBeNull();
    queue.push(item(1));
    expect(queue.take(4, false)).toBeNull();
    expect(queue.dueAtMs()).toBe(5);
    expect(ids(queue.take(5, false))).toEqual([1]);
    for (let id = 0; id < 12; id++) queue.push(item(id));
    expect(ids(queue.take(0, false))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(queue.take(0, false)).toBeNull();
    expect(ids(queue.take(0, true))).toEqual([10, 11]);
    for (let id = 0; id < 3; id++) queue.push(item(id, '', 400));
    expect(ids(queue.take(0, false))).toEqual([0, 1]);
    expect(queue.dueAtMs()).toBe(5);
  });

  it('holds a single entry that alone is larger than the limit', () => {
    for (const order of ['none', 'strict', 'batch'] as const) {
      const queue = batchQueue<Item>(order, limits);
      queue.push(item(1, 'a', 5000));
      queue.push(item(2, 'b', 10));
      expect(ids(queue.take(5, false))).toEqual([1]);
    }
  });

  it('of a strict target holds one entry per lane, and a lane waits for what is under way', () => {
    const queue = batchQueue<Item>('strict', limits);
    for (const [id, lane] of [
      [1, 'a'],
      [2, 'a'],
      [3, 'b'],
      [4, 'a'],
    ] as const)
      queue.push(item(id, lane));
    const first = queue.take(5, false) as Item[];
    expect(ids(first)).toEqual([1, 3]);
    expect(queue.take(5, true)).toBeNull();
    queue.release(first, 5);
    const second = queue.take(5, true) as Item[];
    expect(ids(second)).toEqual([2]);
    queue.release(second, 5);
    expect(ids(queue.take(5, true))).toEqual([4]);
  });

  it('with order: batch holds several of a lane in their order', () => {
    const queue = batchQueue<Item>('batch', limits);
    for (const [id, lane] of [
      [1, 'a'],
      [2, 'b'],
      [3, 'a'],
      [4, 'a'],
    ] as const)
      queue.push(item(id, lane));
    expect(ids(queue.take(5, false))).toEqual([1, 3, 4, 2]);
  });

  it.each(['none', 'strict', 'batch'] as const)(
    'never loses, doubles, overfills or overtakes, whatever the order of pushes and answers (%s)',
    (order) => {
      const step = fc.oneof(
        fc.record({ lane: fc.constantFrom('a', 'b', 'c', 'd'), bytes: fc.integer({ min: 1, max: 600 }) }),
        fc.constant('take' as const),
        fc.constant('answer' as const),
      );
      fc.assert(
        fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
          const queue = batchQueue<Item>(order, limits);
          const underWay: Item[][] = [];
          const done: Item[] = [];
          let pushed = 0;
          const take = () => {
            const batch = queue.take(0, true);
            if (batch === null) return false;
            expect(batch.length).toBeLessThanOrEqual(limits.max);
            const bytes = batch.reduce((sum, { bytes: b }) => sum + b, 0);
            if (batch.length > 1) expect(bytes).toBeLessThanOrEqual(limits.bytes);
            if (order === 'strict') expect(new Set(batch.map((i) => i.lane)).size).toBe(batch.length);
            underWay.push(batch);
            return true;
          };
          const answer = () => {
            const batch = underWay.shift();
            if (batch === undefined) return false;
            done.push(...batch);
            queue.release(batch, 0);
            return true;
          };
          for (const s of steps) {
            if (s === 'take') take();
            else if (s === 'answer') answer();
            else queue.push(item(pushed++, s.lane, s.bytes));
          }
          while (take() || answer());
          expect(queue.size).toBe(0);
          expect(done.map(({ id }) => id).sort((a, b) => a - b)).toEqual(
            Array.from({ length: pushed }, (_, i) => i),
          );
          if (order === 'none') return;
          for (const lane of ['a', 'b', 'c', 'd']) {
            const inLane = done.filter((i) => i.lane === lane).map(({ id }) => id);
            expect(inLane).toEqual([...inLane].sort((a, b) => a - b));
          }
        }),
        { numRuns: 300 },
      );
    },
  );

  it('that is cleared gives back what is not under way', () => {
    const queue = batchQueue<Item>('strict', limits);
    for (const id of [1, 2, 3]) queue.push(item(id, id === 3 ? 'b' : 'a'));
    const batch = queue.take(5, true) as Item[];
    expect(ids(batch)).toEqual([1, 3]);
    expect(ids(queue.clear())).toEqual([2]);
    queue.release(batch, 0);
    expect(queue.take(5, true)).toBeNull();
  });
});

describe('the watermark', () => {
  it('moves only over a contiguous run of settled messages', () => {
    const watermark = new Watermark<null>();
    for (const sequence of [3, 5, 9]) watermark.open(sequence, null);
    expect(watermark.settle(5)).toBe(false);
    expect(watermark.floor).toBe(0);
    expect(watermark.settle(3)).toBe(true);
    expect(watermark.floor).toBe(5);
    watermark.open(7, null);
    expect(watermark.settle(9)).toBe(false);
    expect(watermark.settle(7)).toBe(true);
    expect(watermark.floor).toBe(9);
  });

  it('is never above an open message, for any order of deliveries and settlements', () => {
    const order = fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(order, fc.infiniteStream(fc.boolean()), (arrivals, coin) => {
        const watermark = new Watermark<null>();
        const open = new Set<number>();
        const settleSome = () => {
          for (const sequence of [...open]) {
            if (coin.next().value === true) {
              open.delete(sequence);
              watermark.settle(sequence);
            }
          }
          const lowest = Math.min(...open);
          return open.size === 0 || watermark.floor < lowest;
        };
        for (const sequence of arrivals) {
          if (sequence <= watermark.floor) continue;
          watermark.open(sequence, null);
          open.add(sequence);
          if (!settleSome()) return false;
        }
        return true;
      }),
    );
  });
});

describe('the ledger', () => {
  it('knows a new delivery from one under way and from one whose acknowledgement was lost', () => {
    const ledger = new Ledger<string>();
    expect(ledger.arrive(10, 1, 'a')).toBe('new');
    expect(ledger.arrive(10, 2, 'a')).toBe('open');
    ledger.settle(10);
    expect(ledger.arrive(10, 3, 'a')).toBe('settled');
    expect(ledger.openCount).toBe(0);
    expect(ledger.hasGap).toBe(false);
  });

  it('notices deliveries that never came, and forgets the gap when counts agree', () => {
    const ledger = new Ledger<string>();
    ledger.arrive(10, 7, 'first seen: any number is right');
    expect(ledger.hasGap).toBe(false);
    ledger.arrive(14, 9, 'eight is missing');
    expect(ledger.hasGap).toBe(true);
    ledger.reconciled();
    expect(ledger.hasGap).toBe(false);
    ledger.suspect();
    expect(ledger.hasGap).toBe(true);
  });

  it('remembers at least 32 768 settled messages, and not all of them', () => {
    const ledger = new Ledger<number>();
    for (let sequence = 1; sequence <= 100_000; sequence++) {
      ledger.arrive(sequence, sequence, sequence);
      ledger.settle(sequence);
    }
    expect(ledger.arrive(100_000 - 32_767, 1, 0)).toBe('settled');
    expect(ledger.arrive(1, 2, 0)).toBe('new');
  });

  it('takes a message that was given back as new', () => {
    const ledger = new Ledger<string>();
    ledger.arrive(1, 1, 'a');
    ledger.forget(1);
    expect(ledger.arrive(1, 2, 'a')).toBe('new');
  });
});

describe('the pace', () => {
  /** Requests admitted in a stretch of simulated time, when the target always has more to send. */
  function admitted(pace: Pace, fromMs: number, forMs: number): number {
    let count = 0;
    for (let now = fromMs; now < fromMs + forMs; ) {
      const wait = pace.take(now);
      now += wait;
      if (now < fromMs + forMs) count++;
      if (wait === 0 && pace.ratePerSec === Number.POSITIVE_INFINITY) now += 1;
    }
    return count;
  }

  it('keeps a configured rate', () => {
    const sent = admitted(new Pace(50, 0), 0, 20_000);
    expect(sent).toBeGreaterThan(990);
    expect(sent).toBeLessThan(1_010);
  });

  it('has no limit until the target throttles, then starts below what it took', () => {
    const pace = new Pace(null, 0);
    expect(admitted(pace, 0, 2_000)).toBe(2_000);
    pace.throttled(2_000);
    expect(pace.ratePerSec).toBeGreaterThan(500);
    expect(pace.ratePerSec).toBeLessThan(750);
  });

  it('gives way once per burst of refusals, and comes back by itself', () => {
    const pace = new Pace(100, 0);
    for (let i = 0; i < 20; i++) pace.throttled(1_000 + i);
    expect(pace.ratePerSec).toBeCloseTo(70);
    admitted(pace, 1_020, 10_000);
    expect(pace.ratePerSec).toBe(100);
  });

  it('finds the rate of a target that throttles above it, and stays within a third of it', () => {
    const pace = new Pace(null, 0);
    let taken = 0;
    let window = 0;
    let refusals = 0;
    for (let now = 0; now < 60_000; ) {
      const wait = pace.take(now);
      now += Math.max(wait, 1);
      const second = Math.floor(now / 1000);
      if (second !== window) {
        window = second;
        taken = 0;
      }
      if (++taken > 200) {
        pace.throttled(now);
        refusals++;
      }
    }
    expect(pace.ratePerSec).toBeGreaterThan(133);
    expect(pace.ratePerSec).toBeLessThan(266);
    expect(refusals).toBeLessThan(60 * 200 * 0.1);
  });

  it('makes nobody wait longer for having been throttled again and again', () => {
    const pace = new Pace(null, 0);
    let now = 0;
    for (let i = 0; i < 10; i++) {
      const wait = pace.take(now);
      expect(wait).toBeLessThanOrEqual(1_000);
      now += wait + 1;
      pace.throttled(now);
    }
  });

  it('never stops entirely', () => {
    const pace = new Pace(5, 0);
    for (let now = 0; now < 60_000; now += 600) pace.throttled(now);
    expect(pace.ratePerSec).toBe(2);
  });
});

describe('the circuit', () => {
  it('opens on a refusal, lets one probe through after a pause, and closes on success', () => {
    const circuit = new Circuit();
    expect(circuit.admit(0)).toBe(0);
    expect(circuit.denied('AccessDenied', 0)).toBe(true);
    expect(circuit.state).toBe('open');
    expect(circuit.admit(0)).toBe(1_000);
    expect(circuit.admit(1_000)).toBe(0);
    expect(circuit.admit(1_000)).toBeGreaterThan(0);
    expect(circuit.succeeded()).toBe(true);
    expect(circuit.admit(1_001)).toBe(0);
  });

  it('doubles its pause with every refused probe, to half a minute', () => {
    const circuit = new Circuit();
    circuit.denied('x', 0);
    const pauses: number[] = [];
    for (let now = 0, i = 0; i < 8; i++) {
      const wait = circuit.admit(now);
      pauses.push(wait);
      now += wait;
      circuit.admit(now);
      circuit.denied('x', now);
    }
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  });

  it('is not held longer by late answers to requests that were already under way', () => {
    const circuit = new Circuit();
    circuit.denied('x', 0);
    for (let i = 1; i < 60; i++) circuit.denied('x', i);
    expect(circuit.admit(0)).toBe(1_000);
  });

  it('probes again after a probe that was not answered', () => {
    const circuit = new Circuit();
    circuit.denied('x', 0);
    expect(circuit.admit(1_000)).toBe(0);
    circuit.unanswered(1_500);
    expect(circuit.admit(2_500)).toBe(0);
  });
});

describe('failures', () => {
  it.each([
    ['ThrottlingException', '', 400, 'throttle'],
    ['', '', 429, 'throttle'],
    ['AccessDeniedException', '', 400, 'denied'],
    ['AWS.SimpleQueueService.NonExistentQueue', '', 400, 'denied'],
    ['InvalidSignatureException', 'Signature expired: 20260101 is now earlier than', 403, 'skewed'],
    ['InvalidSignatureException', 'The request signature we calculated does not match', 403, 'denied'],
    ['RequestTimeTooSkewed', '', 403, 'skewed'],
    ['ExpiredTokenException', '', 400, 'expired'],
    ['InternalFailure', '', 0, 'retry'],
    ['Whatever', '', 503, 'retry'],
    ['ValidationException', '', 400, 'permanent'],
    ['MalformedDetail', '', 0, 'permanent'],
  ] as const)('%s %s (%d) asks for: %s', (code, message, status, kind) => {
    expect(failureKind(code, message, status)).toBe(kind);
  });

  it('back off with full jitter up to the cap', () => {
    expect(backoffMs(1, 100, 20_000, 0.999_999)).toBe(100);
    expect(backoffMs(4, 100, 20_000, 0.5)).toBe(400);
    expect(backoffMs(60, 100, 20_000, 0.999_999)).toBe(20_000);
    expect(backoffMs(9, 100, 20_000, 0)).toBe(0);
  });
});
