import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Evidence } from '../../../events/rollout.ts';
import type { ServiceEvent } from '../../../events/service.ts';
import { storedText } from '../../../lib/aws/eventStore/stored.ts';
import { eventBytesMax } from '../../../lib/core/eventStore/limits.ts';
import { placeFound } from '../../../lib/core/rollback/fallbackPlace.ts';
import type { Command } from '../../../lib/core/rollout/commands.ts';
import { stepsMax } from '../../../lib/core/rollout/plan.ts';
import {
  alarm,
  at,
  baking,
  canaryAlarm,
  evidence,
  failHealth,
  judged,
  minutes,
  ofRollout,
  override,
  planFor,
  record,
  rollbackInitiated,
  start,
  started,
  stepAt,
  v1,
  v3,
} from './facts.ts';
import { given, type Story } from './given.ts';
import { commands, phases } from './matrix.ts';

const plainBytes = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));
/** As it lies in the table: long texts deflated. */
const storedBytes = (value: unknown): number => storedText(JSON.stringify(value)).bytes;

const eventsOf = (story: Story, command: Command): readonly ServiceEvent[] => {
  const { decision } = story.when(command);
  return decision.outcome === 'accepted' ? decision.events : [];
};

const time = stepAt(0) + 60_000;
/** What the analysis says at its longest: three checks that did not pass. */
const wordy = (say: (characters: number) => string): Evidence => ({
  ...evidence('fail'),
  summary: say(200),
  worst: ['errors against stable', 'p95 against stable', 'conversions'].map((name) => ({
    ...{ name, verdict: 'fail', sentence: say(140), threshold: 0.0125 },
  })),
  needsRequests: 4100,
  minutesHash: 'b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c',
});
const prose =
  'The canary answered 212 of 4100 requests with an error (5.17 %), stable 91 of 77 900 (0.12 %): ' +
  '44 times as many, e-value 8123.4 against 100; p95 was 812 ms against 240 ms on stable, above the limit of 500 ms.';

describe('an event', () => {
  it('of real values takes at most 1 KB as it is stored, and all but three take no more as they are', () => {
    const long = new Set<string>();
    const fail = {
      ...record('fail', time),
      evidence: wordy((characters) => prose.slice(0, characters)),
    } as Command;
    const all = [...Object.values(commands), fail].flatMap((command) =>
      Object.values(phases).flatMap((story) => eventsOf(story, command)),
    );
    for (const event of all) {
      expect(storedBytes(event), event.type).toBeLessThanOrEqual(eventBytesMax);
      if (plainBytes(event) > eventBytesMax) long.add(event.type);
    }
    expect([...long].sort()).toEqual(['AnalysisRecorded', 'RollbackInitiated', 'RolloutStarted']);
  });

  it('takes at most 1 KB also when somebody says a lot, in any script', () => {
    const text = fc.string({ unit: 'binary', minLength: 0, maxLength: 2000, size: 'max' });
    fc.assert(
      fc.property(text, (said) => {
        const say = (characters: number) => said.slice(0, characters);
        const told: readonly Command[] = [
          { type: 'Pause', by: 'ada', why: said, now: time },
          { type: 'Hold', reason: 'stuck', why: said, now: time },
          { type: 'RollBack', trigger: 'operator', reason: said, by: 'ada', now: time },
          { type: 'FindDrift', foundWeight: 0, what: said, now: time },
          { type: 'SetOverride', by: 'ada', why: `x${said}`, until: time + 1000, now: time },
          alarm(time, { reason: said }),
          { ...failHealth('canary', time), what: said } as Command,
          { ...record('fail', time), evidence: wordy(say) } as Command,
        ];
        for (const command of told) {
          for (const event of eventsOf(phases.passed, command)) {
            expect(storedBytes(event), event.type).toBeLessThanOrEqual(eventBytesMax);
            expect(JSON.stringify(event).isWellFormed()).toBe(true);
          }
        }
        for (const event of eventsOf(given(), start({ why: said, knownBadOverride: said.slice(7) }))) {
          expect(storedBytes(event), event.type).toBeLessThanOrEqual(eventBytesMax);
        }
      }),
      { numRuns: 200 },
    );
  });
});

it('a start of as many steps as there may be takes at most 1 KB as it is stored', () => {
  const weights = Array.from({ length: stepsMax - 1 }, (_, index) => 11 + index * 2.1);
  const steps = [...weights, 100].map((weight, index) => ({
    weight: Math.round(weight * 10) / 10,
    bakeSeconds: 300 + index * 7,
  }));
  const ramp = planFor({ kind: 'canary', steps });
  const why = { why: prose, knownBadOverride: prose };
  for (const event of eventsOf(given(), start({ plan: ramp, ...why }))) {
    expect(storedBytes(event)).toBeLessThanOrEqual(eventBytesMax);
  }
});

describe('the state', () => {
  it('of a rollout of eleven steps takes less than 2.3 KB, and less than 0.8 KB as it is stored', () => {
    for (const { state } of Object.values(phases)) {
      expect(plainBytes(state)).toBeLessThan(2300);
      expect(storedBytes(state)).toBeLessThan(800);
    }
  });

  it('with everything it can remember takes less than 2.2 KB as it is stored', () => {
    const revisions = Array.from({ length: 9 }, (_, index) => `${v1}${index}`);
    const bad = revisions.flatMap((revision, index) => [
      started({ rolloutId: `ro-${index}`, revision }),
      ofRollout(`ro-${index}`, rollbackInitiated(at(index), 'alarm')),
    ]);
    const queued = planFor({ kind: 'canary' }, { rolloutId: 'ro-2', revision: v3 }, { whileActive: 'queue' });
    const names = Array.from({ length: 9 }, (_, index) => `mistersmith-prod-orchestrator-alarm-${index}`);
    const stage = { kind: 'api-stage', restApiId: 'a1b2c3d4e5', stage: 'production' } as const;
    const variables = names.map((name, nth) => ({ name: `stage variable ${name}`, value: `value ${nth}` }));
    const fallbackPlace = placeFound(stage, variables);
    expect(fallbackPlace.unrecorded).toBeGreaterThan(0);
    const full = names
      .reduce<Story>(
        (story, name) =>
          story.when(alarm(time, { alarm: { ...canaryAlarm, name }, state: 'INSUFFICIENT_DATA' })),
        given(...bad, ...baking(4), judged('pass', time), override(time, minutes(600))),
      )
      .when(start({ plan: queued, now: time }))
      .when({
        ...commands.TakeCheckpoint,
        checkpoint: { ...commands.TakeCheckpoint.checkpoint, fallbackPlace },
      })
      .when({ type: 'RollBack', trigger: 'operator', reason: prose, by: 'ada', now: time });
    expect(full.state).toMatchObject({ knownBad: { length: 8 }, queued: { rolloutId: 'ro-2' } });
    expect(Object.keys(full.state.alarms)).toHaveLength(8);
    expect(storedBytes(full.state)).toBeLessThan(2200);
    expect(plainBytes(full.state)).toBeLessThan(5100);
  });
});
