/** What a plan can see, for a person: per step, per regression, and what it is blind to. */
import type { Baseline } from '../../core/analysis/baseline.ts';
import { percent } from '../../core/analysis/figures.ts';
import type { AnalysisPolicy } from '../../core/analysis/policy.ts';
import type { Power } from '../../core/analysis/power.ts';
import { burnRate, burnRules } from '../../core/slo/burnRate.ts';
import { daysToExhaustion, detectionSeconds } from '../../core/slo/errorBudget.ts';
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

/** How long a period's error budget lasts if the release went out like that and nobody noticed. */
function budgetLasts(errorRate: number, { objective, objectivePeriodDays }: AnalysisPolicy): string {
  const burn = burnRate({ bad: errorRate, total: 1, objective });
  const days = daysToExhaustion({ left: 1, burn, periodDays: objectivePeriodDays });
  const [value, unit] = days >= 2 ? [days, 'days'] : [days * 24, 'hours'];
  return `${Number(value.toPrecision(2))} ${unit}`;
}

/** When the service's own burn alarms would page if all traffic were on the release: SRE Workbook, ch. 5. */
function pagesAfter(errorRatio: number, { objective, objectivePeriodDays }: AnalysisPolicy): string {
  const seconds = burnRules({ periodDays: objectivePeriodDays })
    .filter(({ severity }) => severity === 'page')
    .map(({ longSeconds: windowSeconds, burn }) =>
      detectionSeconds({ windowSeconds, burn, objective, errorRatio }),
    );
  const first = Math.min(...seconds);
  return Number.isFinite(first) ? `${Number((first / 60).toPrecision(2))} min` : 'never';
}

function regressionTable({ errors, business }: Power, policy: AnalysisPolicy): string[] {
  const minutesOf = (minutes: number | null) => (minutes === null ? 'not in this plan' : String(minutes));
  return table(
    ['regression', 'minutes', 'unnoticed, the error budget lasts', 'burn alarms page after'],
    [
      ...errors.map(({ errorRate, minutes }) => [
        `canary errors at ${percent(errorRate)}`,
        minutesOf(minutes),
        budgetLasts(errorRate, policy),
        pagesAfter(errorRate, policy),
      ]),
      ...policy.business.flatMap(({ name, counted }) =>
        business
          .filter((item) => item.name === name)
          .map(({ change: size, minutes }) => [
            `${change(counted)} of ${name} by ${percent(size)}`,
            minutesOf(minutes),
            '',
            '',
          ]),
      ),
    ],
  );
}

const change = (counted: 'good' | 'bad'): string => (counted === 'good' ? 'drop' : 'rise');
