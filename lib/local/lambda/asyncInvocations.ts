/**
 * Calls of functions that nobody waits for: queued, tried again when they fail or are throttled, and told to
 * a destination or a dead-letter queue in the end. Source: Lambda developer guide, "How Lambda handles errors
 * and retries with asynchronous invocation", "Capturing records of Lambda asynchronous invocations".
 */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../../asl/clock.ts';
import { parseArn } from '../arn.ts';
import type { Bus, Parcel } from '../bus.ts';
import { ServiceError } from '../service.ts';
import type { Functions, Resolved } from './functions.ts';
import type { InvokeConfig } from './functionVersion.ts';
import { assertPayload, type Call, type Invocations, payloadBytesMax, type Result } from './invocations.ts';

/** A failed call is tried again after one minute and then after two. */
const retryPauseMs = [60_000, 120_000];
/** A throttled one after a second, doubling up to five minutes. */
const throttlePauseMs = { first: 1_000, longest: 300_000 };
const usualConfig = { retries: 2, ageSeconds: 21_600, onSuccess: null, onFailure: null };

type Condition = 'Success' | 'RetriesExhausted' | 'EventAgeExceeded';
type Queued = {
  readonly name: string;
  readonly qualifier: string;
  readonly call: Call;
  readonly requestId: string;
  readonly config: Omit<InvokeConfig, 'changedAt'>;
  readonly since: number;
  readonly tries: number;
  readonly throttles: number;
};
type Ended = {
  readonly condition: Condition;
  readonly queued: Queued;
  readonly target: Resolved;
  readonly result: Result | null;
};

export class AsyncInvocations {
  readonly #functions: Functions;
  readonly #invocations: Invocations;
  readonly #clock: Clock;
  readonly #bus: Bus;
  #closed = false;

  constructor(deps: {
    readonly functions: Functions;
    readonly invocations: Invocations;
    readonly clock: Clock;
    readonly bus: Bus;
  }) {
    this.#functions = deps.functions;
    this.#invocations = deps.invocations;
    this.#clock = deps.clock;
    this.#bus = deps.bus;
  }

  /** Takes a call in and answers its request id. @throws ServiceError */
  enqueue(name: string, qualifier: string | undefined, call: Call): string {
    assertPayload(call.payload, payloadBytesMax.async);
    const { fn, alias, version } = this.#functions.resolve(name, qualifier);
    const wanted = alias?.name ?? version.version;
    const config = fn.invokeConfigs.get(wanted) ?? usualConfig;
    const requestId = randomUUID();
    const since = this.#clock.now();
    void this.#attempt({
      name: fn.name,
      qualifier: wanted,
      call,
      requestId,
      config,
      since,
      tries: 0,
      throttles: 0,
    });
    return requestId;
  }

  /** Tries nothing again from now on. */
  close(): void {
    this.#closed = true;
  }

  async #attempt(before: Queued): Promise<void> {
    if (this.#closed) return;
    let target: Resolved;
    try {
      target = this.#functions.resolve(before.name, before.qualifier);
    } catch {
      return; // deleted meanwhile: its queue goes with it
    }
    const result = await this.#call(target, before);
    if (result === null) {
      const pause = Math.min(throttlePauseMs.longest, throttlePauseMs.first * 2 ** before.throttles);
      return this.#again({ ...before, throttles: before.throttles + 1 }, pause, target, null);
    }
    const queued = { ...before, tries: before.tries + 1 };
    if (!result.failed) return this.#toDestination({ condition: 'Success', queued, target, result });
    if (before.tries >= queued.config.retries) {
      return this.#giveUp({ condition: 'RetriesExhausted', queued, target, result });
    }
    return this.#again(queued, retryPauseMs[before.tries] ?? 120_000, target, result);
  }

  /** Null when the call was refused before the function ran. */
  async #call(target: Resolved, { call, requestId }: Queued): Promise<Result | null> {
    try {
      return await this.#invocations.call(target, call, requestId);
    } catch (error) {
      if (error instanceof ServiceError) return null;
      throw error;
    }
  }

  async #again(queued: Queued, pauseMs: number, target: Resolved, result: Result | null): Promise<void> {
    const ageMs = this.#clock.now() + pauseMs - queued.since;
    if (ageMs > queued.config.ageSeconds * 1000) {
      return this.#giveUp({ condition: 'EventAgeExceeded', queued, target, result });
    }
    this.#clock.schedule(pauseMs, () => void this.#attempt(queued));
  }

  async #giveUp(ended: Ended): Promise<void> {
    const { queued, target, result } = ended;
    await this.#toDestination(ended);
    const queue = target.version.deadLetterArn;
    if (queue === null) return;
    const message = result === null ? 'Rate Exceeded.' : String(JSON.parse(result.payload).errorMessage);
    const attributes = {
      RequestID: { DataType: 'String', StringValue: queued.requestId },
      ErrorCode: { DataType: 'Number', StringValue: result === null ? '429' : '200' },
      ErrorMessage: { DataType: 'String', StringValue: message.slice(0, 1_024) },
    };
    await this.#send(queue, { body: queued.call.payload, from: target.arn, attributes });
  }

  async #toDestination(ended: Ended): Promise<void> {
    const { onSuccess, onFailure } = ended.queued.config;
    const arn = ended.condition === 'Success' ? onSuccess : onFailure;
    if (arn === null) return;
    const record = recordOf(ended, new Date(this.#clock.now()).toISOString());
    const body = arn.includes(':event-bus/') ? eventAround(ended, record) : record;
    await this.#send(arn, { body: JSON.stringify(body), from: ended.target.arn });
  }

  /** A destination that refuses loses the record, as on AWS. */
  async #send(arn: string, parcel: Parcel): Promise<void> {
    await this.#bus.send(arn, parcel).catch(() => undefined);
  }
}

function recordOf({ condition, queued, target, result }: Ended, timestamp: string) {
  return {
    version: '1.0',
    timestamp,
    requestContext: {
      requestId: queued.requestId,
      functionArn: `${target.fn.arn}:${target.version.version}`,
      condition,
      approximateInvokeCount: queued.tries,
    },
    requestPayload: JSON.parse(queued.call.payload || 'null'),
    ...(result === null
      ? {}
      : {
          responseContext: {
            statusCode: 200,
            executedVersion: result.version,
            ...(result.failed ? { functionError: 'Unhandled' } : {}),
          },
          responsePayload: JSON.parse(result.payload),
        }),
  };
}

function eventAround({ condition, target }: Ended, record: ReturnType<typeof recordOf>) {
  const place = parseArn(target.fn.arn);
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': `Lambda Function Invocation Result - ${condition === 'Success' ? 'Success' : 'Failure'}`,
    source: 'lambda',
    account: place?.account,
    time: record.timestamp,
    region: place?.region,
    resources: [target.arn],
    detail: record,
  };
}
