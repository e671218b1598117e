import { describe, expect, it } from 'vitest';
import { type AnalysisPolicy, defaultAnalysisPolicy as policy } from '../../../lib/core/analysis/policy.ts';
import { checkOf, knownBaseline, lookAt, minute, minutesOf, side } from './rollout.ts';

const atStepEnd = { checksDue: 'step-end' } as const;

describe('latency', () => {
  const slower = (shares: number[]) =>
    minutesOf(12).map((item) => ({
      ...item,
      canary: side(300, 0, { slow: shares.map((share) => Math.round(300 * share)) }),
    }));

  it('a canary slower in body and tail fails', () => {
    expect(lookAt(slower([0.65, 0.2, 0.1, 0.04, 0.01])).verdict).toBe('fail');
  });

  it('a canary with a sick tail only fails', () => {
    const analysis = lookAt(slower([0.5, 0.1, 0.05, 0.04, 0.02]));
    expect(analysis.verdict).toBe('fail');
    expect(checkOf(analysis, 'latency').verdict).toBe('fail');
  });

  it('a faster canary passes', () => {
    expect(lookAt(slower([0.4, 0.05, 0.02, 0.005, 0]), atStepEnd).verdict).toBe('pass');
  });

  it('minutes that began before the settling time after a shift are not judged for latency', () => {
    const minutes = slower([0.9, 0.8, 0.7, 0.6, 0.5]).slice(0, 2);
    expect(checkOf(lookAt(minutes), 'latency').eValue).toBe(1);
    const third = slower([0.9, 0.8, 0.7, 0.6, 0.5]).slice(0, 3);
    expect(checkOf(lookAt(third), 'latency').eValue).toBeGreaterThan(100);
  });

  it('five per cent above the p95 limit keep it, more do not, and certainty fails it', () => {
    const share = (above: number, minutes = 3) =>
      checkOf(lookAt(slower([0.5, 0.1, 0.06, above, 0]).slice(0, minutes)), 'p95-limit').verdict;
    expect(share(0.05)).toBe('pass');
    expect(share(16 / 300)).toBe('inconclusive');
    expect(share(0.3, 12)).toBe('fail');
  });

  it('when stable is above the limit as well, that is not the canary’s doing', () => {
    const both = minutesOf(12).map((item) => ({
      ...item,
      canary: side(300, 0, { slow: [300, 200, 100, 60, 0] }),
      stable: side(5700, 3, { slow: [5700, 3800, 1900, 1140, 0] }),
    }));
    const analysis = lookAt(both);
    expect(checkOf(analysis, 'p95-limit')).toMatchObject({ verdict: 'inconclusive' });
    expect(analysis.verdict).toBe('inconclusive');
  });

  it('Mann–Whitney is asked at step ends only, and a clear shift fails it', () => {
    const minutes = slower([0.6, 0.16, 0.07, 0.02, 0.002]);
    expect(lookAt(minutes).checks.map((check) => check.name)).not.toContain('mann-whitney');
    const asked = checkOf(lookAt(minutes, atStepEnd), 'mann-whitney');
    expect(asked.verdict).toBe('fail');
    // Its share of alpha, divided by every look that four steps with three extensions each may take.
    expect(asked.threshold).toBeCloseTo((0.01 * 0.375 * 0.15) / 16, 12);
  });

  it('Mann–Whitney below the effect that matters passes, however significant', () => {
    const large = (shift: number) =>
      Array.from({ length: 10 }, (_, i) =>
        minute(i, 25, {
          canary: side(100_000, 0, { slow: [50_000 + shift, 10_000 + shift / 5, 4000, 1000, 100] }),
          stable: side(300_000, 0),
        }),
      );
    const check = (shift: number) => checkOf(lookAt(large(shift), atStepEnd), 'mann-whitney');
    expect(check(4000).counts.p).toBeLessThan(1e-10);
    expect(check(4000).counts.effect).toBeLessThan(0.53);
    expect(check(4000).verdict).toBe('pass');
    expect(check(9000).verdict).toBe('fail');
  });

  it('percentiles per minute are held to the limit where nothing was counted at it', () => {
    const baseline = { ...knownBaseline, slowThresholdsMs: [100], slowDispersions: [1] };
    const p95 = (canary: number, stable: number, minutes: number, requests = 300) =>
      checkOf(
        lookAt(
          minutesOf(minutes).map((item) => ({
            ...item,
            canary: side(requests, 0, { p95Ms: canary }),
            stable: side(5700, 3, { p95Ms: stable }),
          })),
          { baseline },
        ),
        'p95-limit',
      );
    expect(p95(500, 200, 5).verdict).toBe('pass');
    expect(p95(501, 200, 5).verdict).toBe('fail');
    expect(p95(501, 200, 4).verdict).toBe('inconclusive');
    expect(p95(501, 501, 5).verdict).toBe('inconclusive');
    // Fewer than 200 requests in a minute make no p95: shown, but it decides nothing.
    expect(p95(501, 200, 5, 199)).toMatchObject({ verdict: 'inconclusive', dryRun: true });
  });

  it('twice the baseline’s p95 is a limit as well', () => {
    const baseline = { ...knownBaseline, p95Ms: 200 };
    const analysis = lookAt(slower([0.5, 0.1, 0.3, 0.01, 0]), { baseline });
    expect(checkOf(analysis, 'p95-baseline')).toMatchObject({ verdict: 'fail', threshold: 400 });
  });
});

