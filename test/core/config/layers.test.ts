/** Values above the file: the highest layer wins, and what cannot be is refused with its place. */
import { describe, expect, it } from 'vitest';
import { type LayeredValue, oneWayValue } from '../../../lib/core/config/layeredValue.ts';
import { inCapitals, layered } from '../../../lib/core/config/layers.ts';
import { settings } from '../rollout/facts.ts';

const parameter = (key: string, text: string | null): LayeredValue => ({
  layer: 'parameter-store',
  place: `parameter /switchback/prod/orchestrator/${key}`,
  words: key.split('/'),
  text,
});

const variable = (words: string, text: string): LayeredValue => ({
  layer: 'environment',
  place: `environment SWITCHBACK__ORCHESTRATOR__${words}`,
  words: words.split('__'),
  text,
});

const settled = (...values: readonly LayeredValue[]) => {
  const result = layered(settings, values);
  if ('refused' in result) throw new Error(result.refused.join('\n'));
  return result;
};

const refused = (...values: readonly LayeredValue[]): readonly string[] => {
  const result = layered(settings, values);
  return 'refused' in result ? result.refused : [];
};

describe('a value above the file', () => {
  it('takes the place of the file’s, and what stands beside it stays', () => {
    const { settings: changed, laid } = settled(parameter('strategy/bakeSeconds', '300'));
    expect(changed).toEqual({ ...settings, strategy: { ...settings.strategy, bakeSeconds: 300 } });
    expect(laid).toEqual([
      { key: 'strategy.bakeSeconds', place: 'parameter /switchback/prod/orchestrator/strategy/bakeSeconds' },
    ]);
  });

  it('gives way to one of a higher layer', () => {
    const values = [parameter('evaluateSeconds', '30'), variable('EVALUATE_SECONDS', '15')];
    const { settings: changed, laid } = settled(...values);
    expect(changed.evaluateSeconds).toBe(15);
    expect(laid).toEqual([
      { key: 'evaluateSeconds', place: 'environment SWITCHBACK__ORCHESTRATOR__EVALUATE_SECONDS' },
    ]);
  });

  it('is JSON where it can be, a name or a list of steps alike', () => {
    const { settings: changed } = settled(
      parameter('strategy/steps', '[{"weight":10,"bakeSeconds":60},{"weight":95},{"weight":100}]'),
      parameter('strategy/stepPercentMax', '90'),
      variable('ANALYSIS__UNKNOWN__ANSWER', 'pause'),
      variable('ANALYSIS__LATENCY__MAX_P95_MS', '800'),
    );
    expect(changed.strategy.steps).toHaveLength(3);
    expect([changed.analysis.unknown.answer, changed.analysis.latency.maxP95Ms]).toEqual(['pause', 800]);
  });

  it('changes nothing where there is none', () => {
    expect(settled()).toEqual({ settings, laid: [] });
  });

  it('is written in a variable in capitals, one underscore between words and two between keys', () => {
    expect(['bakeSeconds', 'maxP95Ms', 'discovery-engine'].map(inCapitals)).toEqual([
      'BAKE_SECONDS',
      'MAX_P95_MS',
      'DISCOVERY_ENGINE',
    ]);
  });
});

describe('a value above the file is refused, with its place, where', () => {
  const place = 'parameter /switchback/prod/orchestrator/';

  it.each<[what: string, key: string, text: string | null, sentence: string | RegExp]>([
    ['it is of another type', 'strategy/bakeSeconds', 'soon', /strategy\.bakeSeconds: .*expected number/],
    ['it is out of range', 'evaluateSeconds', '0', /evaluateSeconds: .*>=1/],
    ['it is no known word', 'strategy/kind', 'yolo', /strategy\.kind: .*"canary"/],
    [
      'it is of another type in the analysis',
      'analysis/alpha',
      '"1"',
      /alpha: must be a number, it is a string/,
    ],
    [
      'nobody knows the key',
      'strategy/bakeSecond',
      '3',
      /unknown key "bakeSecond" in strategy: known are kind,/,
    ],
    [
      'nobody knows the first key',
      'strategie/x',
      '3',
      /unknown key "strategie": known are strategy, .*analysis/,
    ],
    [
      'there is no key below',
      'evaluateSeconds/max',
      '3',
      /unknown key "max" in evaluateSeconds: it holds one value/,
    ],
    [
      'it is half of something',
      'strategy',
      '{}',
      'strategy is a mapping: give each of its keys a value of its own.',
    ],
    ['it is a secret', 'evaluateSeconds', null, 'is a secret, and evaluateSeconds becomes part of a plan'],
    [
      'roles are made of it',
      'target/ruleArn',
      'x',
      /said in switchback.yml alone, because roles, rules and bundles/,
    ],
    [
      'the alarm’s way would wait for it',
      'coolOffSeconds',
      '0',
      /coolOffSeconds is said in switchback.yml alone/,
    ],
    [
      'burn-rate alarms are made of it',
      'analysis/objective',
      '0.9',
      /because burn-rate alarms are made of it/,
    ],
    ['it is a prototype’s key', '__proto__/x', '1', /unknown key "__proto__"/],
  ])('%s', (_, key, text, sentence) => {
    const [first = '', ...others] = refused(parameter(key, text));
    expect(others).toEqual([]);
    expect(first.startsWith(`${place}${key}: `)).toBe(true);
    expect(first).toMatch(sentence);
  });

  it('it does not go together with the others: steps that rise too far', () => {
    const wrong = refused(parameter('strategy/stepPercent', '40'), variable('ANALYSIS__ALPHA', '0.02'));
    expect(wrong[0]).toMatch(/^parameter .*stepPercent: strategy: step 2 .* at most 20 are allowed/);
  });

  it('says every wrong value at once', () => {
    expect(refused(parameter('evaluateSeconds', 'x'), variable('NOPE', '1'))).toHaveLength(2);
  });
});

it('that a step is one-way stands above every layer, and says so where the value came from', () => {
  const asked = oneWayValue('smith-1');
  const stored = parameter('rollbackWindowSeconds', '3600');
  const variables = variable('ROLLBACK_WINDOW_SECONDS', '7200');
  const { settings: made, laid } = settled(stored, variables, asked);
  expect(made.rollbackWindowSeconds).toBe(0);
  expect(laid).toEqual([
    {
      key: 'rollbackWindowSeconds',
      place: 'migration smith-1, which says that nothing undoes this step',
    },
  ]);
  // What could never be is refused all the same.
  expect(refused(parameter('rollbackWindowSeconds', '-1'), asked)).toHaveLength(1);
});
