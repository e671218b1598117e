/** Chance from a seed: the same seed draws the same, on every machine. */

/** xoshiro128** (Blackman & Vigna), its state filled by splitmix32. */
export class SeededRandom {
  readonly #state = new Uint32Array(4);

  constructor(seed: number) {
    let left = seed >>> 0;
    for (let word = 0; word < 4; word++) {
      left = (left + 0x9e3779b9) >>> 0;
      this.#state[word] = mixed(left);
    }
  }

  /** Uniform in [0, 1). */
  uniform(): number {
    return this.#next() / 4_294_967_296;
  }

  /** True with this probability. */
  chance(share: number): boolean {
    return this.uniform() < share;
  }

  /** A whole number from `low` to `high`, both possible. */
  whole(low: number, high: number): number {
    return low + Math.floor(this.uniform() * (high - low + 1));
  }

  /** A number from `low` up to `high`. */
  between(low: number, high: number): number {
    return low + this.uniform() * (high - low);
  }

  /** @throws RangeError when there is nothing to choose from */
  pick<T>(from: readonly T[]): T {
    if (from.length === 0) throw new RangeError('there is nothing to choose from');
    return from[Math.floor(this.uniform() * from.length)] as T;
  }

  uuid(): string {
    const hex = Array.from({ length: 4 }, () => this.#next().toString(16).padStart(8, '0')).join('');
    return [
      hex.slice(0, 8),
      hex.slice(8, 12),
      `4${hex.slice(13, 16)}`,
      `8${hex.slice(17, 20)}`,
      hex.slice(20),
    ].join('-');
  }

  #next(): number {
    const state = this.#state;
    const a = state[0] as number;
    const b = state[1] as number;
    const c = state[2] as number;
    const d = state[3] as number;
    const five = Math.imul(b, 5);
    const result = Math.imul((five << 7) | (five >>> 25), 9) >>> 0;
    const c1 = c ^ a;
    const d1 = d ^ b;
    state[0] = a ^ d1;
    state[1] = b ^ c1;
    state[2] = c1 ^ (b << 9);
    state[3] = (d1 << 11) | (d1 >>> 21);
    return result;
  }
}

function mixed(word: number): number {
  let z = word;
  z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
  return (z ^ (z >>> 16)) >>> 0;
}

/**
 * A seed of its own for each part of a world, so that what one part draws does not move what another does.
 */
export function seedOf(seed: number, ...parts: readonly (string | number)[]): number {
  let hash = mixed((seed + 0x9e3779b9) >>> 0);
  for (const part of parts) {
    const text = String(part);
    for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193) >>> 0;
    hash = mixed((hash + 0x9e3779b9) >>> 0);
  }
  return hash;
}

/** Uniform in [0, 1) and decided by `seed` alone. */
export const drawn = (seed: number): number => mixed(seed >>> 0) / 4_294_967_296;
