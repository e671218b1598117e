/** Watches what a sink takes and judges it in the end: what is missing, what overtook what. */
import { seededRandom } from './seededRandom.ts';
import type { SinkFault, SinkRequest, StrictSink } from './strictSink.ts';

export type Verdict = {
  /** Messages that never arrived. */
  readonly lost: number;
  /** Messages whose first arrival was after that of a later one of the same lane. */
  readonly disorder: number;
  /** Arrivals that belong to no message, or whose id and number disagree. */
  readonly foreign: number;
};

export type DeliveryCheck = {
  /** Different messages that have arrived. */
  readonly arrived: number;
  /** Arrivals beyond the first of each message. */
  readonly duplicates: number;
  verdict(count: number): Verdict;
};

/**
 * Message n has the id `m<n>`, the body `{"n":n}` and the lane n mod `lanes`; order counts for queues only.
 */
export function deliveryCheck(sink: StrictSink, lanes: number): DeliveryCheck {
  // A byte per message: a set of millions of numbers would itself look like a leak.
  let seen = new Uint8Array(1 << 16);
  let arrived = 0;
  const last = new Array<number>(lanes).fill(-1);
  let duplicates = 0;
  let disorder = 0;
  let foreign = 0;
  sink.services.keep = false;
  sink.services.onTaken = ({ body, id, lane, address }) => {
    if (address === 'dead') return;
    const parsed = JSON.parse(body);
    const n = Number(parsed.data?.n ?? parsed.n);
    const own = parsed.id ?? id;
    if (!Number.isInteger(n) || own !== `m${n}`) {
      foreign++;
      return;
    }
    if (n >= seen.length) {
      const larger = new Uint8Array(2 ** Math.ceil(Math.log2(n + 1)));
      larger.set(seen);
      seen = larger;
    }
    if (seen[n] === 1) {
      duplicates++;
      return;
    }
    seen[n] = 1;
    arrived++;
    if (lane === '') return;
    if ((last[n % lanes] as number) > n) disorder++;
    last[n % lanes] = Math.max(n, last[n % lanes] as number);
  };
  return {
    get arrived() {
      return arrived;
    },
    get duplicates() {
      return duplicates;
    },
    verdict: (count) => ({ lost: count - arrived, disorder, foreign }),
  };
}

const CODES = ['InternalFailure', 'ServiceUnavailable', 'ThrottlingException'] as const;

/** Faults of every kind for this share of requests, drawn from a seed. */
export function faultsFrom(seed: number, share: number): (request: SinkRequest) => SinkFault | null {
  const random = seededRandom(seed);
  const pick = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)] as T;
  return () => {
    if (random() >= share) return null;
    const kind = pick([
      'reset',
      'reset-after',
      'half',
      'stall',
      'status',
      'entries',
      'entries',
      'entries',
    ] as const);
    if (kind === 'status') return { kind, status: pick([500, 503]), code: pick(CODES) };
    if (kind !== 'entries') return { kind };
    const mask = Math.floor(random() * 1024);
    return { kind, fails: (position) => (mask & (1 << position) ? 'InternalFailure' : null) };
  };
}
