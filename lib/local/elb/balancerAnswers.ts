/** What a listener answers by itself: fixed responses, redirects, and the errors where no target answers. */
import type { Agent, ServerResponse } from 'node:http';
import type { Action } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { Clock } from '../../asl/clock.ts';
import type { Random } from '../random.ts';
import type { RequestFacts } from './conditions.ts';
import type { ElbState, Listener } from './elbState.ts';
import type { Targets } from './targets.ts';
import type { TrafficMetrics } from './trafficMetrics.ts';

/** What serving a request needs. */
export type ProxyWorld = {
  readonly clock: Clock;
  readonly state: ElbState;
  readonly targets: Targets;
  readonly metrics: TrafficMetrics;
  readonly random: Random;
  readonly agent: Agent;
};

type Failure = 502 | 503 | 504;
const phrases: Readonly<Record<Failure, string>> = {
  502: 'Bad Gateway',
  503: 'Service Temporarily Unavailable',
  504: 'Gateway Time-out',
};

/** What the balancer answers where no target does. */
export function answerFailure(
  world: ProxyWorld,
  listener: Listener,
  status: Failure,
  response: ServerResponse,
): void {
  world.metrics.count('HTTPCode_ELB_5XX_Count', listener.loadBalancer, null);
  world.metrics.count(`HTTPCode_ELB_${status}_Count`, listener.loadBalancer, null);
  const title = `${status} ${phrases[status]}`;
  const page =
    `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>` +
    `${title}</h1></center>\r\n</body>\r\n</html>\r\n`;
  response.writeHead(status, { server: 'awselb/2.0', 'content-type': 'text/html' }).end(page);
}

/** A fixed response, as its action says. */
export function answerFixed(
  world: ProxyWorld,
  { loadBalancer }: Listener,
  action: Action,
  response: ServerResponse,
): void {
  world.metrics.count('HTTP_Fixed_Response_Count', loadBalancer, null);
  const { StatusCode, ContentType, MessageBody } = action.FixedResponseConfig ?? {};
  response
    .writeHead(Number(StatusCode), { server: 'awselb/2.0', 'content-type': ContentType ?? 'text/plain' })
    .end(MessageBody ?? '');
}

/** A redirect with its `#{…}` filled in from the request. */
export function answerRedirect(
  world: ProxyWorld,
  { loadBalancer, port }: Listener,
  { RedirectConfig: to }: Action,
  { host, path, query }: RequestFacts,
  response: ServerResponse,
): void {
  world.metrics.count('HTTP_Redirect_Count', loadBalancer, null);
  const parts: Record<string, string> = {
    protocol: 'http',
    host,
    port: `${port}`,
    path: path.slice(1),
    query: `${query}`,
  };
  const fill = (text = '') => text.replace(/#\{(\w+)\}/g, (_, name: string) => parts[name] ?? '');
  const search = fill(to?.Query);
  const origin = `${fill(to?.Protocol).toLowerCase()}://${fill(to?.Host)}:${fill(to?.Port)}`;
  const location = `${origin}${fill(to?.Path)}${search === '' ? '' : `?${search}`}`;
  response.writeHead(Number(to?.StatusCode?.slice(-3)), { server: 'awselb/2.0', location }).end();
}
