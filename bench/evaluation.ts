// S6: one evaluation of a service with twenty checks over a rollout of three hours, from the stored minutes.
import { analyse } from '../lib/core/analysis/analyse.ts';
import { freezeBaseline, slowThresholds } from '../lib/core/analysis/freezeBaseline.ts';
import type { Minute, SideMinute } from '../lib/core/analysis/minutes.ts';
import {
  type AnalysisPolicy,
  defaultAnalysisPolicy,
  type TemplateMetric,
} from '../lib/core/analysis/policy.ts';
import { type Random, randomFrom } from './detection/random.ts';
import type { BenchArguments } from './main.ts';

const rolloutMinutes = 180;
const limitMs = 5;
const requestsPerSecond = 1000;
const percentilesMs = [80, 172, 214, 323, 510];
// Share of requests slower than each threshold of a lognormal with median 80 ms and σ = 0.6, in their order.
const slowShare = (thresholdMs: number) => 1 / (1 + (thresholdMs / 80) ** 2.9);

const conversions = ['checkout', 'search', 'sign-up'].map((name) => ({
  name,
  counted: 'good' as const,
  tolerance: 0.05,
  maturityMinutes: 5,
}));

const metrics: readonly TemplateMetric[] = [
  {
    name: 'errors',
    measure: 'error-rate',
    successWhen: { is: '<', value: 0.05 },
    failWhen: { is: '>=', value: 0.1 },
  },
  { name: 'ratio', measure: 'error-ratio', failWhen: { is: '>', value: 10 } },
  {
    name: 'p95',
    measure: 'p95-ms',
    successWhen: { is: '<', value: 500 },
    failWhen: { is: '>', value: 1000 },
  },
  { name: 'p95-ratio', measure: 'p95-ratio', failWhen: { is: '>', value: 3 } },
  { name: 'burn', measure: 'burn', failWhen: { is: '>', value: 50 } },
  { name: 'hosts', measure: 'unhealthy-hosts', failWhen: { is: '>', value: 5 } },
  { name: 'checkout', measure: { business: 'checkout' }, failWhen: { is: '<', value: 0.5 } },
];

const policy: AnalysisPolicy = {
  ...defaultAnalysisPolicy,
  business: conversions,
  templates: [{ name: 'service', metrics: metrics.map((metric) => ({ ...metric, intervalSeconds: 60 })) }],
};

export async function run({ full, seed }: BenchArguments): Promise<object> {
  const random = randomFrom(seed);
  const slowThresholdsMs = slowThresholds(policy, { percentilesMs, p95Ms: 214 });
  const history = Array.from({ length: 1440 }, () => side(random, slowThresholdsMs, 1));
  const baseline = freezeBaseline(policy, { history, slowThresholdsMs, p95Ms: 214 });
  const minutes: Minute[] = Array.from({ length: rolloutMinutes }, (_, i) => {
    const weight = [5, 15, 25, 50][Math.floor((i * 4) / rolloutMinutes)] as number;
    const [canary, stable] = [weight, 100 - weight].map((share) =>
      side(random, slowThresholdsMs, share / 100),
    );
    return { startMs: i * 60_000, periodSeconds: 60, weight, canary: canary ?? null, stable: stable ?? null };
  });
  const stepStartedAt = (rolloutMinutes * 3 * 60_000) / 4;
  const now = rolloutMinutes * 60_000 + policy.dataDelaySeconds * 1000;
  const input = { policy, baseline, minutes, now, stepStartedAt, stepEndsAt: now, weight: 50 } as const;
  const times: number[] = [];
  let checks = 0;
  const cpuBefore = process.cpuUsage();
  for (let i = 0; i < (full ? 1000 : 200); i++) {
    const started = performance.now();
    const { checks: counting, shown } = analyse({ ...input, checksDue: 'step-end' });
    checks = [...counting, ...shown()].map(({ tell }) => tell()).length;
    times.push(performance.now() - started);
  }
  const cpu = process.cpuUsage(cpuBefore);
  const cpuMs = Number(((cpu.user + cpu.system) / 1000 / times.length).toPrecision(3));
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) => Number((sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toPrecision(3));
  console.log(
    `${checks} checks, ${rolloutMinutes} minutes, ${requestsPerSecond} requests/s, n = ${times.length}`,
  );
  console.log(
    `first ${times[0]?.toFixed(2)} ms, median ${at(0.5)} ms, p95 ${at(0.95)} ms (goal: below ${limitMs} ms)`,
  );
  console.log(`${cpuMs} ms of processor each`);
  return {
    checks,
    S6firstMs: Number(times[0]?.toPrecision(3)),
    S6medianMs: at(0.5),
    S6p95Ms: at(0.95),
    S6processorMs: cpuMs,
  };
}

function side(random: Random, thresholdsMs: readonly number[], share: number): SideMinute {
  const requests = random.poisson(requestsPerSecond * 60 * share);
  let left = requests;
  let before = 1;
  const slow = thresholdsMs.map((threshold) => {
    left = random.binomial(left, slowShare(threshold) / before);
    before = slowShare(threshold);
    return left;
  });
  const sessions = Math.round(requests / 20);
  return {
    requests,
    errors: random.binomial(requests, 0.0005),
    slow,
    p95Ms: 210 + 8 * random.normal(),
    unhealthyHosts: 0,
    connectionErrors: 0,
    business: Object.fromEntries(
      conversions.map(({ name }) => [name, { count: random.binomial(sessions, 0.03), total: sessions }]),
    ),
  };
}
