/** The durable consumer a source reads from: made or adjusted to what the configuration says. */
import {
  AckPolicy,
  type ConsumerConfig,
  type ConsumerInfo,
  DeliverPolicy,
  ReplayPolicy,
  RetentionPolicy,
  StorageType,
  StoreCompression,
  type StreamConfig,
} from '@nats-io/jetstream';
import { nanos } from '@nats-io/nats-core';
import type { JetStreamSourceConfig } from '../core/bridge/config.ts';
import { demand } from './features.ts';
import type { JetStreamApi } from './natsLink.ts';
import type { Patience } from './patience.ts';

/** Stream or consumer are not what the configuration needs, and changing them is not ours to decide. */
class ConsumerUnfit extends Error {
  override readonly name = 'ConsumerUnfit';
}

/**
 * Makes sure that the source's stream and durable consumer exist and fit.
 * @throws ConsumerUnfit, ServerTooOld, or what the server answered
 */
export async function ensureConsumer(
  api: JetStreamApi,
  version: string,
  source: JetStreamSourceConfig,
): Promise<ConsumerInfo> {
  if (source.filters !== undefined) demand(version, 'several filters');
  if (source.create?.compression !== undefined) demand(version, 'compression');
  await ensureStream(api, source);
  const wanted = consumerConfig(source);
  const known = await infoOf(api, source);
  if (known === null) return api.consumers.add(source.stream, wanted);
  const fault = unfitness(known.config, wanted);
  if (fault !== null) throw new ConsumerUnfit(`consumer ${source.stream}/${source.durable} ${fault}`);
  const { config } = known;
  const changes: Partial<ConsumerConfig> = {};
  if (config.ack_wait !== wanted.ack_wait) changes.ack_wait = wanted.ack_wait as number;
  if (config.max_ack_pending !== wanted.max_ack_pending)
    changes.max_ack_pending = wanted.max_ack_pending as number;
  if ((config.max_deliver ?? -1) !== -1) changes.max_deliver = -1;
  if (Object.keys(changes).length === 0) return known;
  return api.consumers.update(source.stream, source.durable, changes);
}

const AGAIN_MS = 2_000;

/** Makes a lost consumer again, however long that takes; false when it was `stopped` first. */
export async function ensureConsumerAgain(
  link: { readonly api: JetStreamApi; readonly version: string },
  source: JetStreamSourceConfig,
  { timers, stopped, log }: Patience,
): Promise<boolean> {
  while (!stopped()) {
    try {
      await ensureConsumer(link.api, link.version, source);
      return true;
    } catch (error) {
      log(`${source.stream}/${source.durable}: ${(error as Error).message}`);
      await new Promise<void>((resolve) => timers.schedule(AGAIN_MS, resolve));
    }
  }
  return false;
}

async function ensureStream(api: JetStreamApi, source: JetStreamSourceConfig): Promise<void> {
  try {
    await api.streams.info(source.stream);
    return;
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  const { create } = source;
  if (create === undefined) {
    throw new ConsumerUnfit(`there is no stream ${source.stream}, and 'create' does not say how to make it`);
  }
  const config: Partial<StreamConfig> & { name: string } = {
    name: source.stream,
    subjects: [...create.subjects],
    retention: RetentionPolicy.Limits,
    storage: create.storage === 'file' ? StorageType.File : StorageType.Memory,
    num_replicas: create.replicas,
    max_age: create.maxAge === undefined ? 0 : nanos(create.maxAge),
  };
  if (create.compression !== undefined) config.compression = StoreCompression.S2;
  await api.streams.add(config);
}

function consumerConfig(source: JetStreamSourceConfig): ConsumerConfig {
  const config: ConsumerConfig = {
    durable_name: source.durable,
    name: source.durable,
    ack_policy: source.ack === 'watermark' ? AckPolicy.All : AckPolicy.Explicit,
    ack_wait: nanos(source.ackWait),
    max_ack_pending: source.maxAckPending,
    // We count deliveries ourselves: a limit of the server's would drop messages without telling where to.
    max_deliver: -1,
    deliver_policy: source.deliver === 'all' ? DeliverPolicy.All : DeliverPolicy.New,
    replay_policy: ReplayPolicy.Instant,
  };
  if (source.filter !== undefined) config.filter_subject = source.filter;
  if (source.filters !== undefined) config.filter_subjects = [...source.filters];
  return config;
}

/** What a consumer cannot change while it lives. */
function unfitness(have: ConsumerConfig, want: ConsumerConfig): string | null {
  if (have.deliver_subject !== undefined) return 'is a push consumer';
  if (have.ack_policy !== want.ack_policy) {
    const both = `acknowledges '${have.ack_policy}', and the configuration wants '${want.ack_policy}'`;
    return `${both}: use another durable name`;
  }
  const filters = (config: ConsumerConfig) =>
    JSON.stringify(config.filter_subjects ?? [config.filter_subject ?? '']);
  if (filters(have) !== filters(want))
    return `filters ${filters(have)}, and the configuration wants ${filters(want)}`;
  return null;
}

async function infoOf(api: JetStreamApi, source: JetStreamSourceConfig): Promise<ConsumerInfo | null> {
  try {
    return await api.consumers.info(source.stream, source.durable);
  } catch (error) {
    if (isNotFound(error)) return null;
    throw error;
  }
}

function isNotFound(error: unknown): boolean {
  return /not found/i.test((error as Error).message);
}
