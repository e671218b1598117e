/** What the fold is measured against does the same work: any stream it reads, to the same state. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { mutableFold } from '../../../bench/eventStore/mutableFold.ts';
import type { ServiceEvent } from '../../../events/service.ts';
import { fold } from '../../../lib/core/rollout/evolve.ts';
import { initialState } from '../../../lib/core/rollout/state.ts';
import { rolloutHistory } from '../../contracts/rolloutHistory.ts';
import { evidence, t0 } from './facts.ts';

it('the mutable loop agrees with the fold after each event of rollouts that succeed and fail', () => {
  const failures = Array.from({ length: 10 }, (_, index) => rolloutHistory(10 + index, 0));
  const all = [rolloutHistory(1), rolloutHistory(2, 4), ...failures, rolloutHistory(3)].flat();
  for (let length = 0; length <= all.length; length++) {
    const events = all.slice(0, length);
    expect(mutableFold(events), `after ${length} events`).toEqual(fold(initialState, events));
  }
});

const step = fc.record({
  weight: fc.constantFrom(5, 50, 100),
  bakeSeconds: fc.constantFrom(0, 60),
  judge: fc.constantFrom('analysed' as const, 'health-only' as const),
  approval: fc.constant('none' as const),
});
const rolloutId = fc.constantFrom('one', 'two');
const at = fc.integer({ min: t0, max: t0 + 20_000 });
const alarm = fc.integer({ min: 1, max: 12 }).map((number) => `alarm-${number}`);
const record = <Type extends ServiceEvent['type'], Rest extends object>(
  type: Type,
  rest: { [Field in keyof Rest]: fc.Arbitrary<Rest[Field]> },
) => fc.record({ type: fc.constant(type), at, rolloutId, ...rest } as never) as fc.Arbitrary<ServiceEvent>;
const optional = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined });

const started = record('RolloutStarted', {
  planHash: fc.constant('hash'),
  strategy: fc.constant('canary'),
  revision: fc.integer({ min: 1, max: 12 }).map((number) => `app:${number}`),
  stableRevision: fc.constant('app:0'),
  canarySlot: fc.constantFrom('blue', 'green'),
  target: fc.constant({ kind: 'lambda-alias', functionName: 'app', alias: 'live' }),
  steps: fc.array(step, { maxLength: 3 }),
  baselineAlarms: fc.array(alarm, { maxLength: 2 }),
  requestedBy: fc.constant('alex'),
});
const ordered = record('ShiftOrdered', { step: fc.nat(3), weight: fc.constantFrom(5, 50, 100) });
const shifted = record('TrafficShifted', { weight: fc.constantFrom(0, 5, 50, 100) });
const rolledBack = record('RollbackInitiated', {
  trigger: fc.constantFrom('alarm', 'operator', 'superseded', 'migration'),
  reason: fc.constant('the canary fails'),
  by: fc.constant('switchback'),
  fromWeight: fc.constant(5),
  after: optional(fc.constant(['other'])),
});
const heard = record('AlarmReceived', {
  alarm,
  state: fc.constantFrom('OK', 'ALARM'),
  changedAt: at,
  scope: fc.constant('canary'),
  reason: fc.constant('threshold crossed'),
  action: fc.constantFrom('roll-back', 'suppressed', 'none'),
});
const orderedPromotion = record('PromotionOrdered', {
  mode: fc.constantFrom('earned', 'stable-broken'),
  by: fc.constant('alex'),
});
const promoted = record('RolloutPromoted', {
  revision: fc.constant('app:1'),
  stableSlot: fc.constant('green'),
  rollbackWindowUntil: at,
  oldSideUntil: optional(at),
});
const judged = record('AnalysisRecorded', {
  step: fc.nat(3),
  verdict: fc.constantFrom('pass', 'inconclusive'),
  evidence: fc.constant(evidence('pass')),
  bakeUntil: optional(at),
});

it('the mutable loop agrees with the fold whatever rollout its events speak of, in whatever order', () => {
  const phases = new Set<string>();
  const some = fc.oneof(
    ...[started, ordered, shifted, judged, rolledBack, orderedPromotion, promoted],
    record('CanaryPrepared', { tasks: fc.constant(3) }),
    record('RolloutCompleted', {}),
    { weight: 5, arbitrary: heard },
  );
  fc.assert(
    fc.property(fc.array(some, { maxLength: 60, size: 'max' }), (events) => {
      const state = fold(initialState, events);
      phases.add(state.rollout.phase);
      expect(mutableFold(events)).toEqual(state);
      expect(new Set(state.knownBad).size).toBe(state.knownBad.length);
    }),
    { numRuns: 3000 },
  );
  const reached = ['none', 'preparing', 'shifting', 'baking', 'promoting', 'promoted', 'rolling-back'];
  expect([...phases].toSorted()).toEqual(reached.toSorted());
});