describe('hosts', () => {
  const hosts = (canary: number[], stable = 0) =>
    checkOf(
      lookAt(
        canary.map((unhealthyHosts, i) =>
          minute(i, 5, {
            canary: side(300, 0, { unhealthyHosts }),
            stable: side(5700, 3, { unhealthyHosts: stable }),
          }),
        ),
      ),
      'hosts',
    ).verdict;

  it('unhealthy for two periods running fail, for one they are inconclusive', () => {
    expect(hosts([0, 0])).toBe('pass');
    expect(hosts([0, 1])).toBe('inconclusive');
    expect(hosts([1, 1])).toBe('fail');
    expect(hosts([1, 1, 0])).toBe('pass');
  });

  it('unhealthy on both sides are not the canary’s doing', () => {
    expect(hosts([1, 1], 2)).toBe('inconclusive');
  });
});

describe('business', () => {
  const asked: AnalysisPolicy = {
    ...policy,
    business: [{ name: 'checkout', counted: 'good', tolerance: 0.05, maturityMinutes: 5 }],
  };
  const rollout = (canary: number, count = 30) =>
    minutesOf(count, { weight: 25, stable: 2 }).map((item) => ({
      ...item,
      canary: side(1500, 0, { business: { checkout: { count: canary, total: 1500 } } }),
      stable: side(4500, 2, { business: { checkout: { count: 135, total: 4500 } } }),
    }));
  const baseline = { ...knownBaseline, businessDispersions: { checkout: 1.07 } };

  it('a conversion rate that halves fails, one that stays passes', () => {
    expect(lookAt(rollout(22), { policy: asked, baseline }).verdict).toBe('fail');
    expect(lookAt(rollout(45), { policy: asked, baseline, ...atStepEnd }).verdict).toBe('pass');
  });

  it('without matured counts the step’s end is inconclusive', () => {
    expect(lookAt(rollout(45, 5), { policy: asked, baseline, ...atStepEnd }).verdict).toBe('inconclusive');
    expect(lookAt(minutesOf(10), { policy: asked, baseline, ...atStepEnd }).verdict).toBe('inconclusive');
  });

  it('shown only, it does not decide and leaves its share of alpha to the others', () => {
    const dry = { ...asked, business: asked.business.map((check) => ({ ...check, dryRun: true })) };
    const analysis = lookAt(rollout(22), { policy: dry, baseline });
    expect(analysis.verdict).toBe('pass');
    expect(checkOf(analysis, 'business:checkout')).toMatchObject({ verdict: 'fail', dryRun: true });
  });
});

describe('templates', () => {
  const asked = (given: object): AnalysisPolicy => ({
    ...policy,
    templates: [
      {
        name: 'service',
        metrics: [
          {
            name: 'errors',
            measure: 'error-rate',
            successWhen: { is: '<', value: 0.05 },
            failWhen: { is: '>=', value: 0.1 },
            intervalSeconds: 60,
            ...given,
          },
        ],
      },
    ],
  });
  const noisy = (errors: number, count = 3) => minutesOf(count, { canary: errors, stable: errors * 19 });

  it('fails at its failure condition, is inconclusive in its zone, passes below', () => {
    const verdict = (errors: number) =>
      checkOf(lookAt(noisy(errors), { policy: asked({}) }), 'service/errors').verdict;
    expect(verdict(14)).toBe('pass');
    expect(verdict(15)).toBe('inconclusive');
    expect(verdict(29)).toBe('inconclusive');
    expect(verdict(30)).toBe('fail');
  });

  it('an endless metric that succeeded passes at the step’s end, an unfinished count does not', () => {
    const verdict = (given: object) =>
      checkOf(lookAt(minutesOf(3), { ...atStepEnd, policy: asked(given) }), 'service/errors').verdict;
    expect(verdict({})).toBe('pass');
    expect(verdict({ count: 3 })).toBe('pass');
    expect(verdict({ count: 4 })).toBe('inconclusive');
  });

  it('an endless metric whose last measurement failed does not pass at the step’s end', () => {
    const minutes = minutesOf(3).map((item, i) => (i === 2 ? { ...item, canary: side(300, 60) } : item));
    const asks = { ...atStepEnd, policy: asked({ failureLimit: 3 }) };
    expect(checkOf(lookAt(minutes, asks), 'service/errors').verdict).toBe('inconclusive');
  });

  it('without data it ends inconclusive, not failed', () => {
    const blind = minutesOf(6).map((item) => ({ ...item, canary: side(0, 0) }));
    expect(checkOf(lookAt(blind, { policy: asked({}) }), 'service/errors').verdict).toBe('inconclusive');
  });

  it('begins anew with every step', () => {
    const minutes = [...noisy(30, 3), ...minutesOf(3, { weight: 15, from: 3 })];
    expect(checkOf(lookAt(minutes, { policy: asked({}) }), 'service/errors').verdict).toBe('pass');
  });

  it('measures what it names', () => {
    const minutes = minutesOf(2, { canary: 3 }).map((item) => ({
      ...item,
      canary: side(300, 3, { p95Ms: 300, unhealthyHosts: 2, business: { pay: { count: 6, total: 100 } } }),
      stable: side(5700, 19, { p95Ms: 200, business: { pay: { count: 40, total: 1000 } } }),
    }));
    const value = (measure: unknown) =>
      checkOf(lookAt(minutes, { policy: asked({ measure }) }), 'service/errors').counts.value;
    expect(value('error-rate')).toBeCloseTo(0.01, 12);
    expect(value('error-ratio')).toBeCloseTo(3, 12);
    expect(value('burn')).toBeCloseTo(10, 9);
    expect(value('requests')).toBe(300);
    expect(value('p95-ms')).toBe(300);
    expect(value('p95-ratio')).toBe(1.5);
    expect(value('unhealthy-hosts')).toBe(2);
    expect(value({ business: 'pay' })).toBeCloseTo(1.5, 12);
    expect(value({ business: 'nothing' })).toBeUndefined();
  });
});
