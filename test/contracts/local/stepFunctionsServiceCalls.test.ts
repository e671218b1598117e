/** `aws-sdk` integrations on emulated services: members respelt, values turned into JSON. */
import * as sfn from '@aws-sdk/client-sfn';
import { describe, expect, it } from 'vitest';
import { type LocalService, ServiceError } from '../../../lib/local/service.ts';
import { callServices } from '../../../lib/local/stepFunctions/serviceCalls.ts';
import { taskRunner } from '../../../lib/local/stepFunctions/taskCalls.ts';

const context = { region: 'eu-west-1', account: '1', requestId: 'r', accessKeyId: 'k' };
const seen: unknown[] = [];
const service: LocalService = {
  scope: 'states',
  sdk: sfn,
  operations: {
    DescribeExecution(input) {
      seen.push(input);
      return { executionArn: input.executionArn, startDate: new Date(0), inputDetails: { included: true } };
    },
    TagResource(input) {
      seen.push(input);
    },
  },
};
const call = callServices(() => [service]);

describe('callServices', () => {
  it('spells members as the SDK does on the way in, and with capitals on the way out', async () => {
    seen.length = 0;
    expect(await call('sfn', 'describeExecution', { ExecutionArn: 'arn:e' }, context)).toEqual({
      ExecutionArn: 'arn:e',
      StartDate: '1970-01-01T00:00:00.000Z',
      InputDetails: { Included: true },
    });
    await call('sfn', 'tagResource', { ResourceArn: 'arn:m', Tags: [{ Key: 'a', Value: 'b' }] }, context);
    expect(seen).toEqual([
      { executionArn: 'arn:e' },
      { resourceArn: 'arn:m', tags: [{ key: 'a', value: 'b' }] },
    ]);
  });

  it.each<[string, Record<string, string>, string]>([
    [
      'describeExecution',
      { executionArn: 'x' },
      'The field "executionArn" is not supported by Step Functions',
    ],
    ['describeExecution', {}, "Value null at 'executionArn'"],
    ['startExecution', {}, 'sfn:startExecution is not emulated by the local cloud'],
    ['noSuchThing', {}, 'sfn:noSuchThing is not emulated by the local cloud'],
  ])('refuses %s %o', async (action, input, words) => {
    const failure = await call('sfn', action, input, context).then(
      () => null,
      (error) => error,
    );
    expect(failure).toBeInstanceOf(ServiceError);
    expect(failure.message).toContain(words);
  });

  it('hands a service that is itself an emulator its own spelling', async () => {
    const raw = {
      ...service,
      undecoded: true,
      operations: { TagResource: (input: unknown) => ({ got: input }) },
    };
    const input = { ResourceArn: 'x', anything: 1 };
    expect(await callServices(() => [raw])('sfn', 'tagResource', input, context)).toEqual({ got: input });
  });
});

describe('taskRunner', () => {
  it('shares nothing between a service and the execution that calls it', async () => {
    const unused = () => {
      throw new Error('no call of this kind is made');
    };
    const kept = { n: 1 };
    const run = taskRunner({
      context: () => context,
      invokeFunction: unused,
      start: unused,
      invoke: async (_service, _action, input) => {
        (input as { Tags: unknown[] }).Tags.pop();
        return kept;
      },
    });
    const given = { ResourceArn: 'arn:m', Tags: [{ Key: 'a', Value: 'b' }] };
    const action = 'tagResource';
    const named = { resourceType: 'aws-sdk:sfn', resource: action };
    const arn = 'arn:aws:states:::aws-sdk:sfn:tagResource';
    const resource = { arn, service: 'sfn', action, awsSdk: true, waitForTaskToken: false, named };
    const call = {
      resource,
      arguments: given,
      stateName: 'Tag',
      executionArn: 'arn:e',
      taskToken: undefined,
    };
    const answer = await run(call);
    kept.n = 2;
    expect([given.Tags.length, answer]).toEqual([1, { n: 1 }]);
  });
});
