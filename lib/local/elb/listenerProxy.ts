/**
 * A listener is a real HTTP server on 127.0.0.1 that forwards as its rules say at the moment of each request,
 * so a changed weight counts from the next request on. Waiting for sockets is in real time.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Action } from '@aws-sdk/client-elastic-load-balancing-v2';
import { ServiceError } from '../service.ts';
import { answerFailure, answerFixed, answerRedirect, type ProxyWorld } from './balancerAnswers.ts';
import { factsOf } from './conditions.ts';
import type { Listener } from './elbState.ts';
import { forward } from './forwarding.ts';
import { chooseGroup, chooseRule, chooseTarget } from './routing.ts';
import { readCookie, stickyTarget } from './stickiness.ts';

/** An ALB keeps an idle client connection for 60 s (ELB user guide, `idle_timeout.timeout_seconds`). */
const CLIENT_IDLE_MS = 60_000;

/**
 * Opens the listener's port; the answer closes it.
 * @throws ServiceError `OperationNotPermittedException` where the port is taken on this machine
 */
export async function openListener(
  world: ProxyWorld,
  port: number,
  find: () => Listener,
): Promise<() => Promise<void>> {
  const server = createServer((request, response) => serve(world, find(), request, response));
  server.keepAliveTimeout = CLIENT_IDLE_MS;
  server.headersTimeout = CLIENT_IDLE_MS + 5_000; // Node asks for more than the idle time
  await listen(server, port);
  return async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why =
        error.code === 'EADDRINUSE'
          ? `Port ${port} of 127.0.0.1 is already in use on this machine: choose another Port, ` +
            'or end what listens there.'
          : `Port ${port} of 127.0.0.1 cannot be opened (${error.code}).`;
      reject(new ServiceError('OperationNotPermittedException', why));
    });
    server.listen(port, '127.0.0.1', resolve);
  });
}

function serve(
  world: ProxyWorld,
  listener: Listener,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const facts = factsOf(request);
  const action = chooseRule(listener, facts).actions[0];
  if (action?.Type === 'forward') balance(world, listener, action, request, response);
  else if (action?.Type === 'redirect') answerRedirect(world, listener, action, facts, response);
  else if (action) answerFixed(world, listener, action, response);
}

function balance(
  world: ProxyWorld,
  listener: Listener,
  action: Action,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const cookies = request.headers.cookie;
  const sticky = action.ForwardConfig?.TargetGroupStickinessConfig?.Enabled
    ? readCookie(cookies, 'AWSALBTG')
    : null;
  const group = world.state.targetGroups.get(chooseGroup(action, sticky, world.random) ?? '');
  const target = group ? chooseTarget(group, stickyTarget(group, cookies)) : null;
  if (!group || !target) {
    request.resume();
    answerFailure(world, listener, 503, response);
    return;
  }
  world.metrics.count('RequestCount', listener.loadBalancer, group);
  forward(world, { listener, action, group, target }, request, response);
}
