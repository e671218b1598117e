/** Lets ordinary calls run side by side and a transaction run alone, in the order of their arrival. */
export class Gate {
  /** Resolves when all exclusive work asked for so far is done. */
  #lastExclusive: Promise<unknown> = Promise.resolve();
  #shared = new Set<Promise<unknown>>();

  async shared<T>(work: () => Promise<T>): Promise<T> {
    const running = this.#lastExclusive.then(work);
    const settled = running.catch(() => undefined);
    this.#shared.add(settled);
    settled.then(() => this.#shared.delete(settled));
    return running;
  }

  async exclusive<T>(work: () => Promise<T>): Promise<T> {
    const before = [this.#lastExclusive, ...this.#shared];
    const running = Promise.all(before).then(work);
    this.#lastExclusive = running.catch(() => undefined);
    return running;
  }
}
