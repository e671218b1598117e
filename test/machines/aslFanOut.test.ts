/** Parallel and Map: together on one clock, each with variables of its own. */
import { describe, expect, it } from 'vitest';
import { failing, invoke, machineOf, outputOf, run } from './runMachine.ts';

const scope = (startAt: string, states: object) => ({ StartAt: startAt, States: states });
const wait = (name: string, seconds: number, output: unknown = name) =>
  scope(name, { [name]: { Type: 'Wait', Seconds: seconds, Output: output, End: true } });

describe('Parallel', () => {
  it('runs its branches at the same time, and puts their outputs out in order', async () => {
    const definition = machineOf('P', {
      P: { Type: 'Parallel', Branches: [wait('Slow', 30), wait('Fast', 10), wait('None', 0)], End: true },
    });
    const ran = await run(definition);
    expect(ran.result).toEqual({ status: 'SUCCEEDED', output: ['Slow', 'Fast', 'None'] });
    expect(ran.seconds).toBe(30);
  });

  it('gives every branch its Arguments, or else its input', async () => {
    const echo = (name: string) => scope(name, { [name]: { Type: 'Pass', End: true } });
    const parallel = { Type: 'Parallel', Branches: [echo('A'), echo('B')] };
    const definition = machineOf('P', {
      P: { ...parallel, Arguments: { n: '{% $states.input.n + 1 %}' }, Next: 'Q' },
      Q: { Type: 'Parallel', Branches: [echo('C')], Output: '{% $states.result %}', End: true },
    });
    expect(await outputOf(definition, { input: { n: 1 } })).toEqual([[{ n: 2 }, { n: 2 }]]);
  });

  it('fails as its first failing branch, and stops the others', async () => {
    let calls = 0;
    const late = scope('Late', { Late: { Type: 'Wait', Seconds: 50, Next: 'Call' }, Call: invoke('f') });
    const early = scope('Early', {
      Early: { Type: 'Wait', Seconds: 5, Next: 'Boom' },
      Boom: { Type: 'Fail', Error: 'Boom' },
    });
    const definition = machineOf('P', {
      P: {
        Type: 'Parallel',
        Branches: [late, early],
        Catch: [{ ErrorEquals: ['Boom'], Next: 'W' }],
        Next: 'W',
      },
      W: { Type: 'Wait', Seconds: 100, Output: '{% $states.input.Error %}', End: true },
    });
    const ran = await run(definition, { functions: { f: () => calls++ } });
    expect(ran.result).toMatchObject({ output: 'Boom' });
    expect(ran.seconds).toBe(105);
    expect(calls).toBe(0);
  });

  it('is retried as a whole', async () => {
    let calls = 0;
    const flaky = () => (++calls < 3 ? failing('E')() : calls);
    const definition = machineOf('P', {
      P: {
        Type: 'Parallel',
        Branches: [scope('A', { A: invoke('f') }), wait('B', 1)],
        Retry: [{ ErrorEquals: ['E'], IntervalSeconds: 10, BackoffRate: 1 }],
        Output: '{% $states.result[0].Payload %}',
        End: true,
      },
    });
    const ran = await run(definition, { functions: { f: flaky } });
    expect(ran.result).toMatchObject({ output: 3 });
    expect(ran.seconds).toBe(10 + 10 + 1);
  });

  it('cannot be caught when a branch ends with States.Runtime', async () => {
    const pick = scope('Pick', {
      Pick: { Type: 'Choice', Choices: [{ Condition: false, Next: 'Done' }] },
      Done: { Type: 'Succeed' },
    });
    const definition = machineOf('P', {
      P: {
        Type: 'Parallel',
        Branches: [pick],
        Catch: [{ ErrorEquals: ['States.ALL'], Next: 'S' }],
        Next: 'S',
      },
      S: { Type: 'Succeed' },
    });
    expect((await run(definition)).result).toMatchObject({ status: 'FAILED', error: 'States.Runtime' });
  });

  it('reads the variables outside and keeps its own inside', async () => {
    const branch = (name: string) =>
      scope(name, {
        [name]: { Type: 'Pass', Assign: { own: '{% $outer & $states.input %}' }, Next: `${name}2` },
        [`${name}2`]: { Type: 'Pass', Output: '{% $own %}', End: true },
      });
    const definition = machineOf('A', {
      A: { Type: 'Pass', Assign: { outer: 'o' }, Output: 'i', Next: 'P' },
      P: {
        Type: 'Parallel',
        Branches: [branch('X'), branch('Y')],
        Assign: { outputs: '{% $states.result %}' },
        Next: 'B',
      },
      B: { Type: 'Pass', Output: { outputs: '{% $outputs %}', leaked: '{% $exists($own) %}' }, End: true },
    });
    expect(await outputOf(definition)).toEqual({ outputs: ['oi', 'oi'], leaked: false });
  });
});

