// The bench's peers do what their documentation says, or the comparison would be worth nothing.
import { describe, expect, it } from 'vitest';
import {
  addUp,
  cleanScenario,
  rolloutMinutes,
  type Ticks,
  weightAt,
} from '../../../bench/detection/rollouts.ts';
import {
  argoRule,
  canaryAlarm,
  canaryBurnRule,
  flaggerRule,
  moreTunableRules,
  type Rule,
  requirementRule,
  serviceAlarm,
  tunableRules,
  viewOf,
} from '../../../bench/detection/rules.ts';
import { medianMinutes, score } from '../../../bench/detection/score.ts';

// 600 requests per tick; `rate` of the canary's fail in the minutes named, none of stable's.
function decidedAfter(rule: Rule, rate: (minute: number) => number, stableRate = 0): number | null {
  const count = rolloutMinutes * 6;
  const ticks: Ticks = {
    canaryRequests: new Float64Array(count),
    canaryErrors: new Float64Array(count),
    stableRequests: new Float64Array(count),
    stableErrors: new Float64Array(count),
  };
  for (let t = 0; t < count; t++) {
    const minute = Math.floor(t / 6);
    const share = weightAt(minute) / 100;
    ticks.canaryRequests[t] = 600 * share;
    ticks.stableRequests[t] = 600 * (1 - share);
    ticks.canaryErrors[t] = 600 * share * rate(minute);
    ticks.stableErrors[t] = 600 * (1 - share) * stableRate;
  }
  const decided = rule.decide(viewOf(ticks, new Float64Array(1440), 60));
  return decided === null ? null : decided / 60;
}

const always = () => 0.02;

describe('other tools’ rules', () => {
  it('the requirement looks at minutes 10 and 25 of a step, at more than 1 %', () => {
    expect(decidedAfter(requirementRule, always)).toBe(10);
    expect(decidedAfter(requirementRule, () => 0.0099)).toBeNull();
    expect(decidedAfter(requirementRule, (minute) => (minute >= 10 ? 0.02 : 0))).toBe(25);
  });

  it('the service alarm waits until half of the traffic is on a 2 % canary', () => {
    expect(decidedAfter(serviceAlarm, () => 0.021)).toBe(77);
    expect(decidedAfter(serviceAlarm, () => 0, 0.02)).toBe(2);
  });

  it('the canary alarm needs two minutes running', () => {
    expect(decidedAfter(canaryAlarm, always)).toBe(2);
    expect(decidedAfter(canaryAlarm, (minute) => (minute % 2 === 0 ? 0.5 : 0))).toBeNull();
  });

  it('Argo fails at the fourth failure, Flagger at the fifth, whenever they come', () => {
    expect(decidedAfter(argoRule, always)).toBe(4);
    expect(decidedAfter(flaggerRule, always)).toBe(5);
    expect(decidedAfter(argoRule, (minute) => (minute % 10 === 0 ? 0.02 : 0))).toBe(31);
  });

  it('multiwindow burn on the canary fires at 1.44 % from the first minute', () => {
    expect(decidedAfter(canaryBurnRule, () => 0.015)).toBe(1);
    expect(decidedAfter(canaryBurnRule, () => 0.005)).toBeNull();
  });

  it('the field to tune from holds static rules and ratios, each under its own name', () => {
    const all = [...tunableRules, ...moreTunableRules];
    expect(tunableRules).toHaveLength(89);
    expect(all).toHaveLength(185);
    expect(new Set(all.map((rule) => rule.name)).size).toBe(185);
    const ratio = tunableRules.find((rule) => rule.name === 'rate > 5× stable over 10 min, ≥ 10 errors');
    expect(ratio === undefined ? 0 : decidedAfter(ratio, always, 0.003)).toBe(3);
    expect(ratio === undefined ? 0 : decidedAfter(ratio, always, 0.005)).toBeNull();
  });
});

it('a simulation is its seed', () => {
  const once = (seed: number) => score({ ...cleanScenario, canaryErrorRate: 0.01 }, [canaryAlarm], 20, seed);
  expect(once(1)).toEqual(once(1));
  expect(once(1)).not.toEqual(once(2));
});

it('errors are served until the decision could be acted on, and detection counts from the regression', () => {
  const [late] = score({ ...cleanScenario, canaryErrorRate: 1, regressionMinute: 40 }, [canaryAlarm], 5, 1);
  // Two minutes, one until they can be read, twenty seconds to act: at 15 % of 100 requests/s.
  expect(late === undefined ? 0 : medianMinutes(late)).toBe(3);
  expect((late?.canaryErrors ?? 0) / (200 * 15)).toBeCloseTo(1, 1);
});

it('ticks add up to periods', () => {
  expect([...addUp(Float64Array.from([1, 2, 3, 4, 5, 6, 7]), 30)]).toEqual([6, 15]);
});
