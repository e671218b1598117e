import { describe, expect, it } from 'vitest';
import { compileEventPattern, InvalidEventPattern } from '../../../lib/local/eventBridge/eventPattern.ts';
import { type Shaping, targetInput } from '../../../lib/local/eventBridge/inputTransformer.ts';
import { parseSchedule } from '../../../lib/local/eventBridge/schedule.ts';
import type { Json } from '../../../lib/local/json.ts';

const event = {
  source: 'aws.cloudwatch',
  'detail-type': 'CloudWatch Alarm State Change',
  resources: ['arn:aws:cloudwatch:eu-west-1:0:alarm:shop-errors', 'arn:aws:x'],
  time: '2026-01-01T00:00:00Z',
  detail: {
    alarmName: 'shop-errors',
    state: { value: 'ALARM', reason: null },
    count: 42,
    ratio: -0.5,
    flag: true,
    empty: '',
    ip: '10.0.3.7',
    path: 'a*b\\c',
    list: [
      { name: 'x', size: 1 },
      { name: 'y', size: 9 },
    ],
    numbers: [1, 2, 3],
  },
};

describe('an event pattern', () => {
  it.each<[string, object, boolean]>([
    ['equal strings', { source: ['aws.cloudwatch'] }, true],
    ['one of several', { source: ['x', 'aws.cloudwatch'] }, true],
    ['another string', { source: ['aws.ecs'] }, false],
    ['a nested field', { detail: { state: { value: ['ALARM'] } } }, true],
    ['two fields, one wrong', { source: ['aws.cloudwatch'], detail: { alarmName: ['other'] } }, false],
    ['a field that is not there', { detail: { missing: ['x'] } }, false],
    ['null', { detail: { state: { reason: [null] } } }, true],
    ['the empty string', { detail: { empty: [''] } }, true],
    ['numbers and not their text', { detail: { count: ['42'] } }, false],
    ['a boolean', { detail: { flag: [true] } }, true],
    ['one value of a list', { resources: ['arn:aws:x'] }, true],
    ['one number of a list', { detail: { numbers: [2] } }, true],
    ['fields of one object in a list', { detail: { list: { name: ['x'], size: [1] } } }, true],
    ['fields of two objects in a list', { detail: { list: { name: ['x'], size: [9] } } }, false],
    ['prefix', { resources: [{ prefix: 'arn:aws:cloudwatch:' }] }, true],
    ['prefix in another case', { source: [{ prefix: 'AWS.' }] }, false],
    ['prefix ignoring case', { source: [{ prefix: { 'equals-ignore-case': 'AWS.' } }] }, true],
    ['suffix', { detail: { alarmName: [{ suffix: '-errors' }] } }, true],
    [
      'suffix ignoring case',
      { detail: { alarmName: [{ suffix: { 'equals-ignore-case': '-ERRORS' } }] } },
      true,
    ],
    ['equals-ignore-case', { detail: { state: { value: [{ 'equals-ignore-case': 'alarm' }] } } }, true],
    ['anything-but another', { detail: { alarmName: [{ 'anything-but': ['a', 'b'] }] } }, true],
    ['anything-but this', { detail: { alarmName: [{ 'anything-but': 'shop-errors' }] } }, false],
    ['anything-but a number', { detail: { count: [{ 'anything-but': [42] }] } }, false],
    ['anything-but an absent field', { detail: { missing: [{ 'anything-but': 'x' }] } }, false],
    ['anything-but prefix', { detail: { alarmName: [{ 'anything-but': { prefix: 'shop' } }] } }, false],
    [
      'anything-but several prefixes',
      { detail: { alarmName: [{ 'anything-but': { prefix: ['a', 'b'] } }] } },
      true,
    ],
    ['anything-but suffix', { detail: { alarmName: [{ 'anything-but': { suffix: '-latency' } }] } }, true],
    [
      'anything-but ignoring case',
      { detail: { alarmName: [{ 'anything-but': { 'equals-ignore-case': 'SHOP-ERRORS' } }] } },
      false,
    ],
    ['anything-but wildcard', { detail: { alarmName: [{ 'anything-but': { wildcard: 'shop-*' } }] } }, false],
    ['exists', { detail: { alarmName: [{ exists: true }] } }, true],
    ['exists, absent', { detail: { missing: [{ exists: true }] } }, false],
    ['does not exist', { detail: { missing: [{ exists: false }] } }, true],
    ['does not exist, though it does', { detail: { alarmName: [{ exists: false }] } }, false],
    ['does not exist, below what is absent', { detail: { none: { deeper: [{ exists: false }] } } }, true],
    ['numeric range', { detail: { count: [{ numeric: ['>', 0, '<=', 42] }] } }, true],
    ['numeric outside', { detail: { count: [{ numeric: ['<', 42] }] } }, false],
    ['numeric negative', { detail: { ratio: [{ numeric: ['=', -0.5] }] } }, true],
    ['numeric of text', { detail: { alarmName: [{ numeric: ['>', 0] }] } }, false],
    ['wildcard', { detail: { alarmName: [{ wildcard: 's*p-err*s' }] } }, true],
    ['wildcard, no match', { detail: { alarmName: [{ wildcard: '*-latency' }] } }, false],
    ['wildcard, escaped', { detail: { path: [{ wildcard: 'a\\*b\\\\*' }] } }, true],
    ['wildcard, dot is a dot', { source: [{ wildcard: 'aws?cloud*' }] }, false],
    ['cidr', { detail: { ip: [{ cidr: '10.0.0.0/16' }] } }, true],
    ['cidr outside', { detail: { ip: [{ cidr: '10.1.0.0/16' }] } }, false],
    ['$or, second holds', { $or: [{ source: ['x'] }, { detail: { count: [42] } }] }, true],
    ['$or, none holds', { $or: [{ source: ['x'] }, { detail: { count: [41] } }] }, false],
    [
      '$or beside a field',
      { detail: { alarmName: ['other'], $or: [{ count: [42] }, { flag: [false] }] } },
      false,
    ],
    ['$or within a field', { detail: { $or: [{ count: [0] }, { state: { value: ['ALARM'] } }] } }, true],
  ])('on %s', (_, pattern, matches) => {
    expect(compileEventPattern(JSON.stringify(pattern))(event as unknown as Json)).toBe(matches);
  });

  it.each<[string, string, string]>([
    ['no JSON', '{', 'it is not JSON'],
    ['a list', '[]', 'it must be an object'],
    ['nothing', '{}', 'empty objects'],
    ['a bare value', '{"source":"x"}', 'source: a value must be in a list'],
    ['an empty list', '{"source":[]}', 'source: empty lists'],
    ['an unknown comparison', '{"source":[{"like":"x"}]}', 'unrecognized match type like'],
    ['two comparisons at once', '{"source":[{"prefix":"x","suffix":"y"}]}', 'only one comparison'],
    ['numeric without a number', '{"a":[{"numeric":[">","x"]}]}', 'numeric takes'],
    ['$or with one alternative', '{"$or":[{"a":[1]}]}', 'two alternatives at least'],
    ['two stars', '{"a":[{"wildcard":"a**"}]}', 'two stars'],
  ])('is refused with %s', (_, pattern, reason) => {
    expect(() => compileEventPattern(pattern)).toThrow(InvalidEventPattern);
    expect(() => compileEventPattern(pattern)).toThrow(reason);
  });
});

