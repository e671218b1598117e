/** The calls of Task states, made on this cloud: functions, other state machines, and every other service. */
import { copyJson, isObject, type Json } from '../../asl/json.ts';
import type { TaskResource } from '../../asl/machine.ts';
import { TaskError, type TaskRunner, taskResult } from '../../asl/taskRunner.ts';
import { type RequestContext, ServiceError } from '../service.ts';

export type FunctionAnswer =
  | { readonly payload: unknown }
  | {
      readonly error: { readonly name: string; readonly message: string; readonly trace?: readonly string[] };
    };

/** Invokes a Lambda function by name or ARN and waits for it. @throws ServiceError when there is none */
export type InvokeFunction = (call: {
  readonly functionName: string;
  readonly payload: unknown;
}) => Promise<FunctionAnswer>;

/**
 * Calls an operation of another service. Service and action are as in the ARN (`dynamodb`, `putItem`), the
 * members of input and output begin with a capital letter, as Step Functions has them.
 */
export type InvokeService = (
  service: string,
  action: string,
  input: Json,
  context: RequestContext,
) => Promise<unknown>;

export type TaskCalls = {
  readonly invokeFunction: InvokeFunction;
  readonly invoke: InvokeService;
  /** StartExecution, for `states:startExecution`. */
  readonly start: (
    stateMachineArn: string,
    name: string | undefined,
    input: string,
  ) => {
    readonly executionArn: string;
    readonly startDate: Date;
  };
  readonly context: () => RequestContext;
};

/** A runner whose errors have the names that Step Functions gives them. */
export function taskRunner(calls: TaskCalls): TaskRunner {
  return async ({ resource, arguments: given }) => {
    const context = calls.context();
    try {
      // A service may keep what it is given, and answer what it keeps.
      return taskResult(await call(calls, resource, copyJson(given), context));
    } catch (error) {
      if (error instanceof ServiceError) throw integrationError(resource, error, context.requestId);
      throw error;
    }
  };
}

async function call(
  calls: TaskCalls,
  { awsSdk, service, action }: TaskResource,
  given: Json,
  context: RequestContext,
): Promise<unknown> {
  if (awsSdk) return calls.invoke(service, action, given, context);
  const input = isObject(given) ? (given as Record<string, Json>) : {};
  if (service === 'lambda') return invokeLambda(calls.invokeFunction, input);
  if (service === 'states') return startNested(calls, input);
  return calls.invoke(service === 'events' ? 'eventbridge' : service, action, textBodies(input), context);
}

async function invokeLambda(invokeFunction: InvokeFunction, input: Record<string, Json>): Promise<unknown> {
  const { FunctionName, Qualifier, Payload = {}, InvocationType } = input;
  const functionName = Qualifier === undefined ? String(FunctionName) : `${FunctionName}:${Qualifier}`;
  const answering = invokeFunction({ functionName, payload: Payload });
  if (InvocationType === 'Event') {
    answering.catch(() => undefined); // nobody waits for an asynchronous invocation
    return { Payload: '', StatusCode: 202 };
  }
  const answer = await answering;
  if ('error' in answer) {
    const { name, message, trace = [] } = answer.error;
    throw new TaskError(name, JSON.stringify({ errorType: name, errorMessage: message, trace }));
  }
  return { ExecutedVersion: '$LATEST', Payload: answer.payload ?? null, StatusCode: 200 };
}

function startNested(calls: TaskCalls, input: Record<string, Json>): unknown {
  const { StateMachineArn, Name, Input = {} } = input;
  const text = typeof Input === 'string' ? Input : JSON.stringify(Input);
  const name = Name === undefined ? undefined : String(Name);
  const { executionArn, startDate } = calls.start(String(StateMachineArn), name, text);
  return { ExecutionArn: executionArn, StartDate: startDate.getTime() };
}

/** `MessageBody`, `Message` and an event's `Detail` may be given as JSON; the services take text. */
function textBodies(input: Record<string, Json>): Json {
  const text = (value: Json | undefined) => (typeof value === 'string' ? value : JSON.stringify(value));
  const written: Record<string, Json> = { ...input };
  for (const name of ['MessageBody', 'Message']) if (name in input) written[name] = text(input[name]);
  if (Array.isArray(input.Entries)) {
    written.Entries = (input.Entries as Record<string, Json>[]).map((entry) =>
      'Detail' in entry ? { ...entry, Detail: text(entry.Detail) } : entry,
    );
  }
  return written;
}

/** Optimised integrations have prefixes of their own; `aws-sdk` has the names of the Java SDK's clients. */
const OPTIMISED = new Map([
  ['lambda', 'Lambda'],
  ['states', 'StepFunctions'],
  ['sqs', 'SQS'],
  ['sns', 'SNS'],
  ['events', 'EventBridge'],
]);
const JAVA_CLIENTS = new Map([
  ['apigateway', 'ApiGateway'],
  ['applicationautoscaling', 'ApplicationAutoScaling'],
  ['cloudwatch', 'CloudWatch'],
  ['codedeploy', 'CodeDeploy'],
  ['dynamodb', 'DynamoDb'],
  ['elasticloadbalancingv2', 'ElasticLoadBalancingV2'],
  ['eventbridge', 'EventBridge'],
  ['secretsmanager', 'SecretsManager'],
]);

function integrationError(resource: TaskResource, error: ServiceError, requestId: string): TaskError {
  const { service, awsSdk } = resource;
  const named = (awsSdk ? JAVA_CLIENTS : OPTIMISED).get(service);
  const prefix = named ?? service.charAt(0).toUpperCase() + service.slice(1);
  const name = error.name.endsWith('Exception') ? error.name : `${error.name}Exception`;
  const where = `Service: ${prefix}, Status Code: ${error.status}, Request ID: ${requestId}`;
  return new TaskError(`${prefix}.${name}`, `${error.message} (${where})`);
}
