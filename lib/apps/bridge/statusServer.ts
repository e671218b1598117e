/** `/live`, `/ready`, `/health` and `/metrics` for the load balancer, ECS, people and Prometheus. */
import { createServer, type Server } from 'node:http';
import type { Bridge } from './bridge.ts';
import type { BridgeMetrics } from './metrics.ts';
import { prometheusText } from './prometheus.ts';
import type { Vitals } from './vitals.ts';

type Answer = { readonly status: number; readonly type: string; readonly body: string };

const json = (status: number, value: unknown): Answer => ({
  status,
  type: 'application/json',
  body: `${JSON.stringify(value)}\n`,
});

export class StatusServer {
  readonly #server: Server;

  constructor(bridge: Bridge, metrics: BridgeMetrics, vitals: Vitals) {
    const answers: Readonly<Record<string, () => Answer>> = {
      '/live': () => said(vitals.live()),
      '/ready': () => said(vitals.ready()),
      '/health': () => json(vitals.ready().ok ? 200 : 503, vitals.health()),
      '/metrics': () => ({
        status: 200,
        type: 'text/plain; version=0.0.4',
        body: prometheusText(bridge, metrics, vitals),
      }),
    };
    this.#server = createServer((request, response) => {
      const path = (request.url ?? '').split('?')[0] as string;
      const answer = request.method === 'GET' || request.method === 'HEAD' ? answers[path] : undefined;
      const { status, type, body } = answer?.() ?? json(404, { paths: Object.keys(answers) });
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

const said = ({ ok, why }: { readonly ok: boolean; readonly why: readonly string[] }) =>
  json(ok ? 200 : 503, { ok, why });
