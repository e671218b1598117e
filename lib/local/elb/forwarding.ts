/** One request to one target and its answer back, as a reverse proxy does it. */
import { randomBytes } from 'node:crypto';
import { request as ask, type ClientRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Action } from '@aws-sdk/client-elastic-load-balancing-v2';
import { answerFailure, type ProxyWorld } from './balancerAnswers.ts';
import type { Listener, Target, TargetGroup } from './elbState.ts';
import { hostOf } from './healthChecks.ts';
import { cookiesFor } from './stickiness.ts';

export type Route = {
  readonly listener: Listener;
  readonly action: Action;
  readonly group: TargetGroup;
  readonly target: Target;
};

/** RFC 9110, 7.6.1: these belong to one connection and are not passed on. */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'upgrade',
];

export function forward(
  world: ProxyWorld,
  route: Route,
  incoming: IncomingMessage,
  response: ServerResponse,
): void {
  const { target } = route;
  target.inFlight++;
  response.once('close', () => {
    target.inFlight--;
    world.targets.answered(target);
  });
  send(world, route, incoming, response, bodiless(incoming));
}

/**
 * @param mayRepeat a kept-alive connection may be closed by the target in the moment it is used again; a
 * request
 *   without a body that got not one byte back is then sent once more
 */
function send(
  world: ProxyWorld,
  route: Route,
  incoming: IncomingMessage,
  response: ServerResponse,
  mayRepeat: boolean,
): void {
  const { listener, group, target } = route;
  const balancer = listener.loadBalancer;
  const sentAt = performance.now();
  const outgoing = ask({
    host: hostOf(group, target),
    port: target.port,
    method: incoming.method,
    path: incoming.url,
    headers: requestHeaders(incoming, listener.port, world.clock.now()),
    agent: world.agent,
  });
  let timedOut = false;
  outgoing.setTimeout(Number(balancer.attributes.get('idle_timeout.timeout_seconds') ?? 60) * 1000, () => {
    timedOut = true;
    outgoing.destroy();
  });
  outgoing.once('response', (answer) => {
    world.metrics.responseTime((performance.now() - sentAt) / 1000, balancer, group);
    const hundreds = Math.floor((answer.statusCode ?? 500) / 100) as 2 | 3 | 4 | 5;
    world.metrics.count(`HTTPCode_Target_${hundreds}XX_Count`, balancer, group);
    pass(route, answer, response);
  });
  outgoing.on('error', (error: NodeJS.ErrnoException) => {
    if (response.headersSent || response.destroyed) {
      response.destroy();
      return;
    }
    if (mayRepeat && !timedOut && outgoing.reusedSocket && error.code === 'ECONNRESET') {
      send(world, route, incoming, response, false);
      return;
    }
    if (neverConnected(outgoing, error)) world.metrics.count('TargetConnectionErrorCount', balancer, group);
    incoming.unpipe(outgoing);
    incoming.resume();
    answerFailure(world, listener, timedOut ? 504 : 502, response);
  });
  response.once('close', () => {
    if (response.writableFinished || outgoing.destroyed) return;
    // 460: the client left
    if (!response.headersSent) world.metrics.count('HTTPCode_ELB_4XX_Count', balancer, null);
    outgoing.destroy();
  });
  if (!bodiless(incoming)) {
    incoming.pipe(outgoing);
    return;
  }
  incoming.resume();
  outgoing.end();
}

function pass({ action, group, target }: Route, answer: IncomingMessage, response: ServerResponse): void {
  const headers = { ...answer.headers };
  for (const name of [...HOP_BY_HOP, 'transfer-encoding']) delete headers[name];
  const own = answer.headers['set-cookie'] ?? [];
  const cookies = [...own, ...cookiesFor(action, group, target, own)];
  if (cookies.length > 0) headers['set-cookie'] = cookies;
  response.writeHead(answer.statusCode ?? 502, headers);
  answer.on('error', () => response.destroy());
  answer.pipe(response);
}

function requestHeaders(
  incoming: IncomingMessage,
  port: number,
  nowMs: number,
): Record<string, string | string[] | undefined> {
  const headers: Record<string, string | string[] | undefined> = { ...incoming.headers };
  for (const name of HOP_BY_HOP) delete headers[name];
  const client = (incoming.socket.remoteAddress ?? '').replace(/^::ffff:/, '');
  const before = incoming.headers['x-forwarded-for'];
  return {
    ...headers,
    'x-forwarded-for': before ? `${before}, ${client}` : client,
    'x-forwarded-proto': 'http',
    'x-forwarded-port': `${port}`,
    'x-amzn-trace-id': traceOf(incoming.headers['x-amzn-trace-id'], nowMs),
  };
}

/** A new root, or the given trace with this hop put before it (ELB user guide, "Request tracing"). */
function traceOf(given: string | string[] | undefined, nowMs: number): string {
  const seconds = Math.floor(nowMs / 1000).toString(16);
  const id = `1-${seconds}-${randomBytes(12).toString('hex')}`;
  const text = given === undefined ? '' : [given].flat().join(';');
  return text.includes('Root=') ? `Self=${id};${text}` : [`Root=${id}`, text].filter(Boolean).join(';');
}

const bodiless = ({ headers }: IncomingMessage): boolean =>
  (headers['content-length'] ?? '0') === '0' && headers['transfer-encoding'] === undefined;

const neverConnected = (outgoing: ClientRequest, error: NodeJS.ErrnoException): boolean =>
  error.syscall === 'connect' || outgoing.socket === null || outgoing.socket.connecting;
