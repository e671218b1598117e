/**
 * From a request to what is delivered: whose operation it is, its input checked against the client's
 * schema, the fault layer, the operation, the answer in the caller's own dialect.
 */
import { type Clock, sleep } from '../asl/clock.ts';
import type { Delivery } from './delivery.ts';
import type { Call, Fault, Faults } from './faults.ts';
import { type Dialect, dialectOf } from './protocols/dialect.ts';
import { type Model, modelOf, type OperationModel } from './protocols/model.ts';
import { missingMember } from './protocols/required.ts';
import type { Answer, Failure, WireRequest } from './protocols/wire.ts';
import { type LocalService, type RequestContext, ServiceError } from './service.ts';

export type Dispatcher = {
  readonly services: readonly LocalService[];
  readonly clock: Clock;
  readonly faults: Faults;
  readonly killCaller: (accessKeyId: string) => void;
  readonly onBug: (error: unknown, where: string) => void;
};

/** Whom a request means, as far as it can be told. */
export type Target = {
  readonly scope: string;
  readonly service: LocalService | null;
  readonly model: Model | null;
  readonly dialect: Dialect;
  /** The operation's name as the request gives it; null when it names none. */
  readonly operation: string | null;
};

export type Outcome = {
  readonly delivery: Delivery;
  /** The kind of fault that struck; null when none did. */
  readonly fault: Fault['kind'] | null;
  /** The code of the error that the operation or the fault layer answered; null for a success. */
  readonly errorCode: string | null;
};

/** Whom a request means. Where services share a scope, target prefix or operation decide. */
export function findTarget(services: readonly LocalService[], request: WireRequest, scope: string): Target {
  const inScope = services.filter((service) => scope === '' || service.scope === scope);
  const prefix = request.headers['x-amz-target']?.split('.')[0];
  const named = inScope.filter(
    (service) => prefix !== undefined && modelOf(service.sdk).targetPrefix === prefix,
  );
  for (const service of [...named, ...inScope]) {
    const model = modelOf(service.sdk);
    const dialect = dialectOf(request, model);
    const operation = dialect.operationName(model, request);
    if (operation !== null && model.operations.has(operation)) {
      return { scope: service.scope, service, model, dialect, operation };
    }
  }
  const service = inScope[0] ?? null;
  const model = service === null ? null : modelOf(service.sdk);
  const dialect = dialectOf(request, model);
  const operation = model === null ? null : dialect.operationName(model, request);
  return { scope: service?.scope ?? scope, service, model, dialect, operation };
}

/** Runs one request through the fault layer and the operation. */
export async function dispatch(
  dispatcher: Dispatcher,
  target: Target,
  request: WireRequest,
  context: RequestContext,
): Promise<Outcome> {
  const refuse = (failure: Failure): Outcome => ({
    delivery: { how: 'whole', answer: target.dialect.fail(target.model, failure, context.requestId) },
    fault: null,
    errorCode: failure.code,
  });
  const known = resolve(dispatcher.services, target);
  if ('code' in known) return refuse(known);
  const { model, operation, run } = known;
  const undecoded = target.service?.undecoded === true && target.dialect.kind === 'json';
  let input: Record<string, unknown>;
  try {
    input = undecoded
      ? JSON.parse(request.body.toString() || '{}')
      : target.dialect.read(model, operation, request);
  } catch (error) {
    return refuse(failure('SerializationException', `the body cannot be read: ${(error as Error).message}`));
  }
  const missing = undecoded ? null : missingMember(operation.input, input);
  if (missing !== null) {
    const code = target.dialect.kind === 'query' ? 'ValidationError' : 'ValidationException';
    const constraint = 'failed to satisfy constraint: Member must not be null';
    return refuse(failure(code, `1 validation error detected: Value null at '${missing}' ${constraint}`));
  }
  const perform = async (): Promise<Performed> => {
    try {
      const output = ((await run(input, context)) ?? {}) as Record<string, unknown>;
      if (!undecoded)
        return { answer: target.dialect.write(model, operation, output, context.requestId), errorCode: null };
      const empty = target.dialect.write(model, operation, {}, context.requestId);
      return { answer: { ...empty, body: JSON.stringify(output) }, errorCode: null };
    } catch (error) {
      const failed = { ...asFailure(error), encoded: undecoded };
      if (!(error instanceof ServiceError)) dispatcher.onBug(error, `${target.scope}:${operation.name}`);
      return { answer: target.dialect.fail(model, failed, context.requestId), errorCode: failed.code };
    }
  };
  const call: Call = { service: target.scope, operation: operation.name, input, caller: context.accessKeyId };
  const fault = dispatcher.faults.strike(call);
  if (fault === null) return whole(await perform(), null);
  const refused = (failed: Failure): Performed => ({
    answer: target.dialect.fail(model, failed, context.requestId),
    errorCode: failed.code,
  });
  return strike({ dispatcher, fault, target, context, perform, refused });
}

