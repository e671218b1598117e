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
