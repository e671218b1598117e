// The few special functions the tests need, to double precision and without a dependency.

// W. J. Cody, "Rational Chebyshev approximations for the error function", Math. Comp. 23 (1969); relative
// error below 1.2e-16 in each of the three ranges.
const erfNear = {
  top: [0.18577770618460315, 3.1611237438705655, 113.86415415105016, 377.485237685302, 3209.3775891384694],
  low: [1, 23.601290952344122, 244.02463793444417, 1282.6165260773723, 2844.236833439171],
};
const erfcMiddle = {
  top: [
    2.1531153547440383e-8, 0.5641884969886701, 8.883149794388377, 66.11919063714163, 298.6351381974001,
    881.952221241769, 1712.0476126340707, 2051.0783778260716, 1230.3393547979972,
  ],
  low: [
    1, 15.744926110709835, 117.6939508913125, 537.1811018620099, 1621.3895745666903, 3290.7992357334597,
    4362.619090143247, 3439.3676741437216, 1230.3393548037495,
  ],
};
const erfcFar = {
  top: [
    0.016315387137302097, 0.30532663496123236, 0.36034489994980445, 0.12578172611122926, 0.016083785148742275,
    0.0006587491615298378,
  ],
  low: [
    1, 2.568520192289822, 1.8729528499234673, 0.5279051029514285, 0.06051834131244132, 0.0023352049762686918,
  ],
};

/** Complementary error function. */
export function erfc(x: number): number {
  const y = Math.abs(x);
  if (y <= 0.46875) return 1 - (x * polynomial(erfNear.top, y * y)) / polynomial(erfNear.low, y * y);
  let tail: number;
  if (y <= 4) {
    tail = polynomial(erfcMiddle.top, y) / polynomial(erfcMiddle.low, y);
  } else {
    const z = 1 / (y * y);
    tail = (1 / Math.sqrt(Math.PI) - (z * polynomial(erfcFar.top, z)) / polynomial(erfcFar.low, z)) / y;
  }
  // exp(−y²) in two factors: y² alone would lose half its digits to rounding when y is large.
  const rounded = Math.trunc(y * 16) / 16;
  const value = Math.exp(-rounded * rounded) * Math.exp(-(y - rounded) * (y + rounded)) * tail;
  return x < 0 ? 2 - value : value;
}

/** P(Z > z) for a standard normal Z. */
export function normalTail(z: number): number {
  return 0.5 * erfc(z * Math.SQRT1_2);
}

/** z with P(Z ≤ z) = p. Acklam's approximation and one step of Halley's method: about 1e-15 relative. */
export function normalQuantile(p: number): number {
  if (p <= 0) return Number.NEGATIVE_INFINITY;
  if (p >= 1) return Number.POSITIVE_INFINITY;
  if (p > 0.5) return -normalQuantile(1 - p);
  const z = acklam(p);
  const e = normalTail(-z) - p;
  const u = e * Math.sqrt(2 * Math.PI) * Math.exp((z * z) / 2);
  return z - u / (1 + (z * u) / 2);
}

// Peter J. Acklam's rational approximation of the normal quantile for p ≤ 0.5; relative error 1.15e-9.
const quantileTail = {
  top: [
    -0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968,
    2.938163982698783,
  ],
  low: [0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416, 1],
};
const quantileMiddle = {
  top: [
    -39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716,
    2.506628277459239,
  ],
  low: [-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572, 1],
};

function acklam(p: number): number {
  if (p < 0.02425) {
    const q = Math.sqrt(-2 * Math.log(p));
    return polynomial(quantileTail.top, q) / polynomial(quantileTail.low, q);
  }
  const q = p - 0.5;
  const r = q * q;
  return (q * polynomial(quantileMiddle.top, r)) / polynomial(quantileMiddle.low, r);
}

const lanczos = [
  0.9999999999998099, 676.5203681218851, -1259.1392167224028, 771.3234287776531, -176.6150291621406,
  12.507343278686905, -0.13857109526572012, 0.000009984369578019572, 1.5056327351493116e-7,
];

/** Natural logarithm of the gamma function for x > 0 (Lanczos, g = 7, 9 terms; about 1e-15 relative). */
export function logGamma(x: number): number {
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x);
  let sum = lanczos[0] ?? 0;
  for (let i = 1; i < lanczos.length; i++) sum += (lanczos[i] ?? 0) / (x - 1 + i);
  const t = x + 6.5;
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(sum);
}

/** Regularised incomplete beta function I_x(a, b): continued fraction by Lentz's method. */
export function betaCdf(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - betaCdf(1 - x, b, a);
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x));
  const tiny = 1e-300;
  let c = 1;
  let d = 1 / clear(1 - ((a + b) * x) / (a + 1), tiny);
  let h = d;
  // Converges in O(√max(a, b)) terms; 10 000 serve counts up to about 1e8.
  for (let m = 1; m <= 10_000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / clear(1 + even * d, tiny);
    c = clear(1 + even / c, tiny);
    h *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / clear(1 + odd * d, tiny);
    c = clear(1 + odd / c, tiny);
    h *= d * c;
    if (Math.abs(d * c - 1) < 1e-15) break;
  }
  return (front * h) / a;
}

/** x with I_x(a, b) = p, by bisection: 60 halvings leave less than 1e-18. */
export function betaQuantile(p: number, a: number, b: number): number {
  let low = 0;
  let high = 1;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (betaCdf(middle, a, b) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** log(e^a + e^b) without overflow. */
export function logAdd(a: number, b: number): number {
  if (a === Number.NEGATIVE_INFINITY) return b;
  if (b === Number.NEGATIVE_INFINITY) return a;
  const apart = Math.abs(a - b);
  const larger = a > b ? a : b;
  // e^−40 is below what a double can add.
  return apart > 40 ? larger : larger + Math.log1p(Math.exp(-apart));
}

/** log of the sum of w·e^v over the values, each with the logarithm of its weight. */
export function logSum(values: readonly number[], logWeights: readonly number[]): number {
  let peak = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < values.length; k++) {
    const weighted = (values[k] as number) + (logWeights[k] as number);
    if (weighted > peak) peak = weighted;
  }
  if (peak === Number.NEGATIVE_INFINITY) return peak;
  let sum = 0;
  for (let k = 0; k < values.length; k++) {
    const weighted = (values[k] as number) + (logWeights[k] as number);
    sum += weighted === peak ? 1 : Math.exp(weighted - peak);
  }
  return peak + Math.log(sum);
}

// Coefficients from the highest power down.
function polynomial(coefficients: readonly number[], x: number): number {
  let value = 0;
  for (let k = 0; k < coefficients.length; k++) value = value * x + (coefficients[k] as number);
  return value;
}

function clear(value: number, tiny: number): number {
  return Math.abs(value) < tiny ? tiny : value;
}
