import { expect, it } from 'vitest';
import {
  betaCdf,
  betaQuantile,
  erfc,
  logAdd,
  logGamma,
  logSum,
  normalQuantile,
  normalTail,
} from '../../../lib/core/analysis/specialFunctions.ts';

const close = (actual: number, expected: number, relative = 1e-13) =>
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(relative * Math.abs(expected));

it('erfc agrees with its tabulated values in all three ranges and for negative arguments', () => {
  close(erfc(0.3), 0.6713732405408726);
  close(erfc(1), 0.15729920705028513);
  close(erfc(5), 1.5374597944280349e-12);
  close(erfc(-1), 1.8427007929497148);
  expect(erfc(0)).toBe(1);
});

it('the normal quantile inverts the normal tail', () => {
  close(normalQuantile(0.01), -2.3263478740408408);
  close(normalQuantile(0.975), 1.959963984540054);
  for (const p of [1e-12, 1e-4, 0.02, 0.0243, 0.3, 0.5, 0.8, 0.999])
    close(1 - normalTail(normalQuantile(p)), p, 1e-4);
  expect(normalQuantile(0)).toBe(Number.NEGATIVE_INFINITY);
  expect(normalQuantile(1)).toBe(Number.POSITIVE_INFINITY);
});

it('logGamma is the logarithm of the factorial', () => {
  close(logGamma(11), Math.log(3628800));
  close(logGamma(0.5), Math.log(Math.sqrt(Math.PI)));
  expect(Math.abs(logGamma(1))).toBeLessThan(1e-14);
});

it('the incomplete beta function gives binomial tails', () => {
  // P(X ≥ x) for X binomial(n, p) is I_p(x, n − x + 1).
  close(betaCdf(0.05, 3, 1), 1.25e-4, 1e-12);
  close(betaCdf(0.05, 5, 6), 6.36898314453125e-5, 1e-11);
  close(betaCdf(0.5, 10, 3), 0.019287109375, 1e-11);
  close(betaCdf(0.05, 5, 96), 0.5640186993142899, 1e-10);
  expect(betaCdf(0, 2, 3)).toBe(0);
  expect(betaCdf(1, 2, 3)).toBe(1);
});

it('the beta quantile inverts the incomplete beta function', () => {
  for (const p of [0.01, 0.5, 0.99]) close(betaCdf(betaQuantile(p, 3, 298), 3, 298), p, 1e-9);
});

it('sums of exponentials neither overflow nor lose the empty sum', () => {
  close(logAdd(1000, 1000), 1000 + Math.log(2));
  expect(logAdd(Number.NEGATIVE_INFINITY, 3)).toBe(3);
  expect(logAdd(3, Number.NEGATIVE_INFINITY)).toBe(3);
  close(logSum([2000, 2000, 2000], [0, 0, 0]), 2000 + Math.log(3));
  close(logSum([2000, 2000], [Math.log(0.25), Math.log(0.5)]), 2000 + Math.log(0.75));
  expect(logSum([], [])).toBe(Number.NEGATIVE_INFINITY);
});
