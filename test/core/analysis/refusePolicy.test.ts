import { describe, expect, it } from 'vitest';
import { type AnalysisPolicy, defaultAnalysisPolicy as policy } from '../../../lib/core/analysis/policy.ts';
import { refusePolicy } from '../../../lib/core/analysis/refusePolicy.ts';

const refused = (given: Partial<AnalysisPolicy>) => refusePolicy({ ...policy, ...given });

it('the defaults are accepted and survive JSON', () => {
  expect(refusePolicy(policy)).toEqual([]);
  expect(JSON.parse(JSON.stringify(policy))).toEqual(policy);
});

describe('refused, with a sentence', () => {
  it.each<[string, Partial<AnalysisPolicy>]>([
    ['an objective without a budget', { objective: 1 }],
    ['an objective of nothing', { objective: 0 }],
    ['an alpha of nothing', { alpha: 0 }],
    ['an alpha above a tenth', { alpha: 0.11, holdAtEValue: 5 }],
    ['shares above one', { shares: { errors: 0.6, latency: 0.3, business: 0.2 } }],
    ['a negative share', { shares: { errors: 1, latency: -0.1, business: 0.1 } }],
    ['a window shorter than a period', { windowSeconds: 59 }],
    ['a hold mark that never holds', { holdAtEValue: 100 }],
    ['an error margin below one', { errors: { ...policy.errors, margin: 0.9 } }],
    ['an error limit of nothing', { errors: { ...policy.errors, maxRate: 0 } }],
    ['a minimum of no errors', { errors: { ...policy.errors, minimumErrors: 0 } }],
    ['a latency margin below one', { latency: { ...policy.latency, margin: 0.99 } }],
    [
      'a shift margin that swallows the smallest shift',
      { latency: { ...policy.latency, shiftMargin: 0.12 } },
    ],
    ['thresholds that do not ascend', { latency: { ...policy.latency, thresholdsMs: [200, 100] } }],
    ['a dispersion below one', { dispersion: { ...policy.dispersion, withoutHistory: 0.5 } }],
    ['a dry-run pattern that is none', { dryRun: ['('] }],
  ])('%s', (_, given) => {
    expect(refused(given)).toHaveLength(1);
  });

  it('two templates or business checks of one name', () => {
    const template = { name: 'a', metrics: [{ name: 'm', measure: 'error-rate' as const }] };
    expect(refused({ templates: [template, template] })).toEqual(['Two templates are named a.']);
    const check = { name: 'b', counted: 'good' as const, tolerance: 0.05, maturityMinutes: 5 };
    expect(refused({ business: [check, check] })).toEqual(['Two business checks are named b.']);
    expect(refused({ business: [{ ...check, tolerance: 1 }] })).toHaveLength(1);
  });

  it('business checks that have nothing to bet with, unless they are only shown', () => {
    const check = { name: 'b', counted: 'good' as const, tolerance: 0.05, maturityMinutes: 5 };
    const shares = { errors: 0.7, latency: 0.3, business: 0 };
    expect(refused({ business: [check], shares })).toHaveLength(1);
    expect(refused({ business: [{ ...check, dryRun: true }], shares })).toEqual([]);
  });
});

it('the boundary figures are accepted', () => {
  expect(refused({ alpha: 0.1, holdAtEValue: 9.99 })).toEqual([]);
  expect(refused({ windowSeconds: 60 })).toEqual([]);
  expect(refused({ shares: { errors: 0.5, latency: 0.3, business: 0.2 } })).toEqual([]);
});

describe('a policy that a person wrote', () => {
  const check = { name: 'sales', counted: 'good', tolerance: 0.1, maturityMinutes: 5 };
  const metric = { name: 'errors', measure: 'error-rate' };
  const template = (more: object) => ({ templates: [{ name: 't', metrics: [{ ...metric, ...more }] }] });

  it.each<[string, object, string]>([
    [
      'an incomplete check',
      { business: [{ name: 'sales' }] },
      'business.0 needs counted, tolerance, maturityMinutes.',
    ],
    ['a check that is a word', { business: ['sales'] }, 'business.0 must be a mapping.'],
    ['checks that are no list', { business: check }, 'business must be a list.'],
    [
      'a word there is not',
      { business: [{ ...check, counted: 'goood' }] },
      'business.0.counted must be one of good, bad.',
    ],
    [
      'a misspelt key',
      { business: [{ ...check, dryrun: true }] },
      'business.0.dryrun is not known: known are name, counted, tolerance, maturityMinutes, dryRun.',
    ],
    [
      'a flag that is none',
      { business: [{ ...check, dryRun: 'yes' }] },
      'business.0.dryRun must be true or false.',
    ],
    ['a template without metrics', { templates: [{ name: 't' }] }, 'templates.0 needs metrics.'],
    [
      'a measure there is not',
      template({ measure: 'errors' }),
      'templates.0.metrics.0.measure must be one of error-rate, error-ratio, p95-ms, p95-ratio, burn, requests, unhealthy-hosts, judge-score, or { business: name of a check }.',
    ],
    [
      'an arrow for a comparison',
      template({ failWhen: { is: '=>', value: 1 } }),
      'templates.0.metrics.0.failWhen.is must be one of <, <=, >, >=.',
    ],
    [
      'a figure in quotation marks',
      template({ failWhen: { is: '>', value: '1' } }),
      'templates.0.metrics.0.failWhen.value must be a number.',
    ],
    [
      'half a limit',
      template({ inconclusiveLimit: 0.5 }),
      'templates.0.metrics.0.inconclusiveLimit must be a whole number from 0.',
    ],
    [
      'a check that is not made',
      template({ measure: { business: 'sales' } }),
      'Metric errors of template t: there is no business check sales.',
    ],
    [
      'a threshold of nothing',
      { latency: { ...policy.latency, thresholdsMs: [0] } },
      'latency.thresholdsMs.0 must be a number above 0.',
    ],
    [
      'a percentile beyond all',
      { latency: { ...policy.latency, thresholdPercentiles: [101] } },
      'latency.thresholdPercentiles.0 must be a number above 0 to 100.',
    ],
    ['a name that is a number', { dryRun: [3] }, 'dryRun.0 must be a text.'],
    ['no figure at all', { alpha: Number.NaN }, 'alpha must be a number.'],
    [
      'an answer there is not',
      { unknown: { ...policy.unknown, answer: 'maybe' } },
      'unknown.answer must be one of wait, extend, pause, roll-back.',
    ],
    ['a part that is gone', { shares: { errors: 0.5, latency: 0.5 } }, 'shares needs business.'],
  ])('with %s is refused where it stands', (_, given, sentence) => {
    expect(refused(given as Partial<AnalysisPolicy>)).toEqual([sentence]);
  });

  it('with complete checks and templates is taken', () => {
    const business = [check] as AnalysisPolicy['business'];
    const { templates } = template({
      measure: { business: 'sales' },
      failWhen: { is: '<', value: 0.9 },
      intervalSeconds: 60,
      failureLimit: 2,
    }) as unknown as Pick<AnalysisPolicy, 'templates'>;
    expect(refused({ business, templates })).toEqual([]);
  });
});
