// Named metrics measured again and again until their limits say enough: the semantics of Argo Rollouts'
// AnalysisRun (argoproj/argo-rollouts@9f8d111, analysis/analysis.go, utils/analysis/helpers.go,
// utils/evaluate/evaluate.go), minus three traps: one severity order everywhere (there a metric ranks Error
// above Failed and a run ranks Failed above Error), a metric stopped by its siblings is `cancelled` and not
// successful, and "no data" ends in an unknown, not in a failure of the release.
import type { AnalysisTemplate, Condition, TemplateMetric } from './policy.ts';

export type MeasurementResult = 'success' | 'failure' | 'inconclusive' | 'error';

/** One measurement; `value` null when there was nothing to measure. `at` is epoch milliseconds. */
export type Measurement = {
  readonly at: number;
  readonly value: number | null;
  readonly result: MeasurementResult;
};

export type Phase = 'pending' | 'running' | 'successful' | 'failed' | 'error' | 'inconclusive' | 'cancelled';

export type MetricRun = {
  readonly phase: Phase;
  /** Measurements that count: errors do not. */
  readonly counted: number;
  readonly failures: number;
  readonly inconclusives: number;
  readonly errors: number;
  readonly consecutiveErrors: number;
  readonly consecutiveSuccesses: number;
  readonly last: Measurement | null;
  readonly message: string;
};

export type TemplateRun = {
  readonly template: AnalysisTemplate;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  readonly metrics: Readonly<Record<string, MetricRun>>;
};

// A measurement that found no data is tried again after this long, whatever the interval.
const errorRetrySeconds = 10;
const consecutiveErrorLimitDefault = 4;

// Worst first; one order for metrics and runs.
const phasesWorstFirst: readonly Phase[] = [
  'failed',
  'error',
  'inconclusive',
  'cancelled',
  'pending',
  'running',
  'successful',
];

const fresh: MetricRun = {
  phase: 'pending',
  counted: 0,
  failures: 0,
  inconclusives: 0,
  errors: 0,
  consecutiveErrors: 0,
  consecutiveSuccesses: 0,
  last: null,
  message: '',
};

/** A run with nothing measured yet. */
export function beginRun(template: AnalysisTemplate, startedAt: number): TemplateRun {
  return {
    template,
    startedAt,
    metrics: Object.fromEntries(template.metrics.map((metric) => [metric.name, fresh])),
  };
}

/** How one value counts. Failure wins over success; between the two lies the inconclusive zone. */
export function evaluate(metric: TemplateMetric, value: number | null): MeasurementResult {
  if (value === null || Number.isNaN(value)) return 'error';
  const succeeds = metric.successWhen === undefined ? null : holds(metric.successWhen, value);
  const fails = metric.failWhen === undefined ? null : holds(metric.failWhen, value);
  if (fails === true) return 'failure';
  if (succeeds === true) return 'success';
  if (succeeds === null) return 'success';
  return fails === null ? 'failure' : 'inconclusive';
}

/** Whether a metric is to be measured at `at`. */
export function isDue(run: TemplateRun, metric: TemplateMetric, at: number): boolean {
  const state = run.metrics[metric.name] ?? fresh;
  if (isFinished(state.phase)) return false;
  if (state.last === null) return at >= run.startedAt + (metric.initialDelaySeconds ?? 0) * 1000;
  if (state.last.result === 'error') return at >= state.last.at + errorRetrySeconds * 1000;
  if (state.counted >= countOf(metric)) return false;
  return at >= state.last.at + (metric.intervalSeconds ?? 0) * 1000;
}

/** Adds a measurement of one metric. */
export function record(
  run: TemplateRun,
  metric: TemplateMetric,
  at: number,
  value: number | null,
): TemplateRun {
  const before = run.metrics[metric.name] ?? fresh;
  if (isFinished(before.phase)) return run;
  const result = evaluate(metric, value);
  const after: MetricRun = {
    ...before,
    counted: before.counted + (result === 'error' ? 0 : 1),
    failures: before.failures + (result === 'failure' ? 1 : 0),
    inconclusives: before.inconclusives + (result === 'inconclusive' ? 1 : 0),
    errors: before.errors + (result === 'error' ? 1 : 0),
    consecutiveErrors: result === 'error' ? before.consecutiveErrors + 1 : 0,
    consecutiveSuccesses: result === 'success' ? before.consecutiveSuccesses + 1 : 0,
    last: { at, value, result },
  };
  return { ...run, metrics: { ...run.metrics, [metric.name]: { ...after, ...assess(metric, after) } } };
}

