/**
 * What waits for one target, and which of it may go out together next. A batch is due when it is full (by
 * entries or bytes) or when its oldest entry has waited for the linger.
 *
 * Ordered targets have lanes. Of a lane at most one batch is under way, so nothing overtakes what failed
 * before it. With `strict`, a batch holds one entry per lane: if the API takes some entries of a batch and
 * not others, no later entry of the same lane can have been among the taken ones. With `batch`, several
 * entries of a lane share a batch: ten times the rate for a single busy lane, at the price of that guarantee
 * within one request.
 */

export type Queued = {
  readonly lane: string;
  /** As the API counts them. */
  readonly bytes: number;
  readonly queuedAtMs: number;
};

export type BatchLimits = { readonly max: number; readonly bytes: number; readonly lingerMs: number };

export interface BatchQueue<T extends Queued> {
  readonly size: number;
  push(item: T): void;
  /** The next batch when one is due; null when there is none. `flush` makes everything due. */
  take(nowMs: number, flush: boolean): T[] | null;
  /** When the next batch falls due if nothing more comes, in ms since the epoch; null when nothing can go. */
  dueAtMs(): number | null;
  /** The lanes of these items are free again. */
  release(items: readonly T[], nowMs: number): void;
  /** Takes everything out that is not under way. */
  clear(): T[];
}

export function batchQueue<T extends Queued>(
  order: 'none' | 'strict' | 'batch',
  limits: BatchLimits,
): BatchQueue<T> {
  return order === 'none' ? new UnorderedQueue<T>(limits) : new LanedQueue<T>(limits, order === 'strict');
}

class UnorderedQueue<T extends Queued> implements BatchQueue<T> {
  readonly #limits: BatchLimits;
  #items: T[] = [];
  #head = 0;
  #bytes = 0;

  constructor(limits: BatchLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#items.length - this.#head;
  }

  push(item: T): void {
    this.#items.push(item);
    this.#bytes += item.bytes;
  }

  take(nowMs: number, flush: boolean): T[] | null {
    const { max, bytes, lingerMs } = this.#limits;
    const first = this.#items[this.#head];
    if (first === undefined) return null;
    const full = this.size >= max || this.#bytes >= bytes;
    if (!full && !flush && nowMs - first.queuedAtMs < lingerMs) return null;
    let total = 0;
    let end = this.#head;
    while (end < this.#items.length && end - this.#head < max) {
      const next = (this.#items[end] as T).bytes;
      if (total + next > bytes && end > this.#head) break;
      total += next;
      end++;
    }
    const batch = this.#items.slice(this.#head, end);
    this.#head = end;
    this.#bytes -= total;
    if (this.#head > 1024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return batch;
  }

  dueAtMs(): number | null {
    const first = this.#items[this.#head];
    if (first === undefined) return null;
    if (this.size >= this.#limits.max || this.#bytes >= this.#limits.bytes) return 0;
    return first.queuedAtMs + this.#limits.lingerMs;
  }

  release(): void {}

  clear(): T[] {
    const items = this.#items.slice(this.#head);
    this.#items = [];
    this.#head = 0;
    this.#bytes = 0;
    return items;
  }
}

type Lane<T> = { readonly name: string; items: T[]; busy: boolean; readyAtMs: number };

class LanedQueue<T extends Queued> implements BatchQueue<T> {
  readonly #limits: BatchLimits;
  readonly #strict: boolean;
  readonly #lanes = new Map<string, Lane<T>>();
  /** Lanes with something to send and nothing under way, longest ready first. */
  #ready: Lane<T>[] = [];
  #size = 0;
  #busy = 0;

  constructor(limits: BatchLimits, strict: boolean) {
    this.#limits = limits;
    this.#strict = strict;
  }

  get size(): number {
    return this.#size;
  }

  push(item: T): void {
    this.#size++;
    const lane = this.#lanes.get(item.lane);
    if (lane === undefined) {
      const made: Lane<T> = { name: item.lane, items: [item], busy: false, readyAtMs: item.queuedAtMs };
      this.#lanes.set(item.lane, made);
      this.#ready.push(made);
      return;
    }
    lane.items.push(item);
    if (lane.busy || lane.items.length > 1) return;
    lane.readyAtMs = item.queuedAtMs;
    this.#ready.push(lane);
  }

  take(nowMs: number, flush: boolean): T[] | null {
    const due = this.dueAtMs();
    if (due === null || (!flush && nowMs < due)) return null;
    const batch: T[] = [];
    let total = 0;
    let used = 0;
    for (const lane of this.#ready) {
      const taken = this.#takeFrom(lane, batch, total);
      if (taken === null) break;
      total += taken;
      lane.busy = true;
      this.#busy++;
      used++;
      if (batch.length >= this.#limits.max) break;
    }
    this.#ready = this.#ready.slice(used);
    this.#size -= batch.length;
    return batch;
  }

  /**
   * Moves what fits of a lane into the batch: the bytes moved, or null when not even its first entry fits.
   */
  #takeFrom(lane: Lane<T>, batch: T[], total: number): number | null {
    let moved = 0;
    const before = batch.length;
    for (let item = lane.items[0]; item !== undefined; item = lane.items[0]) {
      if (batch.length >= this.#limits.max) break;
      if (total + moved + item.bytes > this.#limits.bytes && batch.length > 0) break;
      batch.push(item);
      lane.items.shift();
      moved += item.bytes;
      if (this.#strict) break;
    }
    return batch.length === before ? null : moved;
  }

  dueAtMs(): number | null {
    const first = this.#ready[0];
    if (first === undefined) return null;
    const waiting = this.#strict ? this.#ready.length : this.#readyItems();
    if (waiting >= this.#limits.max) return 0;
    // While other lanes are under way they may soon fill the batch; alone, a lane has nothing to wait for.
    const sinceMs = this.#busy > 0 ? first.readyAtMs : (first.items[0] as T).queuedAtMs;
    return sinceMs + this.#limits.lingerMs;
  }

  #readyItems(): number {
    let count = 0;
    for (const lane of this.#ready) {
      count += lane.items.length;
      if (count >= this.#limits.max) break;
    }
    return count;
  }

  release(items: readonly T[], nowMs: number): void {
    for (const item of items) {
      const lane = this.#lanes.get(item.lane);
      if (lane === undefined || !lane.busy) continue;
      lane.busy = false;
      lane.readyAtMs = nowMs;
      this.#busy--;
      if (lane.items.length > 0) this.#ready.push(lane);
      else this.#lanes.delete(lane.name);
    }
  }

  clear(): T[] {
    const items: T[] = [];
    for (const lane of this.#lanes.values()) {
      items.push(...lane.items);
      lane.items = [];
      if (!lane.busy) this.#lanes.delete(lane.name);
    }
    this.#ready = [];
    this.#size = 0;
    return items;
  }
}
