/** What contenders share: the order of a round, the plan and the senders. */
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { realClock } from '../../lib/asl/clock.ts';
import { AwsClient } from '../../lib/aws/lean/awsClient.ts';
import { CredentialKeeper } from '../../lib/aws/lean/credentials.ts';
import { LeanSender } from '../../lib/aws/lean/leanSender.ts';
import { SdkSender } from '../../lib/aws/sdkSender.ts';
import { type Plan, planOf } from '../../lib/core/bridge/plan.ts';
import type { RoundOrder } from './roundOrder.ts';

/** A round is prepared, then started on the clock, then cleaned up. */
export type Round = { start(): Promise<readonly number[] | undefined>; end(): Promise<void> };
export type Contender = (order: RoundOrder) => Promise<Round>;

export const REGION = 'eu-west-1';
const CREDENTIALS = { accessKeyId: 'test', secretAccessKey: 'test', sessionToken: null, expiresAtMs: null };
const LIMITS = { eventbridge: 1_000_000, sqs: 1_048_576, sns: 262_144 };

export function planFor(order: RoundOrder, ack: 'explicit' | 'watermark'): Plan {
  const result = planOf({
    version: 1,
    nats: { servers: [order.nats] },
    aws: { region: REGION, endpoint: order.endpoint },
    lease: '5s',
    // A watermark needs an owner; for the rest a lease would only be waited for.
    sources: [
      { stream: order.stream, durable: 'bench', ack, owner: ack === 'watermark' ? 'single' : 'shared' },
    ],
    rules: [
      {
        match: 'bench.>',
        to: { eventbridge: { bus: 'b', source: 'bench', detailType: 'Found', detail: 'raw' } },
        limits: { inFlight: order.inFlight },
      },
    ],
    dlq: { sqs: 'dead' },
  });
  if ('faults' in result) throw new Error(JSON.stringify(result.faults));
  return result.plan;
}

export function leanClient(order: RoundOrder): AwsClient {
  const keeper = new CredentialKeeper(async () => CREDENTIALS, realClock);
  const options = { region: REGION, endpoint: order.endpoint, timeoutMs: 30_000, ca: order.ca ?? undefined };
  return new AwsClient(options, keeper, realClock);
}

export const leanSender = (client: AwsClient) => new LeanSender(client, LIMITS, null);
export const lean = (order: RoundOrder) => leanSender(leanClient(order));
export const sdk = (order: RoundOrder) =>
  new SdkSender({ region: REGION, endpoint: order.endpoint, timeoutMs: 30_000, limits: LIMITS });

export async function durable(order: RoundOrder): Promise<void> {
  const nats = await connect({ servers: order.nats });
  const api = await jetstreamManager(nats);
  await api.consumers.add(order.stream, {
    durable_name: 'bench',
    ack_policy: 'explicit',
    max_ack_pending: 20_000,
    ack_wait: 30e9,
  });
  await nats.close();
}
