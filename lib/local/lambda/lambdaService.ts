/** AWS Lambda as its clients see it: calls of functions; the rest is in the files beside. */
import * as sdk from '@aws-sdk/client-lambda';
import type { Clock } from '../../asl/clock.ts';
import { type LocalService, ServiceError } from '../service.ts';
import { aliasOperations, invokeConfigOperations } from './aliasOperations.ts';
import type { AsyncInvocations } from './asyncInvocations.ts';
import type { EventSourceMappings } from './eventSourceMappings.ts';
import { functionOperations } from './functionOperations.ts';
import type { Functions } from './functions.ts';
import type { Invocations } from './invocations.ts';
import { mappingOperations } from './mappingOperations.ts';
import type { Workers } from './workers.ts';

export type LambdaDeps = {
  readonly clock: Clock;
  readonly functions: Functions;
  readonly workers: Workers;
  readonly invocations: Invocations;
  readonly asyncInvocations: AsyncInvocations;
  readonly mappings: EventSourceMappings;
};

export function lambdaService(deps: LambdaDeps): LocalService {
  return {
    scope: 'lambda',
    sdk,
    operations: {
      ...functionOperations(deps.functions, deps.workers),
      ...aliasOperations(deps.functions),
      ...invokeConfigOperations(deps.functions, deps.clock),
      ...mappingOperations(deps.functions, deps.mappings),
      Invoke: (input: sdk.InvokeCommandInput, { traceId }) => invoke(deps, input, traceId),
    },
    async close() {
      deps.mappings.close();
      deps.asyncInvocations.close();
      await deps.workers.close();
    },
  };
}

async function invoke(deps: LambdaDeps, input: sdk.InvokeCommandInput, traceId: string | undefined) {
  const { FunctionName = '', Qualifier, InvocationType = 'RequestResponse', LogType, ClientContext } = input;
  const payload = input.Payload === undefined ? '' : Buffer.from(input.Payload as Uint8Array).toString();
  const clientContext = ClientContext === undefined ? null : Buffer.from(ClientContext, 'base64').toString();
  const call = { payload, clientContext, traceId };
  if (InvocationType === 'DryRun') {
    deps.functions.resolve(FunctionName, Qualifier);
    return { StatusCode: 204 };
  }
  if (InvocationType === 'Event') {
    deps.asyncInvocations.enqueue(FunctionName, Qualifier, call);
    return { StatusCode: 202 };
  }
  if (InvocationType !== 'RequestResponse') {
    throw new ServiceError('InvalidParameterValueException', `Unsupported invocation type ${InvocationType}`);
  }
  const result = await deps.invocations.call(deps.functions.resolve(FunctionName, Qualifier), call);
  return {
    StatusCode: 200,
    ExecutedVersion: result.version,
    FunctionError: result.failed ? 'Unhandled' : undefined,
    LogResult: LogType === 'Tail' ? Buffer.from(result.logTail).toString('base64') : undefined,
    Payload: result.payload,
  };
}
