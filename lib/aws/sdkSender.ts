/**
 * The AWS SDK as the bridge's sender: slower than the lean one by the factor that bench/bridge.ts shows, and
 * the judge of it: both pass the same contract against the same sink. Chosen by `aws.sender: sdk`.
 */
import { BatchWriteItemCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { PublishBatchCommand, SNSClient } from '@aws-sdk/client-sns';
import { GetQueueUrlCommand, SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Draft, Refused } from '../core/bridge/draft.ts';
import { type FailureKind, failureKind } from '../core/bridge/failure.ts';
import type { Answer, Entry, Sender } from '../core/bridge/ports.ts';
import type { TargetSpec } from '../core/bridge/target.ts';
import {
  type Failures,
  namedFailures,
  positionedFailures,
  unprocessedFailures,
} from './lean/batchOperations.ts';
import { entryOf, type SizeLimits } from './lean/entries.ts';

export type SdkSenderOptions = {
  readonly region: string;
  readonly endpoint: string | null;
  readonly timeoutMs: number;
  readonly limits: SizeLimits;
};

export class SdkSender implements Sender {
  readonly fault = null;
  readonly #limits: SizeLimits;
  readonly #events: EventBridgeClient;
  readonly #queues: SQSClient;
  readonly #topics: SNSClient;
  readonly #tables: DynamoDBClient;
  readonly #urls = new Map<string, string>();

  constructor({ region, endpoint, timeoutMs, limits }: SdkSenderOptions) {
    this.#limits = limits;
    // The bridge retries by itself, entry by entry and in order.
    const config = {
      region,
      ...(endpoint === null ? {} : { endpoint }),
      maxAttempts: 1,
      requestHandler: {
        requestTimeout: timeoutMs,
        throwOnRequestTimeout: true,
        httpAgent: { maxSockets: 256 },
        httpsAgent: { maxSockets: 256 },
      },
    };
    this.#events = new EventBridgeClient(config);
    this.#queues = new SQSClient(config);
    this.#topics = new SNSClient(config);
    this.#tables = new DynamoDBClient(config);
  }

  entryOf(target: TargetSpec, draft: Draft): Entry | Refused {
    return entryOf(target, draft, this.#limits);
  }

  async send(target: TargetSpec, entries: readonly Entry[]): Promise<Answer> {
    try {
      return { kind: 'taken', failed: await this.#send(target, entries) };
    } catch (error) {
      const { name, message, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
      return {
        kind: 'failed',
        failure: { kind: kindOf(name, message, $metadata?.httpStatusCode), code: name, message },
      };
    }
  }

  close(): void {
    for (const client of [this.#events, this.#queues, this.#topics, this.#tables]) client.destroy();
  }

  async #send(target: TargetSpec, entries: readonly Entry[]): Promise<Failures> {
    const inputs = entries.map(({ json }) => JSON.parse(json));
    const named = inputs.map((input, index) => ({ Id: String(index), ...input }));
    switch (target.kind) {
      case 'eventbridge': {
        const Entries = inputs.map(({ Time, ...rest }) =>
          Time === undefined ? rest : { ...rest, Time: new Date(Time * 1000) },
        );
        const answer = await this.#events.send(new PutEventsCommand({ Entries }));
        return positionedFailures(answer.Entries ?? [], entries.length);
      }
      case 'sqs': {
        const QueueUrl = await this.#urlOf(target.address);
        const answer = await this.#queues.send(new SendMessageBatchCommand({ QueueUrl, Entries: named }));
        return namedFailures(answer.Successful ?? [], answer.Failed ?? [], entries.length);
      }
      case 'sns': {
        const command = new PublishBatchCommand({
          TopicArn: target.address,
          PublishBatchRequestEntries: named,
        });
        const answer = await this.#topics.send(command);
        return namedFailures(answer.Successful ?? [], answer.Failed ?? [], entries.length);
      }
      case 'dynamodb': {
        const command = new BatchWriteItemCommand({
          RequestItems: { [target.address]: inputs.map(binaryRead) },
        });
        const answer = await this.#tables.send(command);
        return unprocessedFailures(Object.values(answer.UnprocessedItems ?? {}).flat(), entries, target);
      }
    }
  }

  async #urlOf(queue: string): Promise<string> {
    if (queue.startsWith('http')) return queue;
    const known = this.#urls.get(queue);
    if (known !== undefined) return known;
    const { QueueUrl } = await this.#queues.send(new GetQueueUrlCommand({ QueueName: queue }));
    this.#urls.set(queue, QueueUrl as string);
    return QueueUrl as string;
  }
}

/**
 * Without a status there was no answer; with a good one it could not be read. Neither says that it was not
 * taken.
 */
function kindOf(name: string, message: string, status = 0): FailureKind {
  if (name === 'CredentialsProviderError') return 'denied';
  const kind = status < 400 ? 'retry' : failureKind(name, message, status);
  // The SDK has its own ways to right the clock and renew credentials: what is left is a matter of rights.
  return kind === 'skewed' || kind === 'expired' ? 'denied' : kind;
}

type Item = Record<string, Record<string, string>>;

/** The SDK takes binary attributes as bytes and writes the base64 itself. */
function binaryRead(request: { PutRequest: { Item: Item } }) {
  const item = Object.entries(request.PutRequest.Item).map(([name, value]) => {
    const binary = value.B;
    return [name, binary === undefined ? value : { B: Buffer.from(binary, 'base64') }] as const;
  });
  // biome-ignore lint/suspicious/noExplicitAny: one of S, N and B is there; the SDK's union cannot see that
  return { PutRequest: { Item: Object.fromEntries(item) as any } };
}
