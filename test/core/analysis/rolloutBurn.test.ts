// What a rollout costs of the error budget, and what the whole service burns: shown beside every verdict.
import { describe, expect, it } from 'vitest';
import { evidenceOf } from '../../../lib/core/analysis/analyse.ts';
import type { Minute } from '../../../lib/core/analysis/minutes.ts';
import { defaultAnalysisPolicy as policy } from '../../../lib/core/analysis/policy.ts';
import { knownBaseline, lookAt, minutesOf, told } from './rollout.ts';

const serviceBurn = (look: ReturnType<typeof lookAt>) =>
  told(look).checks.find(({ name }) => name === 'service-burn');

describe('the burn beside a verdict', () => {
  it('keeps the version’s, the service’s and the rollout’s own apart, also in the event', () => {
    // Of 300 canary requests a minute 3 fail, of 5700 of stable 2.85: 1 % and 0.05 %.
    const look = lookAt(minutesOf(20, { canary: 3, stable: 2.85 }));
    expect(look.burn.version).toBeCloseTo(10, 5);
    expect(look.burn.service).toBeCloseTo((3 + 2.85) / 6000 / 0.001, 3);
    const excess = 20 * (3 - 0.0005 * 300);
    expect(look.burn.spentByRollout).toBeCloseTo(excess / (0.001 * 100 * 30 * 86_400), 6);
    expect(evidenceOf(look).burn).toEqual(look.burn);
  });

  it('of a service whose traffic is not known says nothing of a budget', () => {
    const look = lookAt(minutesOf(5, { canary: 3 }), {
      baseline: { ...knownBaseline, requestsPerSecond: null },
    });
    expect(look.burn).toMatchObject({ version: 10, spentByRollout: 0 });
  });

  it('is zero before anything was counted', () => {
    expect(lookAt([]).burn).toEqual({ version: 0, service: 0, spentByRollout: 0 });
    expect(serviceBurn(lookAt([]))).toBeUndefined();
  });
});

describe('the whole service’s burn', () => {
  it('is quiet where both windows keep the rule', () => {
    expect(serviceBurn(lookAt(minutesOf(20)))).toMatchObject({ verdict: 'pass', dryRun: true });
  });

  it('is worth a page where both sides burn, and does not decide', () => {
    const look = lookAt(minutesOf(20, { canary: 6, stable: 114 }));
    expect(serviceBurn(look)).toMatchObject({
      verdict: 'inconclusive',
      dryRun: true,
      counts: { errors: 2400, requests: 120_000 },
      threshold: 14.4,
      sentence:
        'The whole service burns its error budget 20.0× over 1 h, 20.0× over 5 min: more than 14.4×, which is worth a page.',
    });
    expect(look.verdict).not.toBe('fail');
  });

  it('is over when the short windows are well again, the longest of which is half an hour', () => {
    const look = lookAt([
      ...minutesOf(20, { canary: 6, stable: 114 }),
      ...minutesOf(31, { canary: 0, stable: 0, from: 20 }),
    ]);
    expect(serviceBurn(look)?.verdict).toBe('pass');
  });

  it('is that of the hour before the newest minute’s end, over gaps and minutes without data', () => {
    const minutes = [
      ...minutesOf(10, { canary: 1, stable: 100 }),
      // An hour before the end begins here.
      ...minutesOf(10, { canary: 1, stable: 200, from: 20 }),
      { ...(minutesOf(1, { from: 40 })[0] as Minute), canary: null },
      ...minutesOf(10, { canary: 2, stable: 200, from: 70 }),
    ];
    const spent = 10 * 201 + 3 + 10 * 202;
    expect(serviceBurn(lookAt(minutes))).toMatchObject({
      counts: { errors: spent, requests: 20 * 6000 + 5700 },
      threshold: 14.4,
    });
  });

  it('on a handful of requests is unsure, and says how many more would settle it', () => {
    const [few] = minutesOf(1);
    const side = { requests: 60, errors: 1, slow: [], p95Ms: 20 };
    const minutes = few === undefined ? [] : [{ ...few, canary: side, stable: { ...side, errors: 1 } }];
    const check = serviceBurn(lookAt(minutes, { policy }));
    expect(check?.verdict).toBe('inconclusive');
    expect(check?.sentence).toMatch(/on few requests: about \d+ more would settle it/);
  });
});