// All limits are "more than"; the worst that applies wins.
function assess(metric: TemplateMetric, state: MetricRun): Pick<MetricRun, 'phase' | 'message'> {
  const failureLimit = metric.failureLimit ?? 0;
  const inconclusiveLimit = metric.inconclusiveLimit ?? 0;
  const errorLimit = metric.consecutiveErrorLimit ?? consecutiveErrorLimitDefault;
  const successLimit = metric.consecutiveSuccessLimit ?? 0;
  if (failureLimit >= 0 && state.failures > failureLimit) {
    return { phase: 'failed', message: `failures (${state.failures}) > failureLimit (${failureLimit})` };
  }
  if (state.consecutiveErrors > errorLimit) {
    const errors = `consecutiveErrors (${state.consecutiveErrors})`;
    const why = `no data: ${errors} > consecutiveErrorLimit (${errorLimit})`;
    return { phase: 'error', message: why };
  }
  if (state.inconclusives > inconclusiveLimit) {
    const why = `inconclusive (${state.inconclusives}) > inconclusiveLimit (${inconclusiveLimit})`;
    return { phase: 'inconclusive', message: why };
  }
  if (successLimit > 0 && state.consecutiveSuccesses >= successLimit) {
    return { phase: 'successful', message: `${successLimit} successes in a row` };
  }
  if (state.counted < countOf(metric)) {
    const message = state.last?.result === 'error' ? 'no data returned from the metrics' : '';
    return { phase: 'running', message };
  }
  if (successLimit === 0) return { phase: 'successful', message: '' };
  const unmet = `consecutiveSuccessLimit (${successLimit}) not met in ${state.counted} measurements`;
  return { phase: failureLimit < 0 ? 'failed' : 'inconclusive', message: unmet };
}

/** One pass over the run: once a counting metric has ended badly, its unfinished siblings are cancelled. */
export function cancelSiblings(run: TemplateRun): TemplateRun {
  const bad = countingMetrics(run).some(([, state]) => isBad(state.phase));
  if (!bad) return run;
  const metrics = Object.entries(run.metrics).map(([name, state]): [string, MetricRun] =>
    isFinished(state.phase)
      ? [name, state]
      : [name, { ...state, phase: 'cancelled', message: 'another metric decided' }],
  );
  return { ...run, metrics: Object.fromEntries(metrics) };
}

/** The phase of the whole run: running while any metric is, else the worst. Dry-run metrics do not count. */
export function phaseOf(run: TemplateRun): Phase {
  const phases = countingMetrics(run).map(([, state]) => state.phase);
  if (phases.some((phase) => !isFinished(phase))) return 'running';
  // A run of dry-run metrics alone has nothing that could fail it.
  return phasesWorstFirst.find((phase) => phases.includes(phase)) ?? 'successful';
}

/** How the dry-run metrics ended, by phase. */
export function dryRunSummary(run: TemplateRun): Partial<Record<Phase, number>> {
  const summary: Partial<Record<Phase, number>> = {};
  for (const [name, { phase }] of Object.entries(run.metrics)) {
    if (isDryRun(run.template, name)) summary[phase] = (summary[phase] ?? 0) + 1;
  }
  return summary;
}

export function isDryRun(template: AnalysisTemplate, metric: string): boolean {
  return (template.dryRun ?? []).some((pattern) => new RegExp(pattern).test(metric));
}

function isFinished(phase: Phase): boolean {
  return phase !== 'pending' && phase !== 'running';
}

function isBad(phase: Phase): boolean {
  return phase === 'failed' || phase === 'error' || phase === 'inconclusive';
}

function countingMetrics(run: TemplateRun): [string, MetricRun][] {
  return Object.entries(run.metrics).filter(([name]) => !isDryRun(run.template, name));
}

/** Measurements to make: one without count and interval, no end with an interval only. */
function countOf({ count, intervalSeconds }: TemplateMetric): number {
  return count ?? (intervalSeconds === undefined ? 1 : Number.POSITIVE_INFINITY);
}

function holds({ is, value }: Condition, measured: number): boolean {
  switch (is) {
    case '<':
      return measured < value;
    case '<=':
      return measured <= value;
    case '>':
      return measured > value;
    case '>=':
      return measured >= value;
  }
}
