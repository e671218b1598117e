// The semantics of Argo Rollouts' AnalysisRun, case by case; where ours differs on purpose the name says so.
import { describe, expect, it } from 'vitest';
import type { AnalysisTemplate, TemplateMetric } from '../../../lib/core/analysis/policy.ts';
import { refuseTemplate } from '../../../lib/core/analysis/refusePolicy.ts';
import {
  beginRun,
  cancelSiblings,
  dryRunSummary,
  evaluate,
  isDue,
  phaseOf,
  record,
  type TemplateRun,
} from '../../../lib/core/analysis/templateRun.ts';

const zone = { successWhen: { is: '<', value: 0.05 }, failWhen: { is: '>=', value: 0.1 } } as const;
const values: Record<string, number | null> = { S: 0.01, F: 0.2, I: 0.07, E: null };

const metric = (given: Partial<TemplateMetric> = {}): TemplateMetric => ({
  name: 'errors',
  measure: 'error-rate',
  ...zone,
  ...given,
});
const template = (metrics: TemplateMetric[], dryRun: string[] = []): AnalysisTemplate => ({
  name: 't',
  metrics,
  dryRun,
});

// Measures every minute, as given by one letter each.
function after(measured: string, given: Partial<TemplateMetric>) {
  const item = metric({ intervalSeconds: 60, ...given });
  let run: TemplateRun = beginRun(template([item]), 0);
  measured.split(' ').forEach((letter, i) => {
    run = record(run, item, i * 60_000, values[letter] ?? null);
  });
  return { run, phase: run.metrics.errors?.phase, message: run.metrics.errors?.message };
}

describe('one measurement', () => {
  const success = { successWhen: { is: '<', value: 0.05 } } as const;
  const failure = { failWhen: { is: '>=', value: 0.1 } } as const;
  const bare = { name: 'm', measure: 'error-rate' } as const;

  it.each([
    ['no condition', bare, 0.5, 'success'],
    ['success condition met', { ...bare, ...success }, 0.049, 'success'],
    ['success condition at its boundary', { ...bare, ...success }, 0.05, 'failure'],
    ['failure condition met at its boundary', { ...bare, ...failure }, 0.1, 'failure'],
    ['failure condition not met', { ...bare, ...failure }, 0.0999, 'success'],
    ['both conditions, below success', { ...bare, ...zone }, 0.0499, 'success'],
    ['both conditions, at the success boundary', { ...bare, ...zone }, 0.05, 'inconclusive'],
    ['both conditions, just below failure', { ...bare, ...zone }, 0.0999, 'inconclusive'],
    ['both conditions, at the failure boundary', { ...bare, ...zone }, 0.1, 'failure'],
    [
      'both conditions true at once',
      { ...bare, successWhen: { is: '>', value: 0 }, failWhen: { is: '>', value: 0 } },
      1,
      'failure',
    ],
    ['no value', { ...bare, ...zone }, null, 'error'],
    ['not a number', { ...bare, ...zone }, Number.NaN, 'error'],
  ] as const)('%s', (_, given, value, expected) => {
    expect(evaluate(given, value)).toBe(expected);
  });
});