describe('Map', () => {
  const over = (items: unknown, processor: object, more: object = {}) =>
    machineOf('M', { M: { Type: 'Map', Items: items, ItemProcessor: processor, End: true, ...more } });
  const waitItem = scope('W', {
    W: { Type: 'Wait', Seconds: '{% $states.input %}', Output: '{% $states.input * 10 %}', End: true },
  });

  it('runs one iteration for each item at the same time, and keeps the order', async () => {
    const ran = await run(over('{% $states.input.seconds %}', waitItem), {
      input: { seconds: [30, 10, 20] },
    });
    expect(ran.result).toMatchObject({ output: [300, 100, 200] });
    expect(ran.seconds).toBe(30);
  });

  it('runs at most MaxConcurrency at once, and starts the next as one ends', async () => {
    const definition = over([5, 10, 5, 5], waitItem, { MaxConcurrency: '{% $states.input.n %}' });
    expect((await run(definition, { input: { n: 2 } })).seconds).toBe(15);
    expect((await run(definition, { input: { n: 1 } })).seconds).toBe(25);
  });

  it('runs at most 40 at once when nothing is said', async () => {
    const items = Array.from({ length: 41 }, () => 10);
    expect((await run(over(items, waitItem))).seconds).toBe(20);
  });

  it('maps its own input when it has no Items', async () => {
    const definition = machineOf('M', { M: { Type: 'Map', ItemProcessor: waitItem, End: true } });
    expect(await outputOf(definition, { input: [1, 2] })).toEqual([10, 20]);
    expect((await run(definition, { input: { not: 'a list' } })).result).toMatchObject({
      error: 'States.Runtime',
    });
  });

  it('puts out an empty list for no items', async () => {
    expect(await outputOf(over([], waitItem))).toEqual([]);
  });

  it('hands on what ItemSelector makes of an item, and tells the item in the context', async () => {
    const echo = scope('E', {
      E: {
        Type: 'Pass',
        Output: { in: '{% $states.input %}', item: '{% $states.context.Map.Item %}' },
        End: true,
      },
    });
    const definition = over(['a', 'b'], echo, {
      ItemSelector: {
        index: '{% $states.context.Map.Item.Index %}',
        value: '{% $states.context.Map.Item.Value %}',
        of: '{% $states.input.of %}',
      },
    });
    expect(await outputOf(definition, { input: { of: 2 } })).toEqual([
      { in: { index: 0, value: 'a', of: 2 }, item: { Index: 0, Value: 'a' } },
      { in: { index: 1, value: 'b', of: 2 }, item: { Index: 1, Value: 'b' } },
    ]);
  });

  it.each([
    ['an object', '{% {"a": 1} %}'],
    ['a single item that JSONata has taken out of its list', '{% [1, 2][$ > 1] %}'],
  ])('fails when Items is %s', async (_, items) => {
    expect((await run(over(items, waitItem))).result).toMatchObject({
      error: 'States.QueryEvaluationError',
      cause: expect.stringContaining(
        "specified for the field 'Items' returned an unexpected result type. Expected 'array'",
      ),
    });
  });

  it('fails as its first failing iteration, and starts no further one', async () => {
    const started: number[] = [];
    const call = scope('T', { T: invoke('f') });
    const ran = await run(over([1, 2, 3, 4], call, { MaxConcurrency: 1 }), {
      functions: { f: (n: number) => (started.push(n) === 2 ? failing('E')() : n) },
    });
    expect(ran.result).toMatchObject({ error: 'E' });
    expect(started).toEqual([1, 2]);
  });

  it('fails when ItemSelector fails, before the iteration starts', async () => {
    const definition = over([{ v: 1 }, {}], waitItem, {
      ItemSelector: '{% $states.context.Map.Item.Value.v %}',
    });
    const ran = await run(definition);
    expect(ran.result).toMatchObject({
      error: 'States.QueryEvaluationError',
      cause: expect.stringContaining("executing the state 'M'"),
    });
    expect(ran.types).not.toContain('MapIterationFailed');
  });

  it('has variables of its own in each iteration', async () => {
    const count = scope('A', {
      A: { Type: 'Pass', Assign: { n: '{% $base + $states.input %}' }, Next: 'B' },
      B: { Type: 'Wait', Seconds: '{% $states.input %}', Next: 'C' },
      C: { Type: 'Pass', Output: '{% $n %}', End: true },
    });
    const definition = machineOf('S', {
      S: { Type: 'Pass', Assign: { base: 100 }, Next: 'M' },
      M: {
        Type: 'Map',
        Items: [3, 1, 2],
        ItemProcessor: count,
        Assign: { sums: '{% $states.result %}' },
        Next: 'E',
      },
      E: { Type: 'Pass', Output: { sums: '{% $sums %}', leaked: '{% $exists($n) %}' }, End: true },
    });
    expect(await outputOf(definition)).toEqual({ sums: [103, 101, 102], leaked: false });
  });

  it('nests, and tells the item of the innermost Map', async () => {
    const inner = {
      Type: 'Map',
      ItemProcessor: scope('I', {
        I: { Type: 'Pass', Output: '{% $states.context.Map.Item.Index + $states.input %}', End: true },
      }),
      End: true,
    };
    expect(await outputOf(over([[1, 1], [5]], scope('N', { N: inner })))).toEqual([[1, 2], [5]]);
  });
});
