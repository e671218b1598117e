/** What is accepted here, asl-validator accepts as well, the product's own machines among it. */
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { loadMachine } from '../../lib/asl/loadMachine.ts';
import { end, pass, refusal, scope, state } from './loading.ts';
import { machineOf } from './runMachine.ts';

const aslValidator = createRequire(import.meta.url)('asl-validator') as (definition: unknown) => {
  isValid: boolean;
};

describe('asl-validator', () => {
  const canary = JSON.parse(readFileSync(new URL('./canary.asl.json', import.meta.url), 'utf8'));
  const everything = machineOf(
    'Start',
    {
      Start: {
        Type: 'Pass',
        Comment: 'c',
        Assign: { n: '{% $states.input.n %}' },
        Output: '{% $states.input %}',
        Next: 'Ask',
      },
      Ask: {
        Type: 'Task',
        Resource: 'arn:aws:states:::sqs:sendMessage.waitForTaskToken',
        Arguments: { QueueUrl: 'q', MessageBody: { token: '{% $states.context.Task.Token %}' } },
        TimeoutSeconds: '{% $n * 10 %}',
        HeartbeatSeconds: 5,
        Retry: [{ ErrorEquals: ['States.TaskFailed'], IntervalSeconds: 1, MaxAttempts: 2, BackoffRate: 1.5 }],
        Catch: [{ ErrorEquals: ['States.ALL'], Assign: { e: '{% $states.errorOutput %}' }, Next: 'Failed' }],
        Next: 'Pick',
      },
      Pick: {
        Type: 'Choice',
        Choices: [{ Condition: '{% $n > 1 %}', Assign: { big: true }, Next: 'Both' }],
        Default: 'Rest',
      },
      Both: {
        Type: 'Parallel',
        Branches: [scope('B', { B: { Type: 'Wait', Seconds: '{% $n %}', End: true } })],
        Next: 'Each',
      },
      Each: {
        Type: 'Map',
        Items: '{% [1, 2] %}',
        MaxConcurrency: 2,
        ItemSelector: { v: '{% $states.context.Map.Item.Value %}' },
        ItemProcessor: {
          ProcessorConfig: { Mode: 'INLINE' },
          ...scope('E', { E: { Type: 'Succeed', Output: { n: 1 } } }),
        },
        Next: 'Rest',
      },
      Rest: { Type: 'Wait', Timestamp: '{% $states.input.until %}', Next: 'Done' },
      Done: { Type: 'Succeed' },
      Failed: { Type: 'Fail', Error: '{% $e.Error %}', Cause: 'no' },
    },
    { Comment: 'everything', Version: '1.0', TimeoutSeconds: 3600 },
  );
  const product = readdirSync('statemachines')
    .filter((file) => file.endsWith('.json'))
    .map((file): [string, unknown] => [file, JSON.parse(readFileSync(`statemachines/${file}`, 'utf8'))]);

  it.each<[string, unknown]>([['everything', everything], ['canary', canary], ...product])(
    'accepts %s, as we do',
    (_, definition) => {
      expect(loadMachine(definition)).toBeDefined();
      expect(aslValidator(structuredClone(definition))).toMatchObject({ isValid: true });
    },
  );

  it.each<[string, unknown]>([
    ['a wrong Next', state({ Type: 'Pass', Next: 'B' })],
    ['an unreachable state', machineOf('A', { A: pass, B: pass })],
    ['a JSONPath field', state({ ...pass, ResultPath: '$.x' })],
    ['Next and End', state({ Type: 'Pass', Next: 'A', End: true })],
    ['a machine that never ends', machineOf('A', { A: { Type: 'Pass', Next: 'A' } })],
    ['a Wait for nothing', state({ Type: 'Wait', ...end })],
  ])('refuses %s, as we do', (_, definition) => {
    expect(refusal(definition)).not.toBe('');
    expect(aslValidator(structuredClone(definition))).toMatchObject({ isValid: false });
  });
});
