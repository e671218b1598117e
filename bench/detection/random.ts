// A seeded source of chance and the distributions that traffic is made of.
import { logGamma } from '../../lib/core/analysis/specialFunctions.ts';

export type Random = {
  /** Uniform in [0, 1). */
  uniform(): number;
  poisson(mean: number): number;
  /** Whole number ≥ 1 with the given mean. */
  geometric(mean: number): number;
  /** Standard normal. */
  normal(): number;
  binomial(n: number, p: number): number;
};

/** xoshiro128** (Blackman & Vigna) seeded through splitmix32. */
export function randomFrom(seed: number): Random {
  let s = seed >>> 0;
  const split = () => {
    s = (s + 0x9e3779b9) >>> 0;
    let z = s;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return (z ^ (z >>> 16)) >>> 0;
  };
  let a = split();
  let b = split();
  let c = split();
  let d = split();
  const next = () => {
    const m = Math.imul(b, 5);
    const result = Math.imul((m << 7) | (m >>> 25), 9) >>> 0;
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = (d << 11) | (d >>> 21);
    return result;
  };
  const uniform = () => next() / 4294967296;
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  const poisson = (mean: number) => (mean < 12 ? poissonSmall(uniform, mean) : poissonLarge(uniform, mean));
  const geometric = (mean: number) =>
    mean <= 1 ? 1 : 1 + Math.floor(Math.log(1 - uniform()) / Math.log1p(-1 / mean));
  const binomial = (n: number, p: number): number => {
    if (p > 0.5) return n - binomial(n, 1 - p);
    if (n * p > 30) return clamp(Math.round(n * p + normal() * Math.sqrt(n * p * (1 - p))), n);
    return binomialSmall(uniform, n, p);
  };
  return { uniform, poisson, geometric, normal, binomial };
}

// Multiplication of uniforms, Knuth.
function poissonSmall(uniform: () => number, mean: number): number {
  if (mean <= 0) return 0;
  const limit = Math.exp(-mean);
  let k = 0;
  let product = uniform();
  while (product > limit) {
    k++;
    product *= uniform();
  }
  return k;
}

// PTRS, W. Hörmann, "The transformed rejection method for generating Poisson random variables" (1993).
function poissonLarge(uniform: () => number, mean: number): number {
  const b = 0.931 + 2.53 * Math.sqrt(mean);
  const a = -0.059 + 0.02483 * b;
  const inverseAlpha = 1.1239 + 1.1328 / (b - 3.4);
  const vr = 0.9277 - 3.6224 / (b - 2);
  const logMean = Math.log(mean);
  for (;;) {
    const u = uniform() - 0.5;
    const v = uniform();
    const us = 0.5 - Math.abs(u);
    const k = Math.floor(((2 * a) / us + b) * u + mean + 0.43);
    if (us >= 0.07 && v <= vr) return k;
    if (k < 0 || (us < 0.013 && v > us)) continue;
    if (Math.log((v * inverseAlpha) / (a / (us * us) + b)) <= k * logMean - mean - logGamma(k + 1)) return k;
  }
}

// Gaps between successes are geometric: one uniform per success.
function binomialSmall(uniform: () => number, n: number, p: number): number {
  if (p <= 0) return 0;
  const log = Math.log1p(-p);
  let k = -1;
  let at = 0;
  while (at <= n) {
    at += 1 + Math.floor(Math.log(1 - uniform()) / log);
    k++;
  }
  return k;
}

function clamp(value: number, n: number): number {
  return Math.min(n, Math.max(0, value));
}
