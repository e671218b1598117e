/** Step Functions behind an endpoint, with functions and other services that a test writes itself. */
import * as sfn from '@aws-sdk/client-sfn';
import { afterEach, beforeEach } from 'vitest';
import { VirtualClock } from '../../../lib/asl/clock.ts';
import { Bus } from '../../../lib/local/bus.ts';
import type { CloudEvent } from '../../../lib/local/cloudEvent.ts';
import { type Endpoint, startEndpoint } from '../../../lib/local/endpoint.ts';
import { ServiceError } from '../../../lib/local/service.ts';
import { stepFunctionsService } from '../../../lib/local/stepFunctions/stepFunctionsService.ts';
import type { FunctionAnswer } from '../../../lib/local/stepFunctions/taskCalls.ts';

export const place = 'eu-west-1:000000000000';
export const machineArn = `arn:aws:states:${place}:stateMachine:rollout`;
export const roleArn = 'arn:aws:iam::000000000000:role/rollout';
export const startedAt = Date.UTC(2026, 0, 1);

type Body = (payload: never) => FunctionAnswer | Promise<FunctionAnswer>;

export let clock: VirtualClock;
export let endpoint: Endpoint;
export let client: sfn.SFNClient;
export let bus: Bus;
/** What EventBridge was told. */
export let events: CloudEvent[];
/** The Lambda functions there are, by name. */
export let functions: Record<string, Body>;
/** The calls of other services. */
export let calls: [service: string, action: string, input: unknown, region: string, account: string][];
/** The next random numbers; 0 when there are no more. */
export let draws: number[];

/** Opens a new desk for each test of the file. */
export function useDesk(): void {
  beforeEach(async () => {
    clock = new VirtualClock(startedAt);
    bus = new Bus();
    events = [];
    functions = {};
    calls = [];
    draws = [];
    const service = stepFunctionsService({
      clock,
      bus,
      publish: (event) => void events.push(event),
      random: () => draws.shift() ?? 0,
      async invokeFunction({ functionName, payload }) {
        const body = functions[functionName];
        if (body !== undefined) return body(payload as never);
        throw new ServiceError('ResourceNotFoundException', `Function not found: ${functionName}`, 404);
      },
      async invoke(service, action, input, { region, account }) {
        calls.push([service, action, input, region, account]);
        if (action === 'describeClusters') {
          throw new ServiceError('ClusterNotFoundException', 'Cluster not found.');
        }
        return { MessageId: 'm-1' };
      },
    });
    endpoint = await startEndpoint({ services: [service], clock });
    client = new sfn.SFNClient({ endpoint: endpoint.url, region: 'eu-west-1', maxAttempts: 1 });
  });
  afterEach(async () => {
    client.destroy();
    await endpoint.close();
  });
}

export const definitionOf = (states: object) =>
  JSON.stringify({ QueryLanguage: 'JSONata', StartAt: 'A', States: states });
export const pass = definitionOf({ A: { Type: 'Pass', End: true } });
export const waiting = definitionOf({ A: { Type: 'Wait', Seconds: 60, End: true } });
export const says = (word: string) => definitionOf({ A: { Type: 'Pass', Output: word, End: true } });

/** A state that invokes a function with its input, and puts out the answer. */
export const invoke = (FunctionName: string, more: object = { End: true }) => ({
  Type: 'Task',
  Resource: 'arn:aws:states:::lambda:invoke',
  Arguments: { FunctionName, Payload: '{% $states.input %}' },
  Output: '{% $states.result.Payload %}',
  ...more,
});

export const create = (definition: string, more: Partial<sfn.CreateStateMachineCommandInput> = {}) =>
  client.send(new sfn.CreateStateMachineCommand({ name: 'rollout', definition, roleArn, ...more }));

export const start = (more: Partial<sfn.StartExecutionCommandInput> = {}) =>
  client.send(new sfn.StartExecutionCommand({ stateMachineArn: machineArn, ...more }));

export const describeExecution = (executionArn: string | undefined) =>
  client.send(new sfn.DescribeExecutionCommand({ executionArn }));

/** Starts an execution, lets `seconds` pass, and describes it. */
export async function ran(more: Partial<sfn.StartExecutionCommandInput> = {}, seconds = 0) {
  const { executionArn } = await start(more);
  await clock.advance(seconds * 1000);
  return describeExecution(executionArn);
}

/** What a promise is rejected with; null when it is not. */
export const failureOf = (promise: Promise<unknown>): Promise<{ name: string; message: string } | null> =>
  promise.then(
    () => null,
    (error) => error,
  );
