// S5: Mann–Whitney agrees with scipy to 1e-12 and is at least five times as fast, in the same run.
import { execFileSync } from 'node:child_process';
import { mannWhitneyU } from '../lib/core/analysis/mannWhitney.ts';
import { type Random, randomFrom } from './detection/random.ts';
import type { BenchArguments } from './main.ts';

const python = '/usr/bin/python3';
const alternatives = ['less', 'greater', 'two-sided'] as const;
const rounds = 7;

/** Reads cases and sizes on stdin; answers p-values per case, and the best of some rounds per size, ms. */
const script = `
import json, sys, time, warnings
import numpy, scipy
from scipy.stats import mannwhitneyu
warnings.simplefilter('ignore')
asked = json.load(sys.stdin)
ps = [[[float(mannwhitneyu(x, y, alternative=a, method=m).pvalue) for a in ('less', 'greater', 'two-sided')]
       for m in ('asymptotic', 'exact')] for x, y in asked['cases']]
times = []
for n in asked['sizes']:
    x, y = numpy.random.lognormal(0, .6, n), numpy.random.lognormal(0, .6, n)
    best = float('inf')
    for _ in range(asked['rounds']):
        start = time.perf_counter()
        mannwhitneyu(x, y, alternative='less', method='asymptotic')
        best = min(best, time.perf_counter() - start)
    times.append(best * 1000)
print(json.dumps({'version': scipy.__version__, 'ps': ps, 'times': times}))
`;

type Answer = { version: string; ps: number[][][]; times: number[] };

export async function run({ full, seed }: BenchArguments): Promise<object> {
  const random = randomFrom(seed);
  const sizes = full ? [1e3, 1e4, 1e5, 1e6] : [1e3, 1e5];
  const cases = Array.from({ length: full ? 300 : 60 }, (_, i) => drawCase(random, i));
  const ours = sizes.map((size) => bestMs(random, size));
  const peer = askScipy({ cases, sizes, rounds });
  if (peer === null) {
    console.log(`SKIPPED scipy: ${python} with scipy is not here, so there is no peer to compare with`);
    for (const [i, size] of sizes.entries()) console.log(`n = ${size}: ${ours[i]?.toFixed(2)} ms`);
    return { skipped: 'scipy', oursMs: ours };
  }
  const difference = largestDifference(cases, peer.ps);
  console.log(
    `largest difference of p over ${cases.length} cases × 6: ${difference.toExponential(1)} (goal 1e-12)`,
  );
  console.log(`          n   ours ms  scipy ${peer.version} ms   times as fast (goal 5 at 1e5)`);
  for (const [i, size] of sizes.entries()) {
    const [mine = 0, theirs = 0] = [ours[i], peer.times[i]];
    const figures = [
      size.toExponential(0).padStart(11),
      mine.toFixed(2).padStart(10),
      theirs.toFixed(2).padStart(16),
    ];
    console.log(`${figures.join('')}${(theirs / mine).toFixed(1).padStart(12)}`);
  }
  const at = sizes.indexOf(1e5);
  return {
    S5largestDifference: difference,
    S5timesAsFast: Number(((peer.times[at] ?? 0) / (ours[at] ?? 1)).toPrecision(3)),
    oursMs: ours,
    scipyMs: peer.times,
  };
}

// Half of the cases with many ties.
function drawCase(random: Random, i: number): [number[], number[]] {
  const values = i % 2 === 0 ? 10 : 1e9;
  const sample = () =>
    Array.from({ length: 1 + Math.floor(random.uniform() * 30) }, () =>
      Math.floor(random.uniform() * values),
    );
  return [sample(), sample().map((value) => value + (i % 3))];
}

function bestMs(random: Random, size: number): number {
  const sample = () => Float64Array.from({ length: size }, () => Math.exp(0.6 * random.normal()));
  const [baseline, canary] = [sample(), sample()];
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++) {
    const started = performance.now();
    mannWhitneyU(baseline, canary, { alternative: 'less', method: 'asymptotic' });
    best = Math.min(best, performance.now() - started);
  }
  return best;
}

function largestDifference(cases: readonly [number[], number[]][], ps: readonly number[][][]): number {
  let largest = 0;
  cases.forEach(([baseline, canary], i) => {
    (['asymptotic', 'exact'] as const).forEach((method, m) => {
      alternatives.forEach((alternative, a) => {
        const { p } = mannWhitneyU(baseline, canary, { alternative, method });
        largest = Math.max(largest, Math.abs(p - (ps[i]?.[m]?.[a] ?? Number.NaN)));
      });
    });
  });
  return largest;
}

function askScipy(asked: object): Answer | null {
  try {
    const options = { input: JSON.stringify(asked), encoding: 'utf8', maxBuffer: 1e8 } as const;
    return JSON.parse(
      execFileSync(python, ['-c', script], { ...options, stdio: ['pipe', 'pipe', 'ignore'] }),
    );
  } catch {
    return null;
  }
}