describe('one metric', () => {
  it.each([
    ['1: failures beyond the limit fail it', 'S F S F F', { count: 5, failureLimit: 2 }, 'failed'],
    ['2: failures at the limit do not', 'S F S F S', { count: 5, failureLimit: 2 }, 'successful'],
    ['3: it is not decided before the count', 'S F S F', { count: 5, failureLimit: 2 }, 'running'],
    ['4: four errors in a row leave it running', 'E E E E', {}, 'running'],
    ['5: five errors in a row are an error', 'E E E E E', {}, 'error'],
    ['6: any other result begins the errors anew', 'E E E E S E E E E', {}, 'running'],
    ['9: errors do not count towards the count', 'S E S E S', { count: 3 }, 'successful'],
    [
      '10: successes in a row end it',
      'F F F S S S',
      { consecutiveSuccessLimit: 3, failureLimit: -1 },
      'successful',
    ],
    [
      '11: too few of them at the count fail it',
      'F F S F S S S',
      { count: 7, consecutiveSuccessLimit: 5, failureLimit: -1 },
      'failed',
    ],
    [
      '12: with both limits on and neither met it is inconclusive',
      'S S F S S F S',
      { count: 7, consecutiveSuccessLimit: 4, failureLimit: 3 },
      'inconclusive',
    ],
    [
      '13: the failure limit wins',
      'F F F F F S S S S',
      { count: 9, consecutiveSuccessLimit: 4, failureLimit: 4 },
      'failed',
    ],
    [
      '14: without count and interval one measurement is all',
      'S',
      { intervalSeconds: undefined },
      'successful',
    ],
    ['15: the first inconclusive one is too many by default', 'I', {}, 'inconclusive'],
    ['inconclusive ones at the limit are not', 'I S I S', { count: 4, inconclusiveLimit: 2 }, 'successful'],
    ['inconclusive ones beyond it are', 'I S I I', { count: 4, inconclusiveLimit: 2 }, 'inconclusive'],
    [
      'failed outranks inconclusive, in a metric as in a run',
      'F I',
      { failureLimit: 1, inconclusiveLimit: 1 },
      'running',
    ],
    [
      'a failure after the last allowed inconclusive one fails it',
      'I F',
      { failureLimit: 0, inconclusiveLimit: 1 },
      'failed',
    ],
    [
      'a switched-off failure limit forgives every failure',
      'F F F F',
      { failureLimit: -1, consecutiveSuccessLimit: 1 },
      'running',
    ],
  ] as const)('%s', (_, measured, given, expected) => {
    const { intervalSeconds, ...rest } = { intervalSeconds: 60 as number | undefined, ...given };
    const interval = intervalSeconds === undefined ? {} : { intervalSeconds };
    const item: TemplateMetric = { name: 'errors', measure: 'error-rate', ...zone, ...rest, ...interval };
    let run = beginRun(template([item]), 0);
    measured.split(' ').forEach((letter, i) => {
      run = record(run, item, i * 60_000, values[letter] ?? null);
    });
    expect(run.metrics.errors?.phase).toBe(expected);
  });

  it('says by which limit it was decided', () => {
    expect(after('E E E E E', {}).message).toBe('no data: consecutiveErrors (5) > consecutiveErrorLimit (4)');
    expect(after('F', {}).message).toBe('failures (1) > failureLimit (0)');
    expect(after('I', {}).message).toBe('inconclusive (1) > inconclusiveLimit (0)');
  });

  it('16: no value is an error whose text says that there was no data', () => {
    const { run, phase, message } = after('E', {});
    expect(run.metrics.errors?.errors).toBe(1);
    expect(phase).toBe('running');
    expect(message).toContain('no data');
  });

  it('a finished metric takes no further measurement', () => {
    const { run } = after('F', {});
    expect(record(run, metric(), 120_000, 0.01)).toBe(run);
  });
});

describe('when a measurement is due', () => {
  const due = (given: Partial<TemplateMetric>, measured: string, at: number) => {
    const item = metric(given);
    let run = beginRun(template([item]), 0);
    measured.split(' ').forEach((letter) => {
      if (letter !== '') run = record(run, item, 0, values[letter] ?? null);
    });
    return isDue(run, item, at);
  };

  it('7: ten seconds after an error, whatever the interval', () => {
    expect(due({ intervalSeconds: 300 }, 'E', 9_000)).toBe(false);
    expect(due({ intervalSeconds: 300 }, 'E', 11_000)).toBe(true);
  });

  it('8: one interval after any other', () => {
    expect(due({ intervalSeconds: 60 }, 'S', 50_000)).toBe(false);
    expect(due({ intervalSeconds: 60 }, 'S', 60_000)).toBe(true);
    expect(due({ intervalSeconds: 60 }, 'S', 61_000)).toBe(true);
  });

  it('14: never again when one measurement is all', () => {
    expect(due({}, 'S', 1e9)).toBe(false);
  });

  it('22: not before the initial delay', () => {
    expect(due({ initialDelaySeconds: 30 }, '', 10_000)).toBe(false);
    expect(due({ initialDelaySeconds: 30 }, '', 31_000)).toBe(true);
  });

  it('not once the count is reached', () => {
    expect(due({ intervalSeconds: 1, count: 2, failureLimit: 1 }, 'S S', 1e9)).toBe(false);
  });
});