describe('a target', () => {
  const rule = { name: 'r', arn: 'arn:aws:events:eu-west-1:0:rule/r' };
  const input = (shaping: Shaping) => targetInput(event as unknown as Json, shaping, rule);

  it('gets the whole event, a constant, or a part', () => {
    expect(JSON.parse(input({}))).toEqual(event);
    expect(input({ Input: '{"x":1}' })).toBe('{"x":1}');
    expect(input({ InputPath: '$.detail.list[1].name' })).toBe('"y"');
  });

  it('gets a template with values as JSON, and as text inside quotes', () => {
    const InputTransformer = {
      InputPathsMap: {
        alarm: '$.detail.alarmName',
        state: '$.detail.state',
        count: '$.detail.count',
        none: '$.nothing',
      },
      InputTemplate: `{"alarm": <alarm>, "text": "<alarm> is \\"<count>\\"", "state": <state>,
        "none": <none>, "rule": "<aws.events.rule-name>"}`,
    };
    expect(JSON.parse(input({ InputTransformer }))).toEqual({
      alarm: 'shop-errors',
      text: 'shop-errors is "42"',
      state: { value: 'ALARM', reason: null },
      none: null,
      rule: 'r',
    });
    expect(JSON.parse(input({ InputTransformer: { InputTemplate: '<aws.events.event.json>' } }))).toEqual(
      event,
    );
  });
});

describe('a schedule', () => {
  const from = Date.parse('2026-02-27T10:20:30Z'); // a Friday
  it.each<[string, string[]]>([
    ['rate(1 minute)', ['2026-02-27T10:21:30Z', '2026-02-27T10:22:30Z']],
    ['rate(5 minutes)', ['2026-02-27T10:25:30Z']],
    ['cron(0 12 * * ? *)', ['2026-02-27T12:00:00Z', '2026-02-28T12:00:00Z']],
    ['cron(0/15 * * * ? *)', ['2026-02-27T10:30:00Z', '2026-02-27T10:45:00Z', '2026-02-27T11:00:00Z']],
    ['cron(15 10 ? * MON-FRI *)', ['2026-03-02T10:15:00Z', '2026-03-03T10:15:00Z']],
    ['cron(0 0 L * ? *)', ['2026-02-28T00:00:00Z', '2026-03-31T00:00:00Z']],
    ['cron(0 9 ? * 2#1 *)', ['2026-03-02T09:00:00Z', '2026-04-06T09:00:00Z']],
    ['cron(0 9 ? * 6L *)', ['2026-03-27T09:00:00Z']],
    ['cron(30 8 1W * ? *)', ['2026-03-02T08:30:00Z']],
    ['cron(0 0 29 2 ? *)', ['2028-02-29T00:00:00Z']],
    ['cron(0 8,20 1 JAN,JUL ? 2026)', ['2026-07-01T08:00:00Z', '2026-07-01T20:00:00Z']],
  ])('%s', (expression, moments) => {
    const schedule = parseSchedule(expression);
    let at = from;
    for (const moment of moments) {
      at = schedule?.next(at) ?? Number.NaN;
      expect(new Date(at).toISOString()).toBe(new Date(moment).toISOString());
    }
  });

  it('ends with its year', () => {
    expect(parseSchedule('cron(0 0 1 1 ? 2025)')?.next(from)).toBeNull();
  });

  it.each([
    'rate(1 minutes)',
    'rate(0 minutes)',
    'rate(2 weeks)',
    'cron(0 12 * * * *)',
    'cron(0 12 ? * ? *)',
    'cron(60 * * * ? *)',
    'cron(0 0 * *)',
    'soon',
  ])('%s is refused', (expression) => {
    expect(parseSchedule(expression)).toBeNull();
  });
});
