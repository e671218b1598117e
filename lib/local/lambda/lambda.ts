import { formatArn } from '../arn.ts';
import type { Bus } from '../bus.ts';
import type { Tables } from '../dynamodb/tables.ts';
import type { Random } from '../random.ts';
import type { LocalService } from '../service.ts';
import type { Queues } from '../sqs/queues.ts';
import { AsyncInvocations } from './asyncInvocations.ts';
import { EventSourceMappings } from './eventSourceMappings.ts';
import { FunctionLogs, type LogLine } from './functionLogs.ts';
import { Functions } from './functions.ts';
import { Invocations, type Result } from './invocations.ts';
import { lambdaService } from './lambdaService.ts';
import { Workers, type WorkersOptions } from './workers.ts';

export type LambdaOptions = Omit<WorkersOptions, 'onLog'> & {
  readonly bus: Bus;
  readonly queues: Queues;
  readonly tables: Tables;
  /** Chooses between an alias's versions. */
  readonly random: Random;
  readonly onLog?: (line: LogLine) => void;
};

export type Lambda = {
  readonly service: LocalService;
  readonly functions: Functions;
  readonly workers: Workers;
  readonly logs: FunctionLogs;
  readonly mappings: EventSourceMappings;
  /** Calls a function by name or ARN and waits. @throws ServiceError when it is refused before it runs */
  call(nameOrArn: string, payload: string, traceId?: string): Promise<Result>;
};

/** @param options.bus hands functions what other services send them */
export function startLambda(options: LambdaOptions): Lambda {
  const { clock, bus, queues, tables, random } = options;
  const logs = new FunctionLogs(options.onLog);
  const functions = new Functions({ clock, random });
  const workers = new Workers({ ...options, onLog: (line) => logs.add(line) });
  const invocations = new Invocations({ workers, logs, clock });
  const asyncInvocations = new AsyncInvocations({ functions, invocations, clock, bus });
  const mappings = new EventSourceMappings({ clock, bus, queues, tables, functions, invocations });
  bus.register('lambda', async (arn, { body, traceId }) => {
    asyncInvocations.enqueue(formatArn('lambda', arn, arn.resource), undefined, { payload: body, traceId });
  });
  return {
    service: lambdaService({ clock, functions, workers, invocations, asyncInvocations, mappings }),
    functions,
    workers,
    logs,
    mappings,
    call: async (nameOrArn, payload, traceId) =>
      invocations.call(functions.resolve(nameOrArn), { payload, traceId }),
  };
}
