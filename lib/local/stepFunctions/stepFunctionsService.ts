/**
 * Step Functions on one machine: standard workflows in JSONata, run by the interpreter of lib/asl on the
 * cloud's clock. Functions and other services are reached through the two callbacks.
 */
import { randomUUID } from 'node:crypto';
import * as sdk from '@aws-sdk/client-sfn';
import type { Clock } from '../../asl/clock.ts';
import { formatArn, parseArn } from '../arn.ts';
import type { Bus } from '../bus.ts';
import type { Place, Publish } from '../cloudEvent.ts';
import type { LocalService, RequestContext } from '../service.ts';
import { aliasOperations } from './aliasOperations.ts';
import { executionOperations } from './executionOperations.ts';
import { Executions } from './executions.ts';
import { stateMachineOperations } from './stateMachineOperations.ts';
import { StateMachines } from './stateMachines.ts';
import { type InvokeFunction, type InvokeService, taskRunner } from './taskCalls.ts';

export type StepFunctionsDeps = {
  readonly clock: Clock;
  readonly invokeFunction: InvokeFunction;
  readonly invoke: InvokeService;
  /** Takes execution status changes to EventBridge. */
  readonly publish: Publish;
  /** Rules and schedules that have a state machine for a target hand their events over here. */
  readonly bus?: Bus;
  /** Uniform in [0, 1): for jitter, and for aliases that route to two versions. */
  readonly random?: () => number;
  readonly uuid?: () => string;
};

export type StepFunctions = LocalService & {
  readonly machines: StateMachines;
  readonly executions: Executions;
};

export function stepFunctionsService(deps: StepFunctionsDeps): StepFunctions {
  const chance = { random: deps.random ?? Math.random, uuid: deps.uuid ?? randomUUID };
  const machines = new StateMachines(deps.clock, chance);
  const start = (machineArn: string, name: string | undefined, input: string) => {
    const record = executions.start(machines.startable(machineArn), name ?? chance.uuid(), input);
    return { executionArn: record.arn, startDate: new Date(record.startedAt) };
  };
  const executions: Executions = new Executions({
    clock: deps.clock,
    chance,
    publish: deps.publish,
    tasksOf(machineArn) {
      const place: Place = parseArn(machineArn) ?? { region: '', account: '' };
      const context = (): RequestContext => ({
        region: place.region,
        account: place.account,
        requestId: chance.uuid(),
        accessKeyId: 'states',
      });
      return taskRunner({ invokeFunction: deps.invokeFunction, invoke: deps.invoke, start, context });
    },
  });
  deps.bus?.register('states', async (arn, parcel) =>
    start(formatArn('states', arn, arn.resource), undefined, parcel.body),
  );
  return {
    scope: 'states',
    sdk,
    machines,
    executions,
    operations: {
      ...stateMachineOperations(machines, executions),
      ...aliasOperations(machines, deps.clock),
      ...executionOperations(machines, executions, chance.uuid),
    },
    close: async () => executions.close(),
  };
}
