/**
 * The highest stream sequence below which everything is settled. Acknowledging it acknowledges all before it
 * (AckAll), one message to the server instead of one per message; so it may only move over a contiguous run.
 */
export class Watermark<T> {
  /** Sequences not yet passed, ascending, and what was opened with them. */
  #waiting: number[] = [];
  #items: T[] = [];
  #head = 0;
  readonly #settled = new Set<number>();
  #floor = 0;
  #floorItem: T | null = null;

  /** The last sequence that may be acknowledged with all before it; 0 before the first. */
  get floor(): number {
    return this.#floor;
  }

  /** What was opened with the floor's sequence. */
  get floorItem(): T | null {
    return this.#floorItem;
  }

  /** Settled messages above the floor. */
  get settledAbove(): number {
    return this.#settled.size;
  }

  /** The same, as they were opened. */
  *settledItems(): Iterable<T> {
    if (this.#settled.size === 0) return;
    for (let at = this.#head; at < this.#waiting.length; at++)
      if (this.#settled.has(this.#waiting[at] as number)) yield this.#items[at] as T;
  }

  /** What was opened with a sequence above the floor. */
  at(sequence: number): T | undefined {
    const index = this.#indexOf(sequence);
    return this.#waiting[index] === sequence ? this.#items[index] : undefined;
  }

  /** Delivered, not yet settled. Almost always the highest so far; one that was given back may come lower. */
  open(sequence: number, item: T): void {
    if (sequence <= this.#floor) return;
    const last = this.#waiting[this.#waiting.length - 1];
    if (last === undefined || sequence > last || this.#head === this.#waiting.length) {
      this.#waiting.push(sequence);
      this.#items.push(item);
      return;
    }
    const index = this.#indexOf(sequence);
    const known = this.#waiting[index] === sequence ? 1 : 0;
    this.#waiting.splice(index, known, sequence);
    this.#items.splice(index, known, item);
  }

  /** True when the floor moved. */
  settle(sequence: number): boolean {
    if (sequence <= this.#floor) return false;
    this.#settled.add(sequence);
    const before = this.#floor;
    for (;;) {
      const next = this.#waiting[this.#head];
      if (next === undefined || !this.#settled.delete(next)) break;
      this.#floor = next;
      this.#floorItem = this.#items[this.#head] as T;
      this.#head++;
    }
    if (this.#head > 1024 && this.#head * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#head);
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return this.#floor !== before;
  }
  /** Where a sequence stands among those waiting, or would stand. */
  #indexOf(sequence: number): number {
    let low = this.#head;
    let high = this.#waiting.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#waiting[middle] as number) < sequence) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
