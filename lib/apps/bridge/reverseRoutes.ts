/** The reverse rules at work: routes that come, stay and go with the plan. */
import { AwsClient, type AwsClientOptions } from '../../aws/lean/awsClient.ts';
import type { CredentialKeeper } from '../../aws/lean/credentials.ts';
import { QueueReader } from '../../aws/lean/queueReader.ts';
import type { ReverseConfig } from '../../core/bridge/config.ts';
import type { Plan } from '../../core/bridge/plan.ts';
import type { Publisher, Timers } from '../../core/bridge/ports.ts';
import type { ReverseMessage, ReverseRule } from '../../core/bridge/reverse.ts';
import { sampleMessage } from '../../core/bridge/sample.ts';
import type { Register } from '../../nats/register.ts';
import { ChangeRoute } from './changeRoute.ts';
import type { DeadLetterOffice } from './deadLetterOffice.ts';
import type { BridgeMetrics } from './metrics.ts';
import { QueueRoute, type Route, type RouteDeps } from './queueRoute.ts';

export type ReverseDeps = {
  readonly aws: AwsClientOptions;
  readonly account: string | null;
  readonly keeper: CredentialKeeper;
  readonly register: Register;
  readonly publisher: Publisher;
  readonly office: DeadLetterOffice;
  readonly timers: Timers;
  readonly chance: () => number;
  readonly metrics: BridgeMetrics;
  readonly log: (message: string) => void;
  readonly owner: string;
};

/** An answer to a long poll of 20 s may take a little longer than that. */
const POLL_TIMEOUT_MS = 30_000;

export class ReverseRoutes {
  readonly #deps: ReverseDeps;
  readonly #client: AwsClient;
  readonly #routes = new Map<string, { readonly rule: ReverseRule; readonly route: Route }>();

  constructor(deps: ReverseDeps) {
    this.#deps = deps;
    // Long polls must not wait behind each other nor time out like ordinary requests.
    this.#client = new AwsClient({ ...deps.aws, timeoutMs: POLL_TIMEOUT_MS }, deps.keeper, deps.timers);
  }

  /** Routes that do not work at the moment, and why. */
  get faults(): readonly { readonly route: string; readonly fault: string }[] {
    return [...this.#routes.values()].flatMap(({ rule, route }) =>
      route.fault === null ? [] : [{ route: rule.name, fault: route.fault }],
    );
  }

  /** Stops what the plan no longer has, starts what it has anew. */
  async adopt(plan: Plan): Promise<void> {
    const wanted = new Map(
      plan.reverse.map((rule, index) => [keyOf(plan.config.reverse[index], index), rule]),
    );
    const leaving = [...this.#routes].filter(([key]) => !wanted.has(key));
    for (const [key] of leaving) this.#routes.delete(key);
    await Promise.all(leaving.map(([, { route }]) => route.stop()));
    for (const [key, rule] of wanted) {
      if (this.#routes.has(key)) continue;
      const route = this.#route(rule, plan.config.lease);
      this.#routes.set(key, { rule, route });
      await route.start();
    }
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#routes.values()].map(({ route }) => route.stop()));
    this.#client.close();
  }

  #route(rule: ReverseRule, leaseMs: number): Route {
    const { publisher, timers, chance, metrics, log, register, owner, account } = this.#deps;
    const { deadLetters } = rule;
    const counted = metrics.reverseRule(rule.name);
    const bury: RouteDeps['bury'] =
      deadLetters === null
        ? null
        : (message, subject, code, why) => {
            const reason = { rule: rule.name, target: `nats:${subject}`, code, message: why, attempts: 1 };
            return this.#deps.office.keep(deadLetters, asDeadLetter(message, subject, timers.now()), reason);
          };
    const deps = { publisher, timers, chance, metrics: counted, log, bury };
    const { from } = rule;
    if ('dynamodbStream' in from) {
      return new ChangeRoute(rule, from.dynamodbStream, this.#client, { ...deps, register, owner, leaseMs });
    }
    const settings = 'sqs' in from ? from.sqs : from.eventbridge;
    return new QueueRoute(
      rule,
      settings,
      'eventbridge' in from,
      new QueueReader(this.#client, account),
      deps,
    );
  }
}

/** A rule that is the same at the same place goes on as it is. */
const keyOf = (config: ReverseConfig | undefined, index: number) => `${index} ${JSON.stringify(config)}`;

/** What is kept of a message that NATS would not take. */
function asDeadLetter(message: ReverseMessage, subject: string, nowMs: number) {
  const headers = { 'Nats-Msg-Id': message.id };
  return sampleMessage({ subject, text: message.body, headers, timestampMs: nowMs });
}
