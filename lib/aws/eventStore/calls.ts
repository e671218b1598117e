/**
 * One call to DynamoDB, made until it is answered or the time is up. A call whose outcome is unknown is
 * made again as it was: every write of the event store is conditional, so that the second one finds out
 * what the first one did.
 */

import { EventStoreUnavailable } from '../../core/outage.ts';

export type CallOptions = {
  /** For all attempts of one operation together. Default 5 s. */
  readonly deadlineMs?: number;
  /** The same for urgent appends. Default 500 ms: after that the intent queue is the record. */
  readonly urgentDeadlineMs?: number;
  /**
   * For one attempt; DynamoDB answers in single milliseconds, so silence is a lost connection. Default 1 s.
   */
  readonly attemptMs?: number;
  /** Per call. Default 6. */
  readonly attemptsMax?: number;
  readonly now?: () => number;
  readonly wait?: (ms: number) => Promise<void>;
  /** 0 ≤ chance < 1: spreads retries so that writers do not meet again. */
  readonly chance?: () => number;
};

/** The pause before attempt n is drawn from 0 to 25 ms · 2^n, at most 400 ms ("full jitter"). */
const pauseBaseMs = 25;
const pauseMaxMs = 400;

export class Calls {
  readonly #options: Required<CallOptions>;

  constructor(options: CallOptions = {}) {
    this.#options = {
      deadlineMs: 5000,
      urgentDeadlineMs: 500,
      attemptMs: 1000,
      attemptsMax: 6,
      now: () => Date.now(),
      wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      chance: () => Math.random(),
      ...options,
    };
  }

  /** When an operation that begins now has to be over, epoch milliseconds. */
  deadline(urgent = false): number {
    return this.#options.now() + (urgent ? this.#options.urgentDeadlineMs : this.#options.deadlineMs);
  }

  /**
   * @param what names the call in the outage's sentence
   * @throws EventStoreUnavailable when no attempt was answered by the deadline, or AWS refuses the caller
   * @throws what `call` threw, when that is an answer (a failed condition) or a bug
   */
  async make<T>(what: string, call: () => Promise<T>, deadline = this.deadline()): Promise<T> {
    const { now, wait, chance, attemptMs, attemptsMax } = this.#options;
    for (let attempt = 1; ; attempt++) {
      try {
        return await answered(call, Math.max(1, Math.min(attemptMs, deadline - now())));
      } catch (error) {
        const kind = kindOf(error);
        if (kind === 'answer') throw error;
        const pauseMs = Math.min(pauseMaxMs, pauseBaseMs * 2 ** attempt) * chance();
        if (kind === 'refused' || attempt >= attemptsMax || now() + pauseMs >= deadline) {
          throw new EventStoreUnavailable(sentence(what, attempt, error), { cause: error });
        }
        await wait(pauseMs);
      }
    }
  }
}

/**
 * A call that is given up goes on by itself, and may still be applied, as it may after an abort. (An abort
 * signal costs the SDK a twentieth of a millisecond per call; the client's own `requestTimeout` closes dead
 * connections.)
 */
async function answered<T>(call: () => Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Silence(`no answer within ${Math.round(ms)} ms`)), ms);
  });
  try {
    return await Promise.race([call(), silence]);
  } finally {
    clearTimeout(timer);
  }
}

class Silence extends Error {
  override readonly name = 'TimeoutError';
}

function sentence(what: string, attempts: number, error: unknown): string {
  const { name, message } = error as Error;
  return `${what} failed after ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}: ${name}: ${message}`;
}

const throttles = new Set([
  'ProvisionedThroughputExceededException',
  'ThrottlingException',
  'RequestLimitExceeded',
  'LimitExceededException',
  'TransactionConflictException',
  'ReplicatedWriteConflictException',
]);

/** The caller is not let in, or the table is not there: another attempt would hear the same. */
const refusals = new Set([
  'ResourceNotFoundException',
  'AccessDeniedException',
  'UnrecognizedClientException',
  'ExpiredTokenException',
  'InvalidSignatureException',
  'IncompleteSignatureException',
  'MissingAuthenticationTokenException',
  'CredentialsProviderError',
]);

const silences = new Set(['TimeoutError', 'AbortError', 'RequestTimeout', 'RequestTimeoutException']);

/** The socket's own errors: `ECONNRESET`, `EPIPE`, `EAI_AGAIN` … */
const socketCode = /^(E[A-Z_]+|UND_ERR_[A-Z_]+)$/;

/**
 * `answer`: AWS answered, or the error is ours; `refused`: no attempt will be let in; `unknown`: nobody
 * knows what became of the call, or it was throttled, so it is made again.
 */
function kindOf(error: unknown): 'answer' | 'refused' | 'unknown' {
  if (!(error instanceof Error)) return 'answer';
  const { name, code, $metadata } = error as Error & {
    readonly code?: unknown;
    readonly $metadata?: { readonly httpStatusCode?: number };
  };
  if (refusals.has(name)) return 'refused';
  if (throttles.has(name) || silences.has(name)) return 'unknown';
  if (($metadata?.httpStatusCode ?? 0) >= 500) return 'unknown';
  if (typeof code === 'string' && socketCode.test(code)) return 'unknown';
  // Half an answer: the SDK could not parse the body of a reply.
  if (name === 'SyntaxError' && '$response' in error) return 'unknown';
  return 'answer';
}

/** Whether a conditional write was refused by its condition. */
export const isConditionFailure = (
  error: unknown,
): error is Error & { readonly Item?: Record<string, never> } =>
  error instanceof Error && error.name === 'ConditionalCheckFailedException';
