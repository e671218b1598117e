/**
 * What of a stream is in our hands: which messages are open (delivered to us, not yet settled), which were
 * settled lately, and whether some deliveries never reached us.
 *
 * JetStream numbers a consumer's deliveries densely. When a connection breaks, deliveries under way are lost;
 * the server sends them again after ack_wait, behind newer ones. Nothing is lost by that, but order would be,
 * and acknowledging "everything up to here" would lose them. So a missing delivery number marks a gap; the
 * owner then holds new messages until the server's count of unacknowledged messages is the same as ours.
 */

/** Settled messages remembered, in two generations: acknowledgements may be lost with a connection. */
const SETTLED_REMEMBERED = 32_768;

export type Arrival = 'new' | 'open' | 'settled';

export class Ledger<T> {
  readonly #open = new Map<number, T>();
  #young = new Set<number>();
  #old = new Set<number>();
  #lastDelivery = 0;
  #gap = false;

  /** Messages delivered to us and not settled. */
  get openCount(): number {
    return this.#open.size;
  }

  /** Whether deliveries are missing that went out to us. */
  get hasGap(): boolean {
    return this.#gap;
  }

  open(): IterableIterator<T> {
    return this.#open.values();
  }

  /** The open entry of a stream sequence, to be refreshed when it is delivered again. */
  at(sequence: number): T | undefined {
    return this.#open.get(sequence);
  }

  /**
   * A delivery arrived. An `open` one is under way already, a `settled` one only lost its acknowledgement.
   * @param sequence in the stream
   * @param delivery the consumer's own number
   */
  arrive(sequence: number, delivery: number, entry: T): Arrival {
    if (this.#lastDelivery !== 0 && delivery !== this.#lastDelivery + 1) this.#gap = true;
    this.#lastDelivery = delivery;
    if (this.#open.has(sequence)) return 'open';
    if (this.#young.has(sequence) || this.#old.has(sequence)) return 'settled';
    this.#open.set(sequence, entry);
    return 'new';
  }

  settle(sequence: number): void {
    this.#open.delete(sequence);
    if (this.#young.size >= SETTLED_REMEMBERED) {
      this.#old = this.#young;
      this.#young = new Set();
    }
    this.#young.add(sequence);
  }

  /** Given back to the server: it is neither open nor settled. */
  forget(sequence: number): void {
    this.#open.delete(sequence);
  }

  /** The connection broke or the consumer is new to us: deliveries may be missing until counts agree. */
  suspect(): void {
    this.#gap = true;
    this.#lastDelivery = 0;
  }

  /** The server's count of unacknowledged messages agreed with ours. */
  reconciled(): void {
    this.#gap = false;
  }
}
