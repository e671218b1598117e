/**
 * Where deployed APIs are called: one port of this machine for all of them, reached as
 * `/<api id>/<stage>/<path>`, or as on AWS with `<api id>.execute-api.…` for the host and `/<stage>/<path>`.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Random } from '../random.ts';
import type { ApiCall } from './apiCall.ts';
import type { ApiMetrics } from './apiMetrics.ts';
import type { ApiState, Route, Stage } from './apiState.ts';
import { forwardHttp } from './httpProxy.ts';
import { callFunction, type InvokeFunction } from './lambdaProxy.ts';

export type ExecuteWorld = {
  readonly state: ApiState;
  readonly metrics: ApiMetrics;
  readonly random: Random;
  readonly invoke: InvokeFunction;
};

export function executeServer(world: ExecuteWorld): Server {
  return createServer((request, response) => {
    serve(world, request, response).catch(() => answer(response, 500, 'Internal server error'));
  });
}

/** Opens the port (0 takes any free one); answers its number. */
export function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

async function serve(world: ExecuteWorld, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const startedAt = performance.now();
  const { apiId, stageName, path, search } = addressOf(request);
  const api = world.state.apis.get(apiId);
  const stage = api?.stages.get(stageName);
  if (!api || !stage) return answer(response, 403, 'Forbidden');
  const served = chooseSide(stage, world.random);
  const routes = api.deployments.get(served.deploymentId)?.routes ?? [];
  const found = matchRoute(routes, request.method ?? 'GET', path);
  response.once('close', () => {
    const milliseconds = performance.now() - startedAt;
    world.metrics.record({
      api: api.name,
      stage: stageName,
      canary: served.canary,
      status: response.statusCode,
      milliseconds,
    });
  });
  // What AWS says of an unknown route
  if (!found) return answer(response, 403, 'Missing Authentication Token');
  const method = request.method ?? 'GET';
  const call: ApiCall = { apiId, stageName, path, search, method, variables: served.variables, ...found };
  const { type } = found.route.integration;
  if (type === 'MOCK') return answer(response, 200, 'mock');
  if (type === 'AWS_PROXY') return callFunction(world.invoke, call, request, response);
  return forwardHttp(call, request, response);
}

/** The stage itself, or its canary by chance. */
function chooseSide({ settings }: Stage, random: Random) {
  const { canary, deploymentId, variables } = settings;
  if (!canary || random() * 100 >= canary.percentTraffic) return { canary: false, deploymentId, variables };
  const overridden = { ...variables, ...canary.stageVariableOverrides };
  return { canary: true, deploymentId: canary.deploymentId, variables: overridden };
}

/** The most specific path wins: literal parts before parameters, those before `{proxy+}`. */
function matchRoute(
  routes: readonly Route[],
  method: string,
  path: string,
): { readonly route: Route; readonly parameters: Readonly<Record<string, string>> } | null {
  const rank = ({ path: pattern }: Route) => pattern.replace(/\{\w+\+\}/g, '~~').replace(/\{\w+\}/g, '~');
  const fitting = routes
    .filter((route) => route.method === method || route.method === 'ANY')
    .flatMap((route) => {
      const parameters = patternOf(route.path).exec(path)?.groups;
      return parameters || patternOf(route.path).test(path) ? [{ route, parameters: { ...parameters } }] : [];
    })
    .sort((a, b) =>
      rank(a.route) < rank(b.route)
        ? -1
        : rank(a.route) > rank(b.route)
          ? 1
          : a.route.method === 'ANY'
            ? 1
            : -1,
    );
  return fitting[0] ?? null;
}

const patternOf = (path: string): RegExp =>
  new RegExp(
    `^${path
      .replace(/[.:~]/g, '\\$&')
      .replace(/\{(\w+)\+\}/g, '(?<$1>.+)')
      .replace(/\{(\w+)\}/g, '(?<$1>[^/]+)')}/?$`,
  );

function addressOf(request: IncomingMessage) {
  const [whole = '/', query = ''] = (request.url ?? '/').split('?', 2);
  const byHost = /^(\w+)\.execute-api\./.exec(request.headers.host ?? '')?.[1];
  const parts = whole.split('/').slice(1);
  const apiId = byHost ?? parts.shift() ?? '';
  const stageName = parts.shift() ?? '';
  return { apiId, stageName, path: `/${parts.join('/')}`, search: new URLSearchParams(query) };
}

/** What the gateway answers by itself. */
function answer(response: ServerResponse, status: number, message: string): void {
  if (response.headersSent) response.destroy();
  else response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ message }));
}
