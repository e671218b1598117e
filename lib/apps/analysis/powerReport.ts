/** What a plan can see, for a person: per step, per regression, and what it is blind to. */
import type { Baseline } from '../../core/analysis/baseline.ts';
import { percent } from '../../core/analysis/look.ts';
import type { AnalysisPolicy } from '../../core/analysis/policy.ts';
import type { Power } from '../../core/analysis/power.ts';
import { table } from './table.ts';

export type Planned = {
  readonly service: string;
  readonly policy: AnalysisPolicy;
  readonly baseline: Baseline;
  readonly power: Power;
};

export function powerReport({ service, policy, baseline, power }: Planned): string[] {
  return [
    `${service}: ${trafficOf(baseline)}`,
    `Errors are taken to come in clusters: dispersion ${Number(baseline.errorDispersion.toPrecision(3))}.`,
    `A good release is taken back at most ${percent(policy.alpha)} of the time.`,
    '',
    'Smallest regression each step can see by itself (median)',
    ...stepTable(power, policy),
    '',
    'Minutes from the start of the plan until it is rolled back (median, with the data’s delay)',
    ...regressionTable(power, policy),
    ...(power.blindSpots.length === 0 ? [] : ['', ...power.blindSpots]),
  ];
}

function trafficOf({ requestsPerSecond, errorRate, historyMinutes }: Baseline): string {
  if (requestsPerSecond === null) return 'no traffic is known';
  const errors = errorRate === null ? 'an unknown share of errors' : `${percent(errorRate)} errors`;
  const from = historyMinutes === 0 ? 'as stated' : `over the last ${historyMinutes} minutes`;
  return `${Number(requestsPerSecond.toPrecision(3))} requests per second, ${errors}, ${from}`;
}

function stepTable({ steps }: Power, { business }: AnalysisPolicy): string[] {
  const heading = ['weight', 'minutes', 'canary requests', 'error rate', 'latency shift'];
  const rows = steps.map((step) => [
    String(step.weight),
    String(Number(step.minutes.toFixed(1))),
    String(step.canaryRequests),
    step.errorRate === null ? 'none' : percent(step.errorRate),
    // In standard deviations of the latency's logarithm, as `latency.shiftMargin` is.
    step.latencyShift === null ? 'none' : `${step.latencyShift} sd`,
    ...business.map(({ name }) => {
      const ratio = step.business[name] ?? null;
      return ratio === null ? 'none' : percent(Math.abs(1 - ratio));
    }),
  ]);
  return table([...heading, ...business.map(({ name, counted }) => `${change(counted)} of ${name}`)], rows);
}

function regressionTable({ errors, business }: Power, { business: checks }: AnalysisPolicy): string[] {
  const minutesOf = (minutes: number | null) => (minutes === null ? 'not in this plan' : String(minutes));
  return table(
    ['regression', 'minutes'],
    [
      ...errors.map(({ errorRate, minutes }) => [
        `canary errors at ${percent(errorRate)}`,
        minutesOf(minutes),
      ]),
      ...checks.flatMap(({ name, counted }) =>
        business
          .filter((item) => item.name === name)
          .map(({ change: size, minutes }) => [
            `${change(counted)} of ${name} by ${percent(size)}`,
            minutesOf(minutes),
          ]),
      ),
    ],
  );
}

const change = (counted: 'good' | 'bad'): string => (counted === 'good' ? 'drop' : 'rise');
