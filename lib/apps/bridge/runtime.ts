/** Joins NATS, AWS and the plan into a running bridge, with its status page and its reload. */
import { randomUUID } from 'node:crypto';
import type { Plan } from '../../core/bridge/plan.ts';
import type { Sender, Timers } from '../../core/bridge/ports.ts';
import type { NatsLink } from '../../nats/natsLink.ts';
import type { JetStreamPublisher } from '../../nats/publisher.ts';
import { Register } from '../../nats/register.ts';
import { Bridge } from './bridge.ts';
import { EMF_MS, EmfReporter } from './emf.ts';
import { BridgeMetrics } from './metrics.ts';
import { awsParts, type Environment, natsParts, SettingMissing } from './parts.ts';
import { ReverseRoutes } from './reverseRoutes.ts';
import { StatusServer } from './statusServer.ts';
import { Vitals } from './vitals.ts';

export type RuntimeOptions = {
  readonly plan: Plan;
  readonly environment: Environment;
  readonly timers: Timers;
  readonly version: string;
  /** Something an operator should know; nothing is logged while all is well. */
  readonly log: (message: string) => void;
  /** A line for CloudWatch. */
  readonly report: (line: string) => void;
};

export class Runtime {
  readonly bridge: Bridge;
  readonly vitals: Vitals;
  readonly port: number;
  readonly #parts: Parts;

  private constructor(bridge: Bridge, vitals: Vitals, port: number, parts: Parts) {
    this.bridge = bridge;
    this.vitals = vitals;
    this.port = port;
    this.#parts = parts;
  }

  /**
   * Starts everything. The status page is up first, so that a bridge waiting for NATS is alive and not ready.
   * @throws what keeps it from starting
   */
  static async start(options: RuntimeOptions): Promise<Runtime> {
    const { plan, environment, timers, log } = options;
    const { config } = plan;
    const { options: aws, keeper, sender } = awsParts(config.aws, environment, timers);
    const status = new StatusServer();
    const port = await status.listen(config.http.port, config.http.host);
    const { link, publisher } = await natsParts(config.nats, environment, timers);
    const register = new Register(link, publisher);
    const metrics = new BridgeMetrics(timers.now());
    const deps = {
      link,
      register,
      sender,
      publisher,
      timers,
      metrics,
      log,
      chance: Math.random,
      owner: randomUUID(),
    };
    const bridge = new Bridge(plan, deps);
    const account = config.aws.account ?? null;
    const routes = new ReverseRoutes({ ...deps, aws, account, keeper, office: bridge.office });
    const vitals = new Vitals({ bridge, link, sender, metrics, timers, version: options.version });
    status.page = vitals;
    // A first fetch now: missing credentials show on /ready before the first message does.
    await keeper.fresh().catch((error: Error) => log(`credentials: ${error.message}`));
    await bridge.start();
    await routes.adopt(plan);
    const reporter = new EmfReporter(bridge, metrics, config.nats.name);
    const stopReporting = repeat(timers, EMF_MS, () => options.report(reporter.line(timers.now())));
    const parts = { link, publisher, sender, routes, status, stopReporting };
    return new Runtime(bridge, vitals, port, parts);
  }

  /** Goes over to another plan. What the connection itself is made of cannot change without a restart. */
  async adopt(plan: Plan): Promise<void> {
    const { nats, aws } = this.bridge.plan.config;
    if (JSON.stringify([nats, aws]) !== JSON.stringify([plan.config.nats, plan.config.aws])) {
      throw new SettingMissing("'nats' and 'aws' cannot change while the bridge runs: restart it");
    }
    await this.bridge.adopt(plan);
    await this.#parts.routes.adopt(plan);
  }

  /**
   * Stops in order: nothing more in, everything in hand out, then the connections. Answers what went back
   * unsent.
   */
  async drain(): Promise<number> {
    const { routes, link, publisher, sender, status, stopReporting } = this.#parts;
    const { drain } = this.bridge.plan.config;
    const [back] = await Promise.all([this.bridge.drain(drain), routes.stop()]);
    stopReporting();
    await link.flush();
    publisher.close();
    sender.close();
    await link.close();
    this.vitals.stop();
    status.close();
    return back;
  }
}

type Parts = {
  readonly link: NatsLink;
  readonly publisher: JetStreamPublisher;
  readonly sender: Sender;
  readonly routes: ReverseRoutes;
  readonly status: StatusServer;
  readonly stopReporting: () => void;
};

function repeat(timers: Timers, ms: number, action: () => void): () => void {
  let cancel = timers.schedule(ms, function again() {
    action();
    cancel = timers.schedule(ms, again);
  });
  return () => cancel();
}
