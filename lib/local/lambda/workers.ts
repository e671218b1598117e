/**
 * The processes of all functions. A call takes an idle process of its version or starts one; how many may
 * be busy is the function's reserved concurrency, or what the account has left. A process is given up when
 * its configuration or its bundle's bytes have changed.
 */
import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Clock, realClock } from '../../asl/clock.ts';
import { parseArn } from '../arn.ts';
import { ServiceError } from '../service.ts';
import type { LogLine } from './functionLogs.ts';
import { bundleFile, exportNameOf, type FunctionVersion, type LambdaFunction } from './functionVersion.ts';
import { type Outcome, Worker, type WorkerSpec } from './worker.ts';

export type WorkersOptions = {
  readonly clock: Clock;
  /** Where functions reach the cloud; a function where that is known only later. */
  readonly endpointUrl: string | (() => string);
  /** Processes busy at one time, over all functions. AWS starts accounts at 1000; one machine has fewer. */
  readonly concurrencyMax?: number;
  /** Measures functions' timeouts; the machine's own clock, on which the processes run. */
  readonly processClock?: Clock;
  /** Environment that every function gets besides Lambda's own. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly onLog?: (line: LogLine) => void;
};

export type WorkerRequest = {
  readonly requestId: string;
  /** JSON. */
  readonly event: string;
  readonly functionArn: string;
  readonly traceId: string;
  readonly clientContext: string | null;
};

const concurrencyMax = 100;
type Kept = { readonly worker: Worker; readonly print: string; readonly name: string; busy: boolean };

export class Workers {
  readonly #options: WorkersOptions;
  #kept: Kept[] = [];

  constructor(options: WorkersOptions) {
    this.#options = options;
  }

  /** Runs a request in a process of this version. @throws ServiceError TooManyRequestsException */
  async run(
    fn: LambdaFunction,
    version: FunctionVersion,
    request: WorkerRequest,
    onStart: () => void = () => undefined,
  ): Promise<Outcome> {
    this.#limit(fn);
    const kept = this.#take(version);
    onStart();
    try {
      return await kept.worker.invoke(request);
    } finally {
      kept.busy = false;
      if (!kept.worker.alive) this.#kept = this.#kept.filter((other) => other !== kept);
    }
  }

  /** Busy processes of a function; of all functions without a name. */
  busy(name?: string): number {
    return this.#kept.filter((kept) => kept.busy && (name === undefined || kept.name === name)).length;
  }

  /** Ends a function's processes as a crash would; answers how many. */
  kill(name: string): number {
    const found = this.#kept.filter((kept) => kept.name === name);
    for (const { worker } of found) worker.kill();
    this.#kept = this.#kept.filter((kept) => kept.name !== name);
    return found.length;
  }

  /** Ends the process that signs with this key; false when there is none. */
  killCaller(accessKeyId: string): boolean {
    const found = this.#kept.find(({ worker }) => worker.accessKeyId === accessKeyId);
    found?.worker.kill();
    return found !== undefined;
  }

  /** Lets a function's idle processes go, and the busy ones when they are done. */
  retire(name: string): void {
    const found = this.#kept.filter((kept) => kept.name === name);
    this.#kept = this.#kept.filter((kept) => kept.name !== name || kept.busy);
    for (const { worker, busy } of found) if (!busy) worker.kill();
  }

  async close(): Promise<void> {
    const all = this.#kept;
    this.#kept = [];
    await Promise.all(all.map(({ worker }) => worker.close()));
  }

  #limit(fn: LambdaFunction): void {
    const reserved = fn.reservedConcurrency;
    if (reserved !== null && this.busy(fn.name) >= reserved)
      throw throttled('ReservedFunctionConcurrentInvocationLimitExceeded');
    if (this.busy() >= (this.#options.concurrencyMax ?? concurrencyMax))
      throw throttled('ConcurrentInvocationLimitExceeded');
  }

  #take(version: FunctionVersion): Kept {
    const file = bundleFile(version.bundlePath, version.handler);
    const { mtimeMs, size } = statSync(file);
    const print = `${version.version} ${version.revisionId} ${file} ${mtimeMs} ${size}`;
    const stale = this.#kept.filter(
      (kept) =>
        !kept.busy &&
        kept.name === version.name &&
        kept.print !== print &&
        kept.print.startsWith(`${version.version} `),
    );
    this.#kept = this.#kept.filter((kept) => !stale.includes(kept));
    for (const { worker } of stale) worker.kill();
    const idle = this.#kept.find(
      (kept) => !kept.busy && kept.print === print && kept.name === version.name && kept.worker.alive,
    );
    if (idle !== undefined) {
      idle.busy = true;
      return idle;
    }
    const started: Kept = { worker: this.#start(version, file), print, name: version.name, busy: true };
    this.#kept.push(started);
    return started;
  }

  #start(version: FunctionVersion, file: string): Worker {
    const accessKeyId = `fn-${version.name}-${randomBytes(6).toString('hex')}`;
    const { clock, onLog, processClock, endpointUrl, environment } = this.#options;
    const spec: WorkerSpec = {
      modulePath: file,
      exportName: exportNameOf(version.handler),
      accessKeyId,
      timeoutMs: version.timeoutSeconds * 1000,
      environment: {
        ...environment,
        ...runtimeEnvironment(version, file, accessKeyId),
        AWS_ENDPOINT_URL: typeof endpointUrl === 'string' ? endpointUrl : endpointUrl(),
        ...version.environment,
      },
    };
    return new Worker(spec, processClock ?? realClock, (line, requestId) => {
      onLog?.({ functionName: version.name, version: version.version, requestId, line, at: clock.now() });
    });
  }
}

/** The variables that Lambda sets (developer guide, "Defined runtime environment variables"). */
function runtimeEnvironment(
  version: FunctionVersion,
  file: string,
  accessKeyId: string,
): Record<string, string> {
  const region = parseArn(version.functionArn)?.region ?? 'us-east-1';
  return {
    PATH: process.env.PATH ?? '',
    HOME: '/tmp',
    TZ: ':UTC',
    LANG: 'en_US.UTF-8',
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_SESSION_TOKEN: 'local',
    AWS_EXECUTION_ENV: `AWS_Lambda_${version.runtime}`,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_LAMBDA_FUNCTION_NAME: version.name,
    AWS_LAMBDA_FUNCTION_VERSION: version.version,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(version.memoryMb),
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_FORMAT: version.logFormat,
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${version.name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: `[${version.version}]`,
    LAMBDA_TASK_ROOT: dirname(file),
    _HANDLER: version.handler,
  };
}

const throttled = (Reason: string) =>
  new ServiceError('TooManyRequestsException', 'Rate Exceeded.', 429, { Reason });