type Performed = { readonly answer: Answer; readonly errorCode: string | null };
type Known = {
  readonly model: Model;
  readonly operation: OperationModel;
  readonly run: NonNullable<LocalService['operations'][string]>;
};

/** The operation to run, or why there is none. */
function resolve(
  services: readonly LocalService[],
  { scope, service, model, operation }: Target,
): Known | Failure {
  if (service === null || model === null) {
    const emulated = [...new Set(services.map((other) => other.scope))].sort().join(', ');
    return failure(
      'NotImplemented',
      `the service '${scope}' is not emulated here; these are: ${emulated}`,
      501,
    );
  }
  const known = operation === null ? undefined : model.operations.get(operation);
  if (known === undefined) {
    const asked = operation ?? 'no operation';
    return failure('UnknownOperationException', `'${scope}' has no operation for this request (${asked})`);
  }
  const run = service.operations[known.name];
  if (run === undefined) {
    const sentence = `${scope}:${known.name} exists on AWS, but is not emulated by the local cloud`;
    return failure('NotImplemented', sentence, 501);
  }
  return { model, operation: known, run };
}

type Struck = {
  readonly dispatcher: Dispatcher;
  readonly fault: Fault;
  readonly target: Target;
  readonly context: RequestContext;
  readonly perform: () => Promise<Performed>;
  readonly refused: (failure: Failure) => Performed;
};

async function strike({ dispatcher, fault, target, context, perform, refused }: Struck): Promise<Outcome> {
  const broken = () =>
    refused(failure('InternalFailure', 'the fault layer answered in place of the service', 500));
  switch (fault.kind) {
    case 'throttle':
      return whole(refused(throttled(fault, target.dialect)), fault.kind);
    case 'error': {
      const status = fault.status ?? 500;
      const code = fault.code ?? (status === 503 ? 'ServiceUnavailable' : 'InternalFailure');
      return whole(
        refused(failure(code, 'the fault layer answered in place of the service', status)),
        fault.kind,
      );
    }
    case 'reset':
      return { delivery: { how: 'reset' }, fault: fault.kind, errorCode: null };
    case 'slow':
      await sleep(dispatcher.clock, fault.ms);
      return whole(await perform(), fault.kind);
    case 'half': {
      const { answer, errorCode } = await perform();
      return { delivery: { how: 'half', answer }, fault: fault.kind, errorCode };
    }
    case 'applied':
      await perform();
      if (fault.answer === 'reset') return { delivery: { how: 'reset' }, fault: fault.kind, errorCode: null };
      return whole(broken(), fault.kind);
    case 'late':
      dispatcher.clock.schedule(fault.ms, () => void perform());
      if (fault.answer === 'silence')
        return { delivery: { how: 'silence' }, fault: fault.kind, errorCode: null };
      return whole(broken(), fault.kind);
    case 'kill':
      if (fault.when === 'after') await perform();
      dispatcher.killCaller(context.accessKeyId);
      return { delivery: { how: 'reset' }, fault: fault.kind, errorCode: null };
  }
}

/** The code by which each protocol's clients know that they are being throttled. */
function throttled(fault: Extract<Fault, { kind: 'throttle' }>, dialect: Dialect): Failure {
  const rest = dialect.kind === 'rest-json';
  const usual =
    dialect.kind === 'json' ? 'ThrottlingException' : rest ? 'TooManyRequestsException' : 'Throttling';
  return failure(fault.code ?? usual, 'Rate exceeded', fault.status ?? (rest ? 429 : 400));
}

function asFailure(error: unknown): Failure {
  if (error instanceof ServiceError) {
    return { code: error.name, message: error.message, status: error.status, members: error.members };
  }
  return failure('InternalFailure', error instanceof Error ? error.message : String(error), 500);
}

const failure = (code: string, message: string, status = 400): Failure => ({
  code,
  message,
  status,
  members: {},
});
const whole = ({ answer, errorCode }: Performed, fault: Fault['kind'] | null): Outcome => ({
  delivery: { how: 'whole', answer },
  fault,
  errorCode,
});
