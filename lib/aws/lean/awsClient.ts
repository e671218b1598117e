/**
 * Calls AWS operations over lean connections: signed, with fresh credentials, with the clock put right by the
 * service's own when it differs, and with a second try at once where the first cannot have been carried out.
 */

import { failureKind } from '../../core/bridge/failure.ts';
import type { Timers } from '../../core/bridge/ports.ts';
import { ConnectionLost, Connections, type Endpoint } from './connections.ts';
import type { CredentialKeeper } from './credentials.ts';
import { type HttpAnswer, headerOf } from './httpAnswer.ts';
import { RequestSigner } from './signer.ts';

/** One operation of one service; make it once and pass the same object to every call. */
export type Operation = {
  /** The name in the credential scope and in the endpoint: `events`, `sqs`, `sns`, `dynamodb`. */
  readonly service: string;
  /** The endpoint's host differs from the scope for DynamoDB Streams only. */
  readonly hostPrefix?: string;
  readonly contentType: string;
  /** `X-Amz-Target`; null for the query protocol. */
  readonly target: string | null;
};

export type CallResult =
  | { readonly ok: true; readonly body: string }
  /** `status` 0: no answer. */
  | { readonly ok: false; readonly status: number; readonly code: string; readonly message: string };

export type AwsClientOptions = {
  readonly region: string;
  /** Every service at one address: a local cloud, or an interface endpoint. Null for AWS itself. */
  readonly endpoint: string | null;
  readonly timeoutMs: number;
  readonly ca?: string | Buffer | undefined;
};

type Channel = { readonly signer: RequestSigner; readonly connections: Connections };

export class AwsClient {
  readonly options: AwsClientOptions;
  readonly #keeper: CredentialKeeper;
  readonly #timers: Timers;
  readonly #channels = new Map<Operation, Channel>();
  readonly #connections = new Map<string, Connections>();
  /** What the service's clock is ahead of ours, ms. */
  #skewMs = 0;

  constructor(options: AwsClientOptions, keeper: CredentialKeeper, timers: Timers) {
    this.options = options;
    this.#keeper = keeper;
    this.#timers = timers;
  }

  get fault(): string | null {
    return this.#keeper.fault;
  }

  /** What the service's clock was found to be ahead of ours, ms. */
  get skewMs(): number {
    return this.#skewMs;
  }

  get connectionCounts(): { readonly busy: number; readonly idle: number } {
    let busy = 0;
    let idle = 0;
    for (const connections of this.#connections.values()) {
      busy += connections.counts.busy;
      idle += connections.counts.idle;
    }
    return { busy, idle };
  }

  /** Never rejects. */
  async call(operation: Operation, body: string): Promise<CallResult> {
    const bytes = Buffer.from(body);
    const first = await this.#attempt(operation, bytes);
    if (first.result !== null) return first.result;
    const second = await this.#attempt(operation, bytes);
    return second.result ?? second.otherwise;
  }

  close(): void {
    for (const connections of this.#connections.values()) connections.close();
  }

  /**
   * `result` is null when another try makes sense at once; `otherwise` is then what to say if there is none.
   */
  async #attempt(
    operation: Operation,
    body: Buffer,
  ): Promise<{ readonly result: CallResult; readonly otherwise: CallResult } | Again> {
    const { signer, connections } = this.#channel(operation);
    try {
      const credentials = this.#keeper.current() ?? (await this.#keeper.fresh());
      const head = signer.head(body, this.#timers.now() + this.#skewMs, credentials);
      const answer = await connections.request(head, body);
      if (answer.status === 200) return final({ ok: true, body: answer.body });
      const failed = failureOf(answer);
      const kind = failureKind(failed.code, failed.message, failed.status);
      if (kind === 'expired') this.#keeper.invalidate(credentials);
      if (kind === 'skewed') this.#adjust(answer);
      return kind === 'expired' || kind === 'skewed' ? { result: null, otherwise: failed } : final(failed);
    } catch (error) {
      const { name, message } = error as Error;
      const failed: CallResult = { ok: false, status: 0, code: name, message };
      return error instanceof ConnectionLost && error.stale
        ? { result: null, otherwise: failed }
        : final(failed);
    }
  }

  #adjust(answer: HttpAnswer): void {
    const theirs = Date.parse(headerOf(answer, 'date'));
    if (!Number.isNaN(theirs)) this.#skewMs = theirs - this.#timers.now();
  }

  #channel(operation: Operation): Channel {
    const known = this.#channels.get(operation);
    if (known !== undefined) return known;
    const { region, endpoint } = this.options;
    const at = endpointOf(operation, region, endpoint);
    const key = `${at.host}:${at.port}`;
    const connections = this.#connections.get(key) ?? new Connections(at, this.options);
    this.#connections.set(key, connections);
    const standard = at.port === (at.tls ? 443 : 80);
    const headers: [string, string][] = [
      ['host', standard ? at.host : key],
      ['content-type', operation.contentType],
    ];
    if (operation.target !== null) headers.push(['x-amz-target', operation.target]);
    const channel = {
      signer: new RequestSigner({ region, service: operation.service }, headers),
      connections,
    };
    this.#channels.set(operation, channel);
    return channel;
  }
}

type Again = { readonly result: null; readonly otherwise: CallResult };
const final = (result: CallResult) => ({ result, otherwise: result });

function endpointOf({ service, hostPrefix }: Operation, region: string, override: string | null): Endpoint {
  if (override === null) {
    const suffix = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
    return { host: `${hostPrefix ?? service}.${region}.${suffix}`, port: 443, tls: true };
  }
  const url = new URL(override);
  const tls = url.protocol === 'https:';
  return { host: url.hostname, port: Number(url.port) || (tls ? 443 : 80), tls };
}

function failureOf(answer: HttpAnswer): Extract<CallResult, { ok: false }> {
  const { status, body } = answer;
  const json = parsed(body);
  // SQS keeps its old codes in a header of its own: `AWS.SimpleQueueService.NonExistentQueue;Sender`.
  const old = headerOf(answer, 'x-amzn-query-error').split(';')[0] ?? '';
  if (json === null) {
    const code = /<Code>([^<]*)<\/Code>/.exec(body)?.[1] ?? '';
    return {
      ok: false,
      status,
      code,
      message: /<Message>([^<]*)<\/Message>/.exec(body)?.[1] ?? body.slice(0, 200),
    };
  }
  const written = String(json.__type ?? json.code ?? headerOf(answer, 'x-amzn-errortype'));
  const code = (written.split('#').pop() as string).split(':')[0] as string;
  const message = String(json.message ?? json.Message ?? old);
  return { ok: false, status, code: code === '' ? old : code, message };
}

function parsed(body: string): Record<string, unknown> | null {
  if (!body.startsWith('{')) return null;
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}
