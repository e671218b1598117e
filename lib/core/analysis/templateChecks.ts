// Runs a policy's templates over the minutes of the step: each minute is a moment at which metrics may be
// due.
import type { Look } from './look.ts';
import { measure } from './measure.ts';
import { endMs, type Minute } from './minutes.ts';
import type { AnalysisPolicy, AnalysisTemplate, TemplateMetric } from './policy.ts';
import {
  beginRun,
  cancelSiblings,
  isDryRun,
  isDue,
  type MetricRun,
  record,
  type TemplateRun,
} from './templateRun.ts';
import type { Check, Verdict } from './verdict.ts';

export function templateChecks(look: Look): Check[] {
  return look.policy.templates.flatMap((template) => {
    const run = runTemplate(template, look.step, look.policy);
    return template.metrics.map((metric) => metricCheck(look, run, metric));
  });
}

/** The run of a template over a step's minutes; every step starts a new run. */
function runTemplate(
  template: AnalysisTemplate,
  step: readonly Minute[],
  policy: AnalysisPolicy,
): TemplateRun {
  const first = step[0];
  let run = beginRun(template, first?.startMs ?? 0);
  const since = new Map<string, number>();
  for (let i = 0; i < step.length; i++) {
    const at = endMs(step[i] as Minute);
    for (const metric of template.metrics) {
      if (!isDue(run, metric, at)) continue;
      const from = since.get(metric.name) ?? 0;
      const value = measure(metric.measure, step.slice(from, i + 1), { step: step.slice(0, i + 1), policy });
      run = record(run, metric, at, value);
      since.set(metric.name, i + 1);
    }
    run = cancelSiblings(run);
  }
  return run;
}

function metricCheck(look: Look, run: TemplateRun, metric: TemplateMetric): Check {
  const state = run.metrics[metric.name] as MetricRun;
  const name = `${run.template.name}/${metric.name}`;
  return {
    name,
    verdict: verdictOf(state, metric, look.atStepEnd),
    tell: () => {
      const value = state.last?.value;
      const limit = metric.failWhen ?? metric.successWhen;
      const why = state.message === '' ? '' : ` (${state.message})`;
      return {
        counts: {
          measured: state.counted,
          failures: state.failures,
          inconclusive: state.inconclusives,
          errors: state.errors,
          ...(value === null || value === undefined ? {} : { value }),
        },
        threshold: limit?.value ?? null,
        sentence: `${name} is ${state.phase}${why}.`,
      };
    },
    ...(isDryRun(run.template, metric.name) ? { dryRun: true } : {}),
  };
}

// An error is an unknown (there was no data), not a bad release. What was cancelled was decided by another.
// Unfinished at the step's end is unknown too, unless it was meant to run for as long as the step does.
function verdictOf(state: MetricRun, metric: TemplateMetric, atStepEnd: boolean): Verdict {
  switch (state.phase) {
    case 'successful':
      return 'pass';
    case 'failed':
      return 'fail';
    case 'error':
    case 'inconclusive':
    case 'cancelled':
      return 'inconclusive';
    case 'pending':
    case 'running': {
      if (!atStepEnd) return 'pass';
      const endless = metric.count === undefined && metric.intervalSeconds !== undefined;
      const wanted = (metric.consecutiveSuccessLimit ?? 0) > 0;
      return endless && !wanted && state.last?.result === 'success' ? 'pass' : 'inconclusive';
    }
  }
}
