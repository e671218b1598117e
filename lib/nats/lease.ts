/**
 * The right to be the only one: held by one task at a time, renewed well before it ends, free again when its
 * holder dies. The holder's clock and the taker's may differ by a quarter of its length.
 *
 * It is a lease, not a fence: a holder that was cut off may still send what it had in hand while the next one
 * starts. Both send each lane in order and with the same ids, so a FIFO queue's deduplication keeps the
 * order.
 */
import type { Timers } from '../core/bridge/ports.ts';
import type { Register } from './register.ts';

type Held = { readonly owner: string; readonly untilMs: number };

export class Lease {
  readonly #register: Register;
  readonly #timers: Timers;
  readonly #key: string;
  readonly #owner: string;
  readonly #leaseMs: number;
  #revision = 0;
  #untilMs = 0;
  #stopped = false;
  #cancel: () => void = () => {};
  #wake: () => void = () => {};

  /** @param owner unique to this process */
  constructor(register: Register, timers: Timers, held: { key: string; owner: string; leaseMs: number }) {
    this.#register = register;
    this.#timers = timers;
    this.#key = `lease/${held.key}`;
    this.#owner = held.owner;
    this.#leaseMs = held.leaseMs;
  }

  get #renewMs(): number {
    return this.#leaseMs / 4;
  }

  get held(): boolean {
    return !this.#stopped && this.#untilMs > this.#timers.now();
  }

  /**
   * Waits for the lease; false when stopped meanwhile. Then `lost` is called once, if and when it ends.
   * An unavailable register is waited for like a held lease.
   */
  async acquire(lost: () => void): Promise<boolean> {
    while (!this.#stopped) {
      if (await this.#take()) {
        this.#cancel = this.#timers.schedule(this.#renewMs, () => void this.#renew(lost));
        return true;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        this.#cancel = this.#timers.schedule(this.#renewMs / 3, resolve);
      });
    }
    return false;
  }

  /** Gives it up, so that the next one need not wait. */
  async release(): Promise<void> {
    const held = this.held;
    this.#stopped = true;
    this.#cancel();
    this.#wake();
    if (!held) return;
    const free: Held = { owner: '', untilMs: 0 };
    await this.#register.put(this.#key, free, this.#revision).catch(() => null);
  }

  async #take(): Promise<boolean> {
    try {
      const { value, revision } = await this.#register.get(this.#key);
      const current = value as Held | null;
      const foreign = current !== null && current.owner !== '' && current.owner !== this.#owner;
      if (foreign && current.untilMs + this.#leaseMs / 4 > this.#timers.now()) return false;
      return await this.#write(revision);
    } catch {
      return false;
    }
  }

  async #write(revision: number): Promise<boolean> {
    const untilMs = this.#timers.now() + this.#leaseMs;
    const written = await this.#register.put(
      this.#key,
      { owner: this.#owner, untilMs } satisfies Held,
      revision,
    );
    if (written === null) return false;
    this.#revision = written;
    this.#untilMs = untilMs;
    return true;
  }

  async #renew(lost: () => void): Promise<void> {
    if (this.#stopped) return;
    const renewed = await this.#write(this.#revision).catch(() => null);
    if (this.#stopped) return;
    // Null: not known, and the old one is still good for a while. False: somebody else has it.
    if (renewed === false || !this.held) {
      this.#untilMs = 0;
      lost();
      return;
    }
    this.#cancel = this.#timers.schedule(
      renewed === null ? this.#renewMs / 3 : this.#renewMs,
      () => void this.#renew(lost),
    );
  }
}