describe('a run', () => {
  const a = metric({ name: 'a', intervalSeconds: 60 });
  const b = metric({ name: 'b', intervalSeconds: 60 });

  it('17: is running while one metric is, then cancels it and has failed', () => {
    let run = beginRun(template([a, b]), 0);
    run = record(run, a, 0, 0.01);
    run = record(run, b, 0, 0.5);
    expect(phaseOf(run)).toBe('running');
    run = cancelSiblings(run);
    expect(run.metrics.a?.phase).toBe('cancelled');
    expect(phaseOf(run)).toBe('failed');
  });

  it('18: is as bad as its worst metric, failed before error before inconclusive', () => {
    const phase = (x: number | null, y: number | null) => {
      const once = [
        metric({ name: 'a', consecutiveErrorLimit: 0 }),
        metric({ name: 'b', consecutiveErrorLimit: 0 }),
      ] as const;
      let run = beginRun(template([...once]), 0);
      run = record(run, once[0], 0, x);
      return phaseOf(record(run, once[1], 0, y));
    };
    expect(phase(0.5, null)).toBe('failed');
    expect(phase(null, 0.07)).toBe('error');
    expect(phase(0.07, 0.01)).toBe('inconclusive');
    expect(phase(0.01, 0.01)).toBe('successful');
  });

  it('19: is successful when only a dry-run metric fails, and the summary counts it', () => {
    const once = metric({ name: 'a' });
    const dry = metric({ name: 'b-canary' });
    let run = beginRun(template([once, dry], ['^b-']), 0);
    run = cancelSiblings(record(run, dry, 0, 0.5));
    expect(phaseOf(run)).toBe('running');
    run = record(run, once, 0, 0.01);
    expect(phaseOf(run)).toBe('successful');
    expect(dryRunSummary(run)).toEqual({ failed: 1 });
  });
});

describe('validation', () => {
  const refused = (given: Partial<TemplateMetric>) => refuseTemplate(template([metric(given)]));

  it('20: a count below failure plus success limit is refused, at it accepted', () => {
    const limits = { failureLimit: 2, consecutiveSuccessLimit: 2, intervalSeconds: 60 };
    expect(refused({ ...limits, count: 3 })).toEqual([
      'Metric errors of template t: count 3 is less than failureLimit + consecutiveSuccessLimit (4).',
    ]);
    expect(refused({ ...limits, count: 4 })).toEqual([]);
  });

  it('21: both limits off is refused', () => {
    expect(refused({ failureLimit: -1 })).toHaveLength(1);
    expect(refused({ failureLimit: -1, consecutiveSuccessLimit: 1 })).toEqual([]);
  });

  it('a count above one needs an interval', () => {
    expect(refused({ count: 2, failureLimit: 1 })).toHaveLength(1);
    expect(refused({ count: 1 })).toEqual([]);
  });

  it('a count below the inconclusive limit is refused', () => {
    expect(refused({ count: 2, intervalSeconds: 60, inconclusiveLimit: 3 })).toHaveLength(1);
  });

  it('names are unique and there is at least one', () => {
    expect(refuseTemplate(template([metric(), metric()]))).toHaveLength(1);
    expect(refuseTemplate(template([]))).toHaveLength(1);
  });

  it('every dry-run pattern is a regular expression that matches a metric', () => {
    expect(refuseTemplate(template([metric()], ['err.*']))).toEqual([]);
    expect(refuseTemplate(template([metric()], ['latency']))).toHaveLength(1);
    expect(refuseTemplate(template([metric()], ['(']))).toHaveLength(1);
  });

  it('limits are whole numbers in their range', () => {
    expect(refused({ failureLimit: -2 })).toHaveLength(1);
    expect(refused({ failureLimit: 0.5 })).toHaveLength(1);
    expect(refused({ consecutiveSuccessLimit: -1 })).toHaveLength(1);
    expect(refused({ count: 0 })).toHaveLength(1);
    expect(refused({ intervalSeconds: 0 })).toHaveLength(1);
  });
});
