/** What is refused before anything runs, each with its place and one sentence. */
import { describe, expect, it } from 'vitest';
import { end, pass, refusal, scope, state } from './loading.ts';
import { invoke, machineOf } from './runMachine.ts';

const lambda = 'arn:aws:states:::lambda:invoke';

describe('a machine is refused with its place and one sentence', () => {
  it.each<[string, unknown, string]>([
    ['no object', 'text', 'must be an object.'],
    [
      'JSONPath',
      { StartAt: 'A', States: { A: pass } },
      'QueryLanguage must be JSONata for the whole machine.',
    ],
    ['no states', { QueryLanguage: 'JSONata', StartAt: 'A' }, 'the field States is required.'],
    [
      'an unknown field',
      machineOf('A', { A: pass }, { Processor: 1 }),
      'Processor: is not supported in a state machine.',
    ],
    ['a version', machineOf('A', { A: pass }, { Version: '2.0' }), 'Version: must be 1.0.'],
    [
      'a timeout of text',
      machineOf('A', { A: pass }, { TimeoutSeconds: '5' }),
      'TimeoutSeconds: must be an integer from 1 to 99999999.',
    ],
    ['a wrong start', machineOf('B', { A: pass }), 'StartAt: there is no state B.'],
    ['a wrong Next', state({ Type: 'Pass', Next: 'B' }), 'States.A: leads to B, which does not exist.'],
    ['an unreachable state', machineOf('A', { A: pass, B: pass }), 'States.B: cannot be reached.'],
    [
      'a machine that never ends',
      machineOf('A', { A: { Type: 'Pass', Next: 'B' }, B: { Type: 'Pass', Next: 'A' } }),
      'States: no state ends this scope.',
    ],
    [
      'Next and End',
      state({ Type: 'Pass', Next: 'A', End: true }),
      'States.A: has exactly one of Next and End.',
    ],
    ['neither', state({ Type: 'Pass' }), 'States.A: has exactly one of Next and End.'],
    ['End: false', state({ Type: 'Pass', End: false }), 'States.A.End: must be true.'],
    ['an unknown type', state({ Type: 'Sleep', ...end }), 'States.A.Type: Sleep is not a type of state.'],
    [
      'a JSONPath state',
      state({ ...pass, QueryLanguage: 'JSONPath' }),
      'States.A.QueryLanguage: must be JSONata.',
    ],
    [
      'a JSONPath field',
      state({ ...pass, ResultPath: '$.x' }),
      'States.A.ResultPath: belongs to JSONPath; only JSONata is run here.',
    ],
    [
      'a field of another type',
      state({ ...pass, Seconds: 1 }),
      'States.A.Seconds: is not supported in a Pass state.',
    ],
    [
      'Assign in Succeed',
      state({ Type: 'Succeed', Assign: { a: 1 } }),
      'States.A.Assign: is not supported in a Succeed state.',
    ],
    [
      'the same name in two scopes',
      state({ Type: 'Parallel', Branches: [scope('A', { A: pass })], ...end }),
      'States.A.Branches[0].States: two states are called A.',
    ],
    [
      'a Wait for nothing',
      state({ Type: 'Wait', ...end }),
      'States.A: a Wait state has exactly one of Seconds and Timestamp.',
    ],
    [
      'a Wait for two things',
      state({ Type: 'Wait', Seconds: 1, Timestamp: '2026-01-01T00:00:00Z', ...end }),
      'States.A: a Wait state has exactly one of Seconds and Timestamp.',
    ],
    [
      'a wrong timestamp',
      state({ Type: 'Wait', Timestamp: 'tomorrow', ...end }),
      'States.A.Timestamp: must be a timestamp such as 2026-01-01T00:00:00Z.',
    ],
    [
      'negative seconds',
      state({ Type: 'Wait', Seconds: -1, ...end }),
      'States.A.Seconds: must be an integer from 0 to 99999999.',
    ],
    [
      'a Choice without rules',
      state({ Type: 'Choice', Choices: [] }),
      'States.A.Choices: must be an array that is not empty.',
    ],
    [
      'a rule without condition',
      machineOf('A', { A: { Type: 'Choice', Choices: [{ Next: 'B' }] }, B: pass }),
      'States.A.Choices[0]: the field Condition is required.',
    ],
    [
      'a JSONPath rule',
      machineOf('A', {
        A: { Type: 'Choice', Choices: [{ Condition: true, Variable: '$.x', Next: 'B' }] },
        B: pass,
      }),
      'States.A.Choices[0].Variable: belongs to JSONPath; only JSONata is run here.',
    ],
    [
      'Output for a Default that is missing',
      machineOf('A', {
        A: { Type: 'Choice', Choices: [{ Condition: true, Next: 'B' }], Output: 1 },
        B: pass,
      }),
      'States.A.Output: belongs to Default, which is missing.',
    ],
    [
      'a function’s own ARN',
      state({ Type: 'Task', Resource: 'arn:aws:lambda:eu-west-1:1:function:f', ...end }),
      'States.A.Resource: arn:aws:lambda:eu-west-1:1:function:f is not supported; ' +
        `${lambda} and aws-sdk:<service>:<action> are.`,
    ],
    [
      '.sync',
      state({ Type: 'Task', Resource: 'arn:aws:states:::states:startExecution.sync:2', ...end }),
      'States.A.Resource: the pattern .sync:2 is not supported.',
    ],
    [
      'an integration nobody runs',
      state({ Type: 'Task', Resource: 'arn:aws:states:::glue:startJobRun', ...end }),
      'States.A.Resource: glue:startJobRun is not supported; aws-sdk:glue:startJobRun may be.',
    ],
    [
      'a call without its function',
      state({ Type: 'Task', Resource: lambda, ...end }),
      'States.A.Arguments: the argument FunctionName is required.',
    ],
    [
      'Credentials',
      state({ ...invoke('f'), Credentials: {} }),
      'States.A.Credentials: is not supported in a Task state.',
    ],
    [
      'a timeout of 0',
      state({ ...invoke('f'), TimeoutSeconds: 0 }),
      'States.A.TimeoutSeconds: must be an integer from 1 to 99999999.',
    ],
    [
      'heartbeats nobody can send',
      state({ ...invoke('f'), HeartbeatSeconds: 5 }),
      'States.A.HeartbeatSeconds: only a task that waits for its token can send heartbeats.',
    ],
    [
      'a heartbeat longer than the timeout',
      state({
        ...invoke('f'),
        Resource: `${lambda}.waitForTaskToken`,
        TimeoutSeconds: 5,
        HeartbeatSeconds: 5,
      }),
      'States.A.HeartbeatSeconds: must be less than TimeoutSeconds.',
    ],
    [
      'a retrier without names',
      state({ ...invoke('f'), Retry: [{}] }),
      'States.A.Retry[0]: the field ErrorEquals is required.',
    ],
    [
      'a retrier’s unknown field',
      state({ ...invoke('f'), Retry: [{ ErrorEquals: ['E'], Delay: 1 }] }),
      'States.A.Retry[0].Delay: is not supported in a retrier.',
    ],
    [
      'a shrinking delay',
      state({ ...invoke('f'), Retry: [{ ErrorEquals: ['E'], BackoffRate: 0.5 }] }),
      'States.A.Retry[0].BackoffRate: must be a number from 1 to 1000.',
    ],
    [
      'a jitter',
      state({ ...invoke('f'), Retry: [{ ErrorEquals: ['E'], JitterStrategy: 'SOME' }] }),
      'States.A.Retry[0].JitterStrategy: must be FULL or NONE.',
    ],
    [
      'a maximum below the interval',
      state({ ...invoke('f'), Retry: [{ ErrorEquals: ['E'], IntervalSeconds: 9, MaxDelaySeconds: 9 }] }),
      'States.A.Retry[0].MaxDelaySeconds: must be greater than IntervalSeconds.',
    ],
    [
      'States.ALL with others',
      state({ ...invoke('f'), Retry: [{ ErrorEquals: ['E', 'States.ALL'] }] }),
      'States.A.Retry[0].ErrorEquals: States.ALL must stand alone, and last.',
    ],
    [
      'States.ALL before others',
      state({ ...invoke('f'), Retry: [{ ErrorEquals: ['States.ALL'] }, { ErrorEquals: ['E'] }] }),
      'States.A.Retry[0].ErrorEquals: States.ALL must stand alone, and last.',
    ],
    [
      'States.Runtime in Retry',
      state({ ...invoke('f'), Retry: [{ ErrorEquals: ['States.Runtime'] }] }),
      'States.A.Retry[0].ErrorEquals: States.Runtime always ends the execution.',
    ],
    [
      'an error that does not exist',
      state({ ...invoke('f'), Retry: [{ ErrorEquals: ['States.Timout'] }] }),
      'States.A.Retry[0].ErrorEquals[0]: States.Timout is no error that can occur here.',
    ],
    [
      'Catch to nowhere',
      state({ ...invoke('f'), Catch: [{ ErrorEquals: ['E'], Next: 'B' }] }),
      'States.A: leads to B, which does not exist.',
    ],
    ['Catch on a Pass', state({ ...pass, Catch: [] }), 'States.A.Catch: is not supported in a Pass state.'],
    [
      'a tolerance',
      state({ Type: 'Map', ItemProcessor: scope('B', { B: pass }), ToleratedFailurePercentage: 5, ...end }),
      'States.A.ToleratedFailurePercentage: is not supported in a Map state.',
    ],
    [
      'a distributed Map',
      state({
        Type: 'Map',
        ItemProcessor: { ProcessorConfig: { Mode: 'DISTRIBUTED' }, ...scope('B', { B: pass }) },
        ...end,
      }),
      'States.A.ItemProcessor.ProcessorConfig.Mode: must be INLINE.',
    ],
    [
      'an ItemReader',
      state({ Type: 'Map', ItemReader: {}, ItemProcessor: scope('B', { B: pass }), ...end }),
      'States.A.ItemReader: is not supported in a Map state.',
    ],
    [
      'items that are no list',
      state({ Type: 'Map', Items: { a: 1 }, ItemProcessor: scope('B', { B: pass }), ...end }),
      'States.A.Items: must be an array, or an expression.',
    ],
    [
      'a leak from a branch',
      state({ Type: 'Parallel', Branches: [scope('B', { B: { Type: 'Pass', Next: 'A' } })], ...end }),
      'States.A.Branches[0].States.B: leads to A, which does not exist.',
    ],
  ])('%s', (_, definition, sentence) => {
    expect(refusal(definition)).toBe(sentence);
  });
});
