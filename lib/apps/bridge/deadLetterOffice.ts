/**
 * Puts messages aside that can never be delivered, and does not give up doing so: only when the record is
 * durable is the message told to its source as dead.
 */
import {
  type DeadLetterReason,
  type DeadLetterSpec,
  deadLetterRecords,
} from '../../core/bridge/deadLetter.ts';
import { backoffMs } from '../../core/bridge/failure.ts';
import { type BridgeMessage, identityOf } from '../../core/bridge/message.ts';
import type { Publisher, Sender, Timers } from '../../core/bridge/ports.ts';
import type { TargetSpec } from '../../core/bridge/target.ts';
import { Dispatcher } from './dispatcher.ts';
import type { BridgeMetrics } from './metrics.ts';
import type { Parcel } from './parcel.ts';

export type DeadLetterDeps = {
  readonly sender: Sender;
  readonly publisher: Publisher | null;
  readonly timers: Timers;
  readonly chance: () => number;
  readonly metrics: BridgeMetrics;
  readonly log: (message: string) => void;
};

type Record = Parcel & { readonly resolve: (stored: boolean) => void };

const BASE_MS = 200;
const CAP_MS = 30_000;
/** A queue that refuses a record for good is asked again this much later: somebody has to mend it. */
const REFUSED_MS = 30_000;

export class DeadLetterOffice {
  readonly #deps: DeadLetterDeps;
  readonly #queues = new Map<string, Dispatcher<Record>>();
  #abandoned = false;
  #open = 0;

  constructor(deps: DeadLetterDeps) {
    this.#deps = deps;
  }

  /** Messages on their way here. */
  get open(): number {
    return this.#open;
  }

  /** True once the message is durable there with its reason; false when the bridge was stopped before. */
  async keep(spec: DeadLetterSpec, message: BridgeMessage, reason: DeadLetterReason): Promise<boolean> {
    this.#open++;
    try {
      const records = deadLetterRecords(message, reason);
      const stored = await Promise.all(
        records.map((record, part) => {
          if (spec.kind === 'sqs') return this.#toQueue(spec.queue, record);
          return this.#toSubject(spec.subject(message), `dead.${identityOf(message)}.${part + 1}`, record);
        }),
      );
      const all = stored.every((one) => one);
      if (all) this.#deps.metrics.deadLetters++;
      return all;
    } finally {
      this.#open--;
    }
  }

  flush(): void {
    for (const queue of this.#queues.values()) queue.flush();
  }

  abandon(): void {
    this.#abandoned = true;
    for (const queue of this.#queues.values()) queue.abandon();
  }

  #toQueue(queue: string, body: string): Promise<boolean> {
    const { sender, timers } = this.#deps;
    const dispatcher = this.#dispatcher(queue);
    const draft = {
      kind: 'sqs',
      group: '',
      dedup: '',
      base64: false,
      subject: '',
      attributes: [],
      delaySeconds: 0,
    } as const;
    const entry = sender.entryOf(dispatcher.spec, { ...draft, body });
    if ('refused' in entry)
      throw new Error(`a dead-letter record that its queue cannot take: ${entry.message}`);
    const nowMs = timers.now();
    return new Promise((resolve) => {
      const parcel = {
        entry,
        lane: '',
        bytes: entry.bytes,
        queuedAtMs: nowMs,
        receivedAtMs: nowMs,
        attempts: 0,
        suspectSinceMs: 0,
        resolve,
      };
      dispatcher.push(parcel);
    });
  }

  #dispatcher(queue: string): Dispatcher<Record> {
    const known = this.#queues.get(queue);
    if (known !== undefined) return known;
    const { sender, timers, chance, metrics, log } = this.#deps;
    const spec = deadLetterTarget(queue);
    const deps = { sender, timers, chance, metrics: metrics.target(spec.key) };
    const made = new Dispatcher<Record>(spec, deps, {
      delivered: ({ resolve }) => resolve(true),
      abandoned: ({ resolve }) => resolve(false),
      refused: (parcel, { code, message }) => {
        log(`dead-letter queue ${queue} refuses a record: ${code}: ${message}`);
        metrics.deadLetterRetries++;
        timers.schedule(REFUSED_MS, () => (this.#abandoned ? parcel.resolve(false) : made.push(parcel)));
      },
      circuit: (reason) => log(`dead-letter queue ${queue}: ${reason ?? 'works again'}`),
    });
    this.#queues.set(queue, made);
    return made;
  }

  async #toSubject(subject: string, msgId: string, record: string): Promise<boolean> {
    const { publisher, timers, chance, metrics, log } = this.#deps;
    if (publisher === null) throw new Error('dead letters go to NATS, and there is no publisher');
    const data = Buffer.from(record);
    for (let attempt = 1; !this.#abandoned; attempt++) {
      const published = await publisher.publish({ subject, msgId, data, headers: [], stream: null });
      if (published.outcome === 'stored') return true;
      metrics.deadLetterRetries++;
      if (attempt % 10 === 1) log(`dead letter to ${subject}: ${published.outcome}: ${published.message}`);
      await new Promise<void>((resolve) => {
        timers.schedule(backoffMs(attempt, BASE_MS, CAP_MS, chance()), resolve);
      });
    }
    return false;
  }
}

/** Dead letters wait as long as it takes: never parked, never dropped. */
function deadLetterTarget(queue: string): TargetSpec {
  return {
    key: `dlq:${queue}`,
    kind: 'sqs',
    address: queue,
    keys: [],
    order: 'none',
    batch: { max: 10, bytes: 262_144, lingerMs: 5 },
    limits: { inFlight: 4, ratePerSec: null },
    retry: { attempts: 1, budgetMs: 0, baseMs: BASE_MS, capMs: CAP_MS, exhausted: 'wait' },
  };
}
