/** Joins NATS, AWS and the plan into a running bridge, with its status page and its reload. */
import { randomUUID } from 'node:crypto';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { AwsClient, type AwsClientOptions } from '../../aws/lean/awsClient.ts';
import { CredentialKeeper, type CredentialSource, credentialSource } from '../../aws/lean/credentials.ts';
import { LeanSender } from '../../aws/lean/leanSender.ts';
import { SdkSender } from '../../aws/sdkSender.ts';
import type { BridgeConfig } from '../../core/bridge/config.ts';
import type { Plan } from '../../core/bridge/plan.ts';
import type { Sender, Timers } from '../../core/bridge/ports.ts';
import { NatsLink } from '../../nats/natsLink.ts';
import { JetStreamPublisher } from '../../nats/publisher.ts';
import { Register } from '../../nats/register.ts';
import { Bridge } from './bridge.ts';
import { EMF_MS, EmfReporter } from './emf.ts';
import { BridgeMetrics } from './metrics.ts';
import { ReverseRoutes } from './reverseRoutes.ts';
import { StatusServer } from './statusServer.ts';
import { Vitals } from './vitals.ts';

export type RuntimeOptions = {
  readonly plan: Plan;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly timers: Timers;
  readonly version: string;
  /** Something an operator should know; nothing is logged while all is well. */
  readonly log: (message: string) => void;
  /** A line for CloudWatch. */
  readonly report: (line: string) => void;
};

/** The configuration and the environment together do not say enough. */
export class SettingMissing extends Error {
  override readonly name = 'SettingMissing';
}

/** Publications under way to JetStream. */
const WINDOW = 1_024;
const PUBLISH_TIMEOUT_MS = 5_000;

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
    const aws = awsOptions(config.aws, environment);
    const keeper = new CredentialKeeper(credentialSource(environment) ?? sdkChain(aws.region), timers);
    const sender = senderOf(config.aws, aws, keeper, timers);
    const status = new StatusServer();
    const port = await status.listen(config.http.port, config.http.host);
    const link = await NatsLink.open(config.nats, environment);
    const publisher = new JetStreamPublisher(link.nats, timers, {
      window: WINDOW,
      timeoutMs: PUBLISH_TIMEOUT_MS,
    });
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

  /** Stops in order: nothing more in, everything in hand out, then the connections. Answers what went back unsent. */
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

function awsOptions(
  config: BridgeConfig['aws'],
  environment: RuntimeOptions['environment'],
): AwsClientOptions {
  const region = config.region ?? environment.AWS_REGION ?? environment.AWS_DEFAULT_REGION;
  if (!region) throw new SettingMissing("no region: set 'aws.region' or AWS_REGION");
  const endpoint = config.endpoint ?? environment.AWS_ENDPOINT_URL ?? null;
  return { region, endpoint: endpoint === '' ? null : endpoint, timeoutMs: config.timeout };
}

function senderOf(
  config: BridgeConfig['aws'],
  aws: AwsClientOptions,
  keeper: CredentialKeeper,
  timers: Timers,
): Sender {
  const limits = { eventbridge: config.eventSizeMax, sqs: config.messageSizeMax, sns: config.topicSizeMax };
  if (config.sender === 'sdk') return new SdkSender({ ...aws, limits });
  return new LeanSender(new AwsClient(aws, keeper, timers), limits, config.account ?? null);
}

/** Outside ECS and without keys in the environment: whatever the SDK finds (profiles, SSO, instance roles). */
function sdkChain(region: string): CredentialSource {
  const { credentials } = new EventBridgeClient({ region }).config;
  return async () => {
    const { accessKeyId, secretAccessKey, sessionToken = null, expiration } = await credentials();
    return { accessKeyId, secretAccessKey, sessionToken, expiresAtMs: expiration?.getTime() ?? null };
  };
}

function repeat(timers: Timers, ms: number, action: () => void): () => void {
  let cancel = timers.schedule(ms, function again() {
    action();
    cancel = timers.schedule(ms, again);
  });
  return () => cancel();
}
