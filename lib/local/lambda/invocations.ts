/** Calls of functions whose caller waits for the answer. */
import { randomBytes, randomUUID } from 'node:crypto';
import type { Clock } from '../../asl/clock.ts';
import { ServiceError } from '../service.ts';
import type { FunctionLogs } from './functionLogs.ts';
import type { Resolved } from './functions.ts';
import type { Outcome } from './worker.ts';
import type { Workers } from './workers.ts';

/** Bytes of a payload: 6 MB for synchronous calls and answers, 1 MB for asynchronous calls (October 2025). */
export const payloadBytesMax = { sync: 6_291_556, async: 1_048_576 };

export type Call = {
  /** JSON; empty stands for null. */
  readonly payload: string;
  readonly clientContext?: string | null;
  readonly traceId?: string | undefined;
};

export type Result = {
  readonly requestId: string;
  readonly version: string;
  /** JSON: the answer, or the error as `{ errorType, errorMessage, trace }`. */
  readonly payload: string;
  readonly failed: boolean;
  readonly logTail: string;
};

export class Invocations {
  readonly #workers: Workers;
  readonly #logs: FunctionLogs;
  readonly #clock: Clock;

  constructor(deps: { readonly workers: Workers; readonly logs: FunctionLogs; readonly clock: Clock }) {
    this.#workers = deps.workers;
    this.#logs = deps.logs;
    this.#clock = deps.clock;
  }

  /** A function's failure is a result. @throws ServiceError when the call is refused before it runs */
  async call(target: Resolved, call: Call, requestId: string = randomUUID()): Promise<Result> {
    assertPayload(call.payload, payloadBytesMax.sync);
    const { fn, version, arn } = target;
    const started = performance.now();
    const outcome = await this.#workers.run(
      fn,
      version,
      {
        requestId,
        event: call.payload === '' ? 'null' : call.payload,
        functionArn: arn,
        traceId: call.traceId ?? newTraceId(this.#clock.now()),
        clientContext: call.clientContext ?? null,
      },
      () => this.#tell(target, requestId, `START RequestId: ${requestId} Version: ${version.version}`),
    );
    if (!outcome.ok && outcome.processEnded) this.#tell(target, requestId, outcome.error.errorMessage);
    this.#report(target, requestId, performance.now() - started);
    return {
      requestId,
      version: version.version,
      ...answerOf(outcome),
      logTail: this.#logs.tail(fn.name, requestId),
    };
  }

  #report(target: Resolved, requestId: string, durationMs: number): void {
    const figures = [
      `Duration: ${durationMs.toFixed(2)} ms`,
      `Billed Duration: ${Math.ceil(durationMs)} ms`,
      `Memory Size: ${target.version.memoryMb} MB`,
    ];
    this.#tell(target, requestId, `END RequestId: ${requestId}`);
    this.#tell(target, requestId, [`REPORT RequestId: ${requestId}`, ...figures].join('\t'));
  }

  #tell({ fn, version }: Resolved, requestId: string, line: string): void {
    this.#logs.add({
      functionName: fn.name,
      version: version.version,
      requestId,
      line,
      at: this.#clock.now(),
    });
  }
}

function answerOf(outcome: Outcome): { readonly payload: string; readonly failed: boolean } {
  if (!outcome.ok) return { payload: JSON.stringify(outcome.error), failed: true };
  if (Buffer.byteLength(outcome.payload) <= payloadBytesMax.sync)
    return { payload: outcome.payload, failed: false };
  const limit = `maximum allowed payload size (${payloadBytesMax.sync} bytes)`;
  const errorMessage = `Response payload size exceeded ${limit}.`;
  return {
    payload: JSON.stringify({ errorType: 'Function.ResponseSizeTooLarge', errorMessage }),
    failed: true,
  };
}

/** @throws ServiceError RequestTooLargeException, InvalidRequestContentException */
export function assertPayload(payload: string, bytesMax: number): void {
  if (Buffer.byteLength(payload) > bytesMax) {
    const sentence = `Request must be smaller than ${bytesMax} bytes for the InvokeFunction operation`;
    throw new ServiceError('RequestTooLargeException', sentence, 413);
  }
  if (payload === '') return;
  try {
    JSON.parse(payload);
  } catch (error) {
    const sentence = `Could not parse request body into json: ${(error as Error).message}`;
    throw new ServiceError('InvalidRequestContentException', sentence, 400, { Type: 'User' });
  }
}

/** As X-Ray writes it: `Root=1-<seconds, hex>-<24 hex>;Parent=<16 hex>;Sampled=0`. */
function newTraceId(nowMs: number): string {
  const seconds = Math.floor(nowMs / 1000)
    .toString(16)
    .padStart(8, '0');
  const [root, parent] = [12, 8].map((bytes) => randomBytes(bytes).toString('hex'));
  return `Root=1-${seconds}-${root};Parent=${parent};Sampled=0`;
}
