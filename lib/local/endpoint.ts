/**
 * One HTTP port for every emulated service, speaking AWS's own protocols. A request goes the same way
 * each time: who is meant (SigV4 scope) → which operation, in which dialect → decode and check against the
 * client's schema → the fault layer → the operation → encode. Signatures are not verified.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { type Clock, realClock } from '../asl/clock.ts';
import { answerControl } from './control.ts';
import { deliver } from './delivery.ts';
import { type Dispatcher, dispatch, findTarget } from './dispatch.ts';
import { Faults } from './faults.ts';
import type { WireRequest } from './protocols/wire.ts';
import type { LocalService, RequestContext } from './service.ts';

/** One answered call, for counting round trips, costs and who asked. */
export type RequestEntry = {
  /** The SigV4 scope. */
  readonly service: string;
  /** Empty when the request names none. */
  readonly operation: string;
  /** Milliseconds since the epoch, on the cloud's clock. */
  readonly at: number;
  /** Real milliseconds from the request's arrival to its answer's last byte, whatever the cloud's clock. */
  readonly durationMs: number;
  /** 0 when the caller got no whole answer. */
  readonly status: number;
  /** The error that was answered; null for a success. */
  readonly errorCode: string | null;
  readonly requestBytes: number;
  /** As it came, unpacked. */
  readonly body: Buffer;
  readonly responseBytes: number;
  readonly userAgent: string;
  /** The caller's access key id; functions have one per process. */
  readonly caller: string;
  readonly traceId: string | null;
  /** The kind of fault that struck the call; null when none did. */
  readonly fault: string | null;
};

export type EndpointOptions = {
  readonly services: readonly LocalService[];
  /** 0 takes any free port. */
  readonly port?: number;
  readonly host?: string;
  /** Twelve digits; the account in every ARN. */
  readonly account?: string;
  readonly clock?: Clock;
  readonly faults?: Faults;
  readonly onRequest?: (entry: RequestEntry) => void;
  /** Ends the process that holds this access key: the fault layer's `kill`. */
  readonly killCaller?: (accessKeyId: string) => void;
  /** Told about exceptions that are no AWS errors, that is about bugs; the caller gets a 500. */
  readonly onBug?: (error: unknown, where: string) => void;
};

export type Endpoint = {
  readonly url: string;
  readonly port: number;
  readonly faults: Faults;
  /** Adds a service to the running endpoint. */
  serve(service: LocalService): void;
  /** Closes the port, every open connection and the services. */
  close(): Promise<void>;
};

/** The port is taken; nothing was started. */
export class PortInUse extends Error {
  override readonly name = 'PortInUse';
}

export const defaultAccount = '000000000000';
/** Longer than clients keep an idle connection, so that none of them writes into one that we are closing. */
const keepAliveMs = 120_000;

type Settings = Dispatcher & {
  readonly account: string;
  readonly onRequest: (entry: RequestEntry) => void;
};

/** Listens on the port. @throws PortInUse */
export async function startEndpoint(options: EndpointOptions): Promise<Endpoint> {
  const services = [...options.services];
  const settings: Settings = {
    services,
    account: options.account ?? defaultAccount,
    clock: options.clock ?? realClock,
    faults: options.faults ?? new Faults(),
    onRequest: options.onRequest ?? (() => undefined),
    killCaller: options.killCaller ?? (() => undefined),
    onBug: options.onBug ?? ((error, where) => console.error(`local cloud, ${where}:`, error)),
  };
  const host = options.host ?? '127.0.0.1';
  const server = createServer((request, response) => {
    serveRequest(settings, request, response).catch((error) => {
      if (!request.destroyed) settings.onBug(error, `${request.method} ${request.url}`);
      response.destroy();
    });
  });
  server.keepAliveTimeout = keepAliveMs;
  await listen(server, options.port ?? 0, host);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${host}:${port}`,
    port,
    faults: settings.faults,
    serve: (service) => void services.push(service),
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
      await Promise.all(services.map((service) => service.close?.()));
    },
  };
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      if (cause.code !== 'EADDRINUSE') return reject(cause);
      const sentence = `port ${port} on ${host} is in use: end what listens there, or choose another port`;
      reject(new PortInUse(sentence, { cause }));
    });
    server.listen(port, host, resolve);
  });
}

async function serveRequest(
  settings: Settings,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const started = performance.now();
  const at = settings.clock.now();
  const request = await readRequest(incoming);
  const control = answerControl(request, settings.faults, settings.services);
  if (control !== null) {
    await deliver(response, { how: 'whole', answer: control });
    return;
  }
  const hangUp = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) hangUp.abort(new Error('the caller hung up'));
  });
  const signer = signerOf(request);
  const context = contextOf(settings, request, signer, hangUp.signal);
  const target = findTarget(settings.services, request, signer.scope);
  const { delivery, fault, errorCode } = await dispatch(settings, target, request, context);
  const responseBytes = await deliver(response, delivery);
  settings.onRequest({
    service: target.scope,
    operation: target.operation ?? '',
    at,
    durationMs: performance.now() - started,
    status: delivery.how === 'whole' && response.writableFinished ? delivery.answer.status : 0,
    errorCode,
    requestBytes: request.body.length,
    body: request.body,
    responseBytes,
    userAgent: request.headers['user-agent'] ?? '',
    caller: context.accessKeyId,
    traceId: context.traceId ?? null,
    fault,
  });
}

async function readRequest(incoming: IncomingMessage): Promise<WireRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const [path = '/', query = ''] = (incoming.url ?? '/').split('?', 2);
  const headers: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(incoming.headers)) headers[name] = [value].flat().join(', ');
  const raw = Buffer.concat(chunks);
  // The SDK packs large bodies of some operations, PutMetricData among them.
  const body = headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw;
  return { method: incoming.method ?? 'GET', path, query: new URLSearchParams(query), headers, body };
}

type Signer = { readonly accessKeyId: string; readonly region: string; readonly scope: string };

/** Who signed for what, from the credential `<key>/<date>/<region>/<service>/aws4_request`. */
function signerOf(request: WireRequest): Signer {
  const header = /Credential=([^,\s]+)/.exec(request.headers.authorization ?? '')?.[1];
  const credential = header ?? request.query.get('X-Amz-Credential') ?? '';
  const [accessKeyId = '', , region = '', scope = ''] = credential.split('/');
  return { accessKeyId, region: region === '' ? 'us-east-1' : region, scope };
}

function contextOf(
  { account }: Settings,
  request: WireRequest,
  { region, accessKeyId }: Signer,
  signal: AbortSignal,
): RequestContext {
  const traceId = request.headers['x-amzn-trace-id'];
  return {
    region,
    account,
    accessKeyId,
    requestId: randomUUID(),
    endpoint: `http://${request.headers.host ?? '127.0.0.1'}`,
    signal,
    ...(traceId === undefined ? {} : { traceId }),
  };
}
