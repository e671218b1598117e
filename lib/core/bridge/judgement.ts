/**
 * What to do after an answer: the failure table of docs/bridge.md as a function. Delivered is what is neither
 * refused nor sent again.
 */
import type { Answer, Failure } from './ports.ts';
import type { RetrySpec } from './target.ts';

export type Tries = {
  /** Which attempt of this batch was answered, from 1. */
  readonly round: number;
  /** Whether the target took other requests since this batch was first sent. */
  readonly othersServed: boolean;
  /** Earlier failures of each entry alone. */
  readonly attempts: readonly number[];
  /** For how long each entry has been suspect by now. */
  readonly suspectMs: readonly number[];
};

export type Judgement = {
  /** Look at the batch in halves: one of its entries is to blame for all. */
  readonly split: boolean;
  /** Positions to send again, in order. */
  readonly again: readonly number[];
  /** Positions that will never be taken. */
  readonly refused: ReadonlyMap<number, Failure>;
  /** Positions that failed while the target served others: perhaps it is they. */
  readonly suspects: readonly number[];
  /** Positions refused for what they are: their own attempts are one more. */
  readonly failedAlone: readonly number[];
  /** Refusals to slow us down. */
  readonly throttled: number;
  /** Why the target refuses us as a whole; null when it does not. */
  readonly denied: string | null;
  /** Whether the target is at work: it took the request, or judged it. */
  readonly served: boolean;
};

type Tried = { readonly attempts: number; readonly suspectSinceMs: number };

export function triesOf(
  batch: readonly Tried[],
  { round, othersServed, nowMs }: { round: number; othersServed: boolean; nowMs: number },
): Tries {
  const attempts = batch.map((tried) => tried.attempts);
  const suspectMs = batch.map(({ suspectSinceMs }) => (suspectSinceMs === 0 ? 0 : nowMs - suspectSinceMs));
  return { round, othersServed, attempts, suspectMs };
}

/** A request that failed this often while the target served others is looked at entry by entry. */
const SPLIT_AFTER = 3;

export function judge(answer: Answer, tries: Tries, retry: RetrySpec): Judgement {
  if (answer.kind === 'taken') return judgeEntries(answer.failed ?? new Map(), tries, retry);
  const { failure } = answer;
  const all = tries.attempts.map((_, position) => position);
  const again: Judgement = { ...NOTHING, again: all };
  switch (failure.kind) {
    case 'throttle':
      return { ...again, throttled: 1 };
    case 'denied':
      return { ...again, denied: wordsOf(failure) };
    case 'permanent':
      // The request as such was refused. In halves, the entry to blame is found in log2(n) steps.
      return all.length > 1 ? { ...again, split: true, served: true } : refuseAll(all, failure);
    default:
      return judgeOutage(all, failure, tries, retry);
  }
}

const NOTHING: Judgement = {
  split: false,
  again: [],
  refused: new Map(),
  suspects: [],
  failedAlone: [],
  throttled: 0,
  denied: null,
  served: false,
};

const wordsOf = ({ code, message }: Failure) => `${code}: ${message}`;

function refuseAll(all: readonly number[], failure: Failure): Judgement {
  return {
    ...NOTHING,
    served: true,
    failedAlone: all,
    refused: new Map(all.map((position) => [position, failure])),
  };
}

/** An outage is waited out however long it lasts; only a request that fails while others pass is suspect. */
function judgeOutage(all: readonly number[], failure: Failure, tries: Tries, retry: RetrySpec): Judgement {
  if (!tries.othersServed) return { ...NOTHING, again: all };
  const again: Judgement = { ...NOTHING, again: all, suspects: all };
  if (tries.round < SPLIT_AFTER) return again;
  if (all.length > 1) return { ...again, split: true };
  const spent = retryIsSpent(tries.round, tries.suspectMs[0] ?? 0, retry);
  return spent ? { ...refuseAll(all, failure), served: false } : again;
}

/**
 * Attempts alone would put messages aside in a brown-out, when a service fails every other request for a
 * while: they all have bad luck in the end. Hence the time, too.
 */
const retryIsSpent = (attempts: number, suspectMs: number, retry: RetrySpec): boolean =>
  retry.exhausted === 'park' && attempts >= retry.attempts && suspectMs >= retry.budgetMs;

function judgeEntries(failed: ReadonlyMap<number, Failure>, tries: Tries, retry: RetrySpec): Judgement {
  const again: number[] = [];
  const refused = new Map<number, Failure>();
  const failedAlone: number[] = [];
  let throttled = 0;
  let denied: string | null = null;
  for (const [position, attempts] of tries.attempts.entries()) {
    const failure = failed.get(position);
    if (failure === undefined) continue;
    if (failure.kind === 'throttle') throttled++;
    else if (failure.kind === 'denied') denied = wordsOf(failure);
    else failedAlone.push(position);
    const suspectMs = tries.suspectMs[position] ?? 0;
    const spent = failure.kind === 'retry' && retryIsSpent(attempts + 1, suspectMs, retry);
    if (failure.kind === 'permanent' || spent) refused.set(position, failure);
    else again.push(position);
  }
  return {
    split: false,
    again,
    refused,
    suspects: failedAlone,
    failedAlone,
    throttled,
    denied,
    served: failed.size < tries.attempts.length || denied === null,
  };
}
