/** What `npm run backtest` and `npm run power` are told, and a rollout as they find it in the event store. */
import { describe, expect, it } from 'vitest';
import { backtestArguments, powerArguments } from '../../lib/apps/analysis/arguments.ts';
import { changePolicy } from '../../lib/apps/analysis/policyChange.ts';
import { fromStore } from '../../lib/apps/analysis/recording.ts';
import { backtest } from '../../lib/core/analysis/backtest.ts';
import { defaultAnalysisPolicy } from '../../lib/core/analysis/policy.ts';
import { knownBaseline, minutesOf } from '../core/analysis/rollout.ts';
import { appendOf } from './eventStoreEvents.ts';
import { simWorld } from './eventStoreWorlds.ts';

const words = (text: string) => text.split(' ');

describe('backtest is told', () => {
  it('which rollout in which table, or a file, and not both', () => {
    const { source, endpoint } = backtestArguments(
      words('--service shop --rollout r-1 --endpoint http://h:1'),
    );
    expect(source).toEqual({
      kind: 'store',
      service: 'shop',
      rolloutId: 'r-1',
      table: 'switchback-dev-events',
    });
    expect(endpoint).toBe('http://h:1');
    const tableOf = (more: string) => {
      const { source: asked } = backtestArguments(words(`--service shop --rollout r-1 ${more}`));
      return asked.kind === 'store' ? asked.table : null;
    };
    expect(tableOf('--stage prod')).toBe('switchback-prod-events');
    expect(tableOf('--table elsewhere')).toBe('elsewhere');
    expect(backtestArguments(words('--minutes m.json')).source).toEqual({ kind: 'file', path: 'm.json' });
    expect(() => backtestArguments(words('--minutes m.json --rollout r-1'))).toThrow('not both');
    expect(() => backtestArguments(words('--service shop'))).toThrow('say which rollout');
    expect(() => backtestArguments(words('--minuets m.json'))).toThrow('--minuets');
  });

  it('several changes, which are made in their order', () => {
    const { sets, policyPath } = backtestArguments(
      words('--minutes m.json --set alpha=0.02 --set alpha=0.05'),
    );
    expect(changePolicy(defaultAnalysisPolicy, { sets, policyPath }).policy.alpha).toBe(0.05);
  });
});

describe('a change of the policy', () => {
  const change = (...sets: string[]) => changePolicy(defaultAnalysisPolicy, { sets, policyPath: null });

  it('may be a number, a word or a list, and says what is different', () => {
    expect(
      change('unknown.answer=pause', 'latency.thresholdsMs=[100, 200]', 'alpha=0.01').differences,
    ).toEqual(['latency.thresholdsMs [] → [100,200]', 'unknown.answer "extend" → "pause"']);
  });

  it('that changes nothing leaves the policy as it is', () => {
    expect(change()).toEqual({ policy: defaultAnalysisPolicy, differences: [] });
  });

  it('is refused where the values do not go together', () => {
    expect(() => change('shares.errors=0.9')).toThrow('shares');
  });
});

describe('power is told', () => {
  it('the traffic, or nothing of it', () => {
    const told = (more: string) => powerArguments(words(`--service shop --config c.yml${more}`)).traffic;
    expect(told('')).toBeNull();
    expect(told(' --requests-per-second 20 --sessions-per-second 4 --session-rate 0.03')).toEqual({
      requestsPerSecond: 20,
      errorRate: null,
      sessions: { perSecond: 4, rate: 0.03 },
    });
    for (const wrong of ['0', '-1', 'Infinity', 'x']) {
      expect(() => told(` --requests-per-second=${wrong}`)).toThrow('a number above 0');
    }
    expect(() => told(' --requests-per-second 5 --error-rate 1.5')).toThrow('a share above 0 and at most 1');
  });
});

describe('a rollout in the event store', () => {
  const plan = { baseline: knownBaseline, settings: { analysis: { alpha: 0.02 } } };
  const minutes = [...minutesOf(10), ...minutesOf(10, { weight: 15, canary: 9, from: 10 })];
  const events = [
    { type: 'TrafficShifted', at: 1, rolloutId: 'r-0', weight: 50 },
    { type: 'TrafficShifted', at: 2, rolloutId: 'r-1', weight: 5 },
    { type: 'TrafficShifted', at: 600_000, rolloutId: 'r-1', weight: 15 },
    { type: 'TrafficShifted', at: 900_000, rolloutId: 'r-1', weight: 0 },
  ];

  it('is replayed with its own steps, its own history, and today’s defaults for what its plan did not know', async () => {
    const store = (await simWorld()).open();
    await store.append('service/shop', appendOf(0, 'c-1', { events }));
    await store.keepPlan('service/shop', 'r-1', plan);
    await store.keepMinutes('r-1', 0, minutes);
    const { rollout, policy } = await fromStore(store, { service: 'shop', rolloutId: 'r-1' });
    expect(rollout).toEqual({ minutes, stepStarts: [2, 600_000], baseline: knownBaseline });
    expect(policy).toEqual({ ...defaultAnalysisPolicy, alpha: 0.02 });
    expect(backtest(rollout, policy).rolledBack?.weight).toBe(15);
  });

  it('is missing, or was not looked at, in one sentence', async () => {
    const store = (await simWorld()).open();
    const asked = { service: 'shop', rolloutId: 'r-1' };
    await expect(fromStore(store, asked)).rejects.toThrow('there is no rollout r-1 of shop');
    await store.keepPlan('service/shop', 'r-1', plan);
    await expect(fromStore(store, asked)).rejects.toThrow('no minutes of r-1 were kept');
  });
});
