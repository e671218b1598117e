/** `/live`, `/ready`, `/health` and `/metrics` for the load balancer, ECS, people and Prometheus. */
import { createServer, type Server } from 'node:http';

export type Check = { readonly ok: boolean; readonly why: readonly string[] };

/** What the page says, asked for with every request. */
export interface StatusPage {
  live(): Check;
  ready(): Check;
  health(): object;
  /** Prometheus text. */
  metrics(): string;
}

type Answer = { readonly status: number; readonly type: string; readonly body: string };

const json = (status: number, value: unknown): Answer => ({
  status,
  type: 'application/json',
  body: `${JSON.stringify(value)}\n`,
});
const checked = (check: Check) => json(check.ok ? 200 : 503, check);

const PATHS: Readonly<Record<string, (page: StatusPage) => Answer>> = {
  '/live': (page) => checked(page.live()),
  '/ready': (page) => checked(page.ready()),
  '/health': (page) => json(page.ready().ok ? 200 : 503, page.health()),
  '/metrics': (page) => ({ status: 200, type: 'text/plain; version=0.0.4', body: page.metrics() }),
};

/** Before there is anything to tell: alive, and waiting for something. */
const STARTING: StatusPage = {
  live: () => ({ ok: true, why: [] }),
  ready: () => ({ ok: false, why: ['starting: waiting for NATS'] }),
  health: () => ({ status: 'starting' }),
  metrics: () => '',
};

export class StatusServer {
  /** Replaced as soon as there is more to tell. */
  page: StatusPage = STARTING;
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      const path = (request.url ?? '').split('?')[0] as string;
      const answer = request.method === 'GET' || request.method === 'HEAD' ? PATHS[path] : undefined;
      const { status, type, body } = answer?.(this.page) ?? json(404, { paths: Object.keys(PATHS) });
      response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
      response.end(request.method === 'HEAD' ? undefined : body);
    });
  }

  /** Resolves with the port; rejects when it is taken. */
  listen(port: number, host: string): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => resolve((this.#server.address() as { port: number }).port));
    });
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
