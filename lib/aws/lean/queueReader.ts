/** Reads SQS queues over the lean client: long polls, and deletes what was taken over. */
import type { ReverseMessage } from '../../core/bridge/reverse.ts';
import type { AwsClient, CallResult, Operation } from './awsClient.ts';
import { QueueUrls } from './leanSender.ts';

const operation = (name: string): Operation => ({
  service: 'sqs',
  contentType: 'application/x-amz-json-1.0',
  target: `AmazonSQS.${name}`,
});
const RECEIVE = operation('ReceiveMessage');
const DELETE = operation('DeleteMessageBatch');
const RELEASE = operation('ChangeMessageVisibilityBatch');

/** A queue cannot be read. */
class QueueUnreadable extends Error {
  override readonly name = 'QueueUnreadable';
  readonly code: string;

  constructor(code: string, message: string) {
    super(`${code}: ${message}`);
    this.code = code;
  }
}

export type Received = ReverseMessage & { readonly receipt: string };

type RawMessage = {
  readonly MessageId: string;
  readonly ReceiptHandle: string;
  readonly Body: string;
  readonly Attributes?: Readonly<Record<string, string>>;
  readonly MessageAttributes?: Readonly<Record<string, { readonly StringValue?: string }>>;
};

export type PollOptions = { readonly waitSeconds: number; readonly visibilitySeconds: number };

export class QueueReader {
  readonly #client: AwsClient;
  readonly #urls: QueueUrls;

  /** @param client whose timeout is longer than the long poll */
  constructor(client: AwsClient, account: string | null) {
    this.#client = client;
    this.#urls = new QueueUrls(client, account);
  }

  /**
   * Up to ten messages; empty when none came while waiting.
   * @param events whether bodies are EventBridge events, whose id then is the message's
   * @throws QueueUnreadable
   */
  async receive(queue: string, options: PollOptions, events: boolean): Promise<readonly Received[]> {
    const url = await this.#url(queue);
    const input = {
      QueueUrl: url,
      MaxNumberOfMessages: 10,
      WaitTimeSeconds: options.waitSeconds,
      VisibilityTimeout: options.visibilitySeconds,
      MessageSystemAttributeNames: ['All'],
      MessageAttributeNames: ['All'],
    };
    const body = demand(await this.#client.call(RECEIVE, JSON.stringify(input)));
    const { Messages = [] } = JSON.parse(body) as { Messages?: RawMessage[] };
    return Messages.map((message) => receivedOf(message, events));
  }

  /** Deletes; one that cannot be deleted is delivered again later. @throws QueueUnreadable */
  async remove(queue: string, messages: readonly Received[]): Promise<void> {
    await this.#batch(DELETE, queue, messages, {});
  }

  /** Makes messages visible again at once. @throws QueueUnreadable */
  async release(queue: string, messages: readonly Received[]): Promise<void> {
    await this.#batch(RELEASE, queue, messages, { VisibilityTimeout: 0 });
  }

  async #batch(
    operation: Operation,
    queue: string,
    messages: readonly Received[],
    more: object,
  ): Promise<void> {
    if (messages.length === 0) return;
    const Entries = messages.map(({ receipt }, index) => ({
      Id: String(index),
      ReceiptHandle: receipt,
      ...more,
    }));
    demand(await this.#client.call(operation, JSON.stringify({ QueueUrl: await this.#url(queue), Entries })));
  }

  async #url(queue: string): Promise<string> {
    const url = this.#urls.known(queue) ?? (await this.#urls.find(queue));
    if (typeof url === 'string') return url;
    throw new QueueUnreadable(url.code, url.message);
  }
}

function demand(result: CallResult): string {
  if (result.ok) return result.body;
  throw new QueueUnreadable(result.code || String(result.status), result.message);
}

function receivedOf(message: RawMessage, events: boolean): Received {
  const { Body, Attributes = {}, MessageAttributes = {} } = message;
  let parsed: unknown;
  let read = false;
  const json = (): unknown => {
    if (!read) parsed = parsedOf(Body);
    read = true;
    return parsed;
  };
  const event = events ? ((json() ?? {}) as Readonly<Record<string, unknown>>) : {};
  const own = Attributes.MessageDeduplicationId ?? message.MessageId;
  const encoded = MessageAttributes.encoding?.StringValue === 'base64';
  return {
    receipt: message.ReceiptHandle,
    id: typeof event.id === 'string' ? event.id : own,
    group: Attributes.MessageGroupId ?? '',
    attribute(name) {
      const field = event[name];
      if (typeof field === 'string') return field;
      return MessageAttributes[name]?.StringValue ?? Attributes[name] ?? '';
    },
    body: Body,
    bytes: () => Buffer.from(Body, encoded ? 'base64' : 'utf8'),
    json,
  };
}

function parsedOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
