/** What every command of the bridge is made of: NATS on one side, AWS on the other. */
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { AwsClient, type AwsClientOptions } from '../../aws/lean/awsClient.ts';
import { CredentialKeeper, type CredentialSource, credentialSource } from '../../aws/lean/credentials.ts';
import { LeanSender } from '../../aws/lean/leanSender.ts';
import { SdkSender } from '../../aws/sdkSender.ts';
import type { BridgeConfig } from '../../core/bridge/config.ts';
import type { Sender, Timers } from '../../core/bridge/ports.ts';
import { NatsLink } from '../../nats/natsLink.ts';
import { JetStreamPublisher } from '../../nats/publisher.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The configuration and the environment together do not say enough. */
export class SettingMissing extends Error {
  override readonly name = 'SettingMissing';
}

export type AwsParts = {
  readonly options: AwsClientOptions;
  readonly keeper: CredentialKeeper;
  readonly client: AwsClient;
  readonly sender: Sender;
};

/** @throws SettingMissing */
export function awsParts(config: BridgeConfig['aws'], environment: Environment, timers: Timers): AwsParts {
  const options = awsOptions(config, environment);
  const keeper = new CredentialKeeper(credentialSource(environment) ?? sdkChain(options.region), timers);
  const client = new AwsClient(options, keeper, timers);
  const limits = { eventbridge: config.eventSizeMax, sqs: config.messageSizeMax, sns: config.topicSizeMax };
  const sender =
    config.sender === 'sdk'
      ? new SdkSender({ ...options, limits })
      : new LeanSender(client, limits, config.account ?? null);
  return { options, keeper, client, sender };
}

function awsOptions(config: BridgeConfig['aws'], environment: Environment): AwsClientOptions {
  const region = config.region ?? environment.AWS_REGION ?? environment.AWS_DEFAULT_REGION;
  if (!region) throw new SettingMissing("no region: set 'aws.region' or AWS_REGION");
  const endpoint = config.endpoint ?? environment.AWS_ENDPOINT_URL ?? '';
  return { region, endpoint: endpoint === '' ? null : endpoint, timeoutMs: config.timeout };
}

/**
 * Outside ECS and without keys in the environment: whatever the SDK finds (profiles, SSO, instance roles).
 */
function sdkChain(region: string): CredentialSource {
  const { credentials } = new EventBridgeClient({ region }).config;
  return async () => {
    const { accessKeyId, secretAccessKey, sessionToken = null, expiration } = await credentials();
    return { accessKeyId, secretAccessKey, sessionToken, expiresAtMs: expiration?.getTime() ?? null };
  };
}

export type NatsParts = { readonly link: NatsLink; readonly publisher: JetStreamPublisher };

/** Publications under way to JetStream. */
const WINDOW = 1_024;
const PUBLISH_TIMEOUT_MS = 5_000;

/** Resolves once connected, however long that takes. */
export async function natsParts(
  config: BridgeConfig['nats'],
  environment: Environment,
  timers: Timers,
): Promise<NatsParts> {
  const link = await NatsLink.open(config, environment);
  const publisher = new JetStreamPublisher(link.nats, timers, {
    window: WINDOW,
    timeoutMs: PUBLISH_TIMEOUT_MS,
  });
  return { link, publisher };
}
