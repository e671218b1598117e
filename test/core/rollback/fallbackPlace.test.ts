import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Target } from '../../../events/target.ts';
import { placeDifferences, placeFound } from '../../../lib/core/rollback/fallbackPlace.ts';

const stage = { kind: 'api-stage', restApiId: 'a1b2c3', stage: 'prod' } as const;
const variable = (name: string, value: string) => ({ name: `stage variable ${name}`, value });
const before = [variable('environment', 'phase2'), variable('timeout', '29')];
const found = placeFound(stage, before);

describe('a place to fall back to', () => {
  it('that holds what it held has no difference, in whatever order it is told', () => {
    expect(found).toEqual({ place: 'API stage a1b2c3/prod', holds: before, unrecorded: 0 });
    expect(placeDifferences(found, before)).toEqual([]);
    expect(placeDifferences(found, before.toReversed())).toEqual([]);
  });

  it.each([
    [
      'changed',
      [variable('environment', 'phase1'), variable('timeout', '29')],
      'stage variable environment is "phase1", it was "phase2" (API stage a1b2c3/prod)',
    ],
    [
      'taken away',
      [variable('timeout', '29')],
      'stage variable environment is not set, it was "phase2" (API stage a1b2c3/prod)',
    ],
    [
      'added',
      [...before, variable('debug', 'yes')],
      'stage variable debug is "yes", it was not set (API stage a1b2c3/prod)',
    ],
  ])('whose variable was %s is told in one sentence', (_, after, sentence) => {
    expect(placeDifferences(found, after)).toEqual([sentence]);
  });

  it('that cannot be read is unknown, and nothing is said where nothing was written down', () => {
    expect(placeDifferences(found, null)).toEqual([
      'whether API stage a1b2c3/prod is as it was is unknown: it cannot be read',
    ]);
    expect(placeDifferences(placeFound(stage, null), before)).toEqual([
      'whether API stage a1b2c3/prod is as it was is unknown: it could not be read before the rollout',
    ]);
    expect(placeDifferences(undefined, before)).toEqual([]);
  });

  it('is named as a person knows it', () => {
    const targetGroups = { blue: 'arn:aws:elasticloadbalancing:x', green: 'arn:aws:elasticloadbalancing:y' };
    const ruleArn = 'arn:aws:elasticloadbalancing:eu-west-1:1:listener-rule/app/old/1/2/3f';
    const places: readonly Target[] = [
      { kind: 'alb', targetGroups, ruleArn },
      { kind: 'lambda-alias', functionName: 'old', alias: 'live' },
      {
        ...{ kind: 'dns', hostedZoneId: 'Z1', name: 'www.shop.example', recordType: 'A', ttlSeconds: 60 },
        setIdentifiers: { blue: 'local', green: 'aws' },
      },
    ];
    expect(places.map((place) => placeFound(place, []).place)).toEqual([
      'rule 3f',
      'alias old:live',
      'records of www.shop.example',
    ]);
  });

  it('is recorded as far as there is room: what is too much is counted, and is no difference later', () => {
    const long = variable('token', 'x'.repeat(41));
    const many = Array.from({ length: 40 }, (_, nth) => variable(`option${nth}`, `value ${nth}`));
    const all = [before[0] as (typeof before)[0], long, ...many];
    const recorded = placeFound(stage, all);
    expect(recorded.holds?.[0]).toEqual(before[0]);
    expect(recorded.holds?.length).toBeGreaterThan(5);
    expect(recorded.unrecorded).toBe(all.length - (recorded.holds?.length ?? 0));
    expect(placeDifferences(recorded, all)).toEqual([]);
    expect(placeDifferences(recorded, [variable('environment', 'phase1'), ...all.slice(1)])).toHaveLength(1);
  });

  it('has room for 300 characters, whatever it holds', () => {
    const settings = fc.array(fc.record({ name: fc.string(), value: fc.string({ maxLength: 60 }) }));
    fc.assert(
      fc.property(settings, (held) => {
        const { holds, unrecorded } = placeFound(stage, held);
        expect((holds ?? []).map(({ name, value }) => name + value).join('').length).toBeLessThanOrEqual(300);
        expect((holds ?? []).length + unrecorded).toBe(held.length);
      }),
    );
  });
});
