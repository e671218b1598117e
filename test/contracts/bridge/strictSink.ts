/**
 * A local AWS endpoint for the bridge's tests and benchmarks: strict about requests (`strictServices.ts`) and
 * about signatures, and able to fail in every way a network and a service can.
 */

import { hash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { authorization } from '../../../lib/aws/lean/signer.ts';
import { namedAnswer } from './namedAnswer.ts';
import { type EntryFault, Refusal, StrictServices } from './strictServices.ts';

export const CREDENTIALS = {
  accessKeyId: 'test',
  secretAccessKey: 'test',
  sessionToken: null,
  expiresAtMs: null,
};
export const REGION = 'eu-west-1';

/**
 * What happens to a request.
 * - `status`: an error answer, nothing carried out
 * - `entries`: these positions fail, the others are taken
 * - `reset`: the connection breaks before anything is carried out; `reset-after`: after it, without an answer
 * - `half`: carried out, and the connection breaks in the middle of the answer
 * - `stall`: carried out, never answered
 */
export type SinkFault =
  | { readonly kind: 'status'; readonly status: number; readonly code: string; readonly message?: string }
  | { readonly kind: 'entries'; readonly fails: EntryFault }
  | { readonly kind: 'reset' | 'reset-after' | 'half' | 'stall' };

export type SinkRequest = {
  readonly operation: string;
  readonly number: number;
  readonly headers: IncomingMessage['headers'];
};

export type SinkOptions = {
  readonly tls?: { readonly key: string; readonly cert: string };
  /**
   * Milliseconds added to the Date header, and demanded of signatures: a service whose clock differs from
   * ours.
   */
  readonly aheadMs?: number;
  readonly verify?: boolean;
  /** Milliseconds before each answer. */
  readonly latencyMs?: number;
};

const NO_FAULT: EntryFault = () => null;

export class StrictSink {
  readonly services = new StrictServices();
  /** Decides about each request; null lets it pass. */
  fault: (request: SinkRequest) => SinkFault | null = () => null;
  requests = 0;
  readonly operations = new Map<string, number>();
  readonly #options: SinkOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #port = 0;

  constructor(options: SinkOptions = {}) {
    this.#options = options;
    const listener = (request: IncomingMessage, response: ServerResponse) => this.#receive(request, response);
    this.#server =
      options.tls === undefined ? createServer(listener) : createTlsServer(options.tls, listener);
    this.#server.keepAliveTimeout = 60_000;
    for (const event of ['connection', 'secureConnection']) {
      this.#server.on(event, (socket: Socket) => {
        this.#sockets.add(socket);
        socket.on('close', () => this.#sockets.delete(socket));
        socket.on('error', () => undefined);
      });
    }
  }

  static async start(options: SinkOptions = {}, port = 0): Promise<StrictSink> {
    const sink = new StrictSink(options);
    await sink.up(port);
    return sink;
  }

  async up(port = this.#port): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
    this.#port = (this.#server.address() as { port: number }).port;
  }

  /** Gone: connections broken, nobody listening. `up` brings it back on the same port. */
  async down(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  get url(): string {
    return `${this.#options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${this.#port}`;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  #receive(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('error', () => undefined);
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      const { latencyMs } = this.#options;
      if (latencyMs === undefined) this.#handle(request, body, response);
      else setTimeout(() => this.#handle(request, body, response), latencyMs);
    });
  }

  #handle(request: IncomingMessage, body: string, response: ServerResponse): void {
    const target = String(request.headers['x-amz-target'] ?? '');
    const operation =
      target === '' ? (new URLSearchParams(body).get('Action') ?? '') : (target.split('.')[1] as string);
    this.operations.set(operation, (this.operations.get(operation) ?? 0) + 1);
    const refusal = this.#options.verify === false ? null : this.#verify(request, body);
    const fault = refusal ?? this.fault({ operation, number: ++this.requests, headers: request.headers });
    if (fault?.kind === 'reset') return void request.socket.destroy();
    if (fault?.kind === 'status') {
      this.#answer(response, fault.status, errorBody(target, fault.code, fault.message));
      return;
    }
    let status = 200;
    let text: string;
    try {
      text = this.#carryOut(operation, body, fault?.kind === 'entries' ? fault.fails : NO_FAULT);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      status = 400;
      text = errorBody(target, error.code, error.message);
    }
    if (fault?.kind === 'reset-after') request.socket.destroy();
    else if (fault?.kind === 'half') breakOff(response, text);
    else if (fault?.kind !== 'stall') this.#answer(response, status, text);
  }

  #answer(response: ServerResponse, status: number, text: string): void {
    const date = new Date(Date.now() + (this.#options.aheadMs ?? 0)).toUTCString();
    response.writeHead(status, {
      'content-type': 'application/x-amz-json-1.1',
      date,
      'content-length': Buffer.byteLength(text),
    });
    response.end(text);
  }

  #carryOut(operation: string, body: string, fails: EntryFault): string {
    const { services } = this;
    if (operation === 'PublishBatch') return this.#publishBatch(body, fails);
    const input = JSON.parse(body);
    switch (operation) {
      case 'PutEvents':
        return JSON.stringify(services.putEvents(input, fails));
      case 'SendMessageBatch':
        return JSON.stringify(services.sendMessageBatch(input, fails));
      case 'BatchWriteItem':
        return JSON.stringify(services.batchWriteItem(input, fails));
      case 'GetQueueUrl':
        return JSON.stringify({ QueueUrl: `${this.url}/000000000000/${input.QueueName}` });
      case 'ReceiveMessage':
        return JSON.stringify(services.receiveMessage(input));
      case 'DeleteMessageBatch':
        return JSON.stringify(services.deleteMessageBatch(input));
      default:
        throw new Refusal('UnknownOperationException', operation);
    }
  }

  #publishBatch(body: string, fails: EntryFault): string {
    const fields = new URLSearchParams(body);
    const entries: Record<string, string>[] = [];
    for (const [name, value] of fields) {
      const member = /^PublishBatchRequestEntries\.member\.(\d+)\.(\w+)$/.exec(name);
      if (member === null) continue;
      const index = Number(member[1]) - 1;
      entries[index] = { ...entries[index], [member[2] as string]: value };
    }
    const { Successful, Failed } = namedAnswer(
      this.services.publishBatch(String(fields.get('TopicArn')), entries, fails),
    );
    const members = (list: object[]) =>
      list
        .map(
          (item) =>
            `<member>${Object.entries(item)
              .map(([k, v]) => `<${k}>${v}</${k}>`)
              .join('')}</member>`,
        )
        .join('');
    return `<PublishBatchResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishBatchResult><Failed>${members(Failed)}</Failed><Successful>${members(Successful)}</Successful></PublishBatchResult><ResponseMetadata><RequestId>x</RequestId></ResponseMetadata></PublishBatchResponse>`;
  }

  /** Signs the request as it came and compares, as AWS does; the clock may be five minutes off. */
  #verify(request: IncomingMessage, body: string): SinkFault | null {
    const given = String(request.headers.authorization);
    const [, key, region, service, signed] =
      /Credential=([^/]+)\/\d+\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([^,]+),/.exec(given) ?? [];
    const date = String(request.headers['x-amz-date']);
    const at = Date.parse(date.replace(/(....)(..)(..)T(..)(..)(..)Z/, '$1-$2-$3T$4:$5:$6Z'));
    if (Math.abs(Date.now() + (this.#options.aheadMs ?? 0) - at) > 5 * 60_000) {
      return {
        kind: 'status',
        status: 403,
        code: 'InvalidSignatureException',
        message: `Signature expired: ${date}`,
      };
    }
    if (key !== CREDENTIALS.accessKeyId)
      return { kind: 'status', status: 403, code: 'UnrecognizedClientException' };
    const headers = (signed ?? '').split(';').map((name) => [name, String(request.headers[name])] as const);
    const signable = { method: 'POST', path: '/', query: [], headers, bodyHash: hash('sha256', body) };
    const expected = authorization(
      signable,
      date,
      { region: region ?? '', service: service ?? '' },
      CREDENTIALS,
    );
    return expected === given ? null : { kind: 'status', status: 403, code: 'SignatureDoesNotMatch' };
  }
}

function errorBody(target: string, code: string, message = code): string {
  if (target !== '') return JSON.stringify({ __type: `com.amazonaws#${code}`, message });
  const error = `<Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error>`;
  return `<ErrorResponse>${error}</ErrorResponse>`;
}

function breakOff(response: ServerResponse, text: string): void {
  response.writeHead(200, { 'content-length': Buffer.byteLength(text) });
  response.write(text.slice(0, Math.floor(text.length / 2)), () => response.socket?.destroy());
}
