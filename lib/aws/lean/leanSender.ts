/** Sends batches over lean connections. `lib/aws/sdkSender.ts` does the same with the AWS SDK. */
import type { Draft, Refused } from '../../core/bridge/draft.ts';
import { failureKind } from '../../core/bridge/failure.ts';
import type { Answer, Entry, Sender } from '../../core/bridge/ports.ts';
import type { TargetSpec } from '../../core/bridge/target.ts';
import type { AwsClient, CallResult, Operation } from './awsClient.ts';
import { BATCH_OPERATIONS } from './batchOperations.ts';
import { entryOf, type SizeLimits } from './entries.ts';

export class LeanSender implements Sender {
  readonly #client: AwsClient;
  readonly #limits: SizeLimits;
  readonly #queues: QueueUrls;

  /** @param account twelve digits, when queues are named without their URL and need not be looked up */
  constructor(client: AwsClient, limits: SizeLimits, account: string | null) {
    this.#client = client;
    this.#limits = limits;
    this.#queues = new QueueUrls(client, account);
  }

  get fault(): string | null {
    return this.#client.fault;
  }

  entryOf(target: TargetSpec, draft: Draft): Entry | Refused {
    return entryOf(target, draft, this.#limits);
  }

  async send(target: TargetSpec, entries: readonly Entry[]): Promise<Answer> {
    const { operation, body, failures } = BATCH_OPERATIONS[target.kind];
    let address = target.address;
    if (target.kind === 'sqs') {
      const url = this.#queues.known(target.address) ?? (await this.#queues.find(target.address));
      if (typeof url !== 'string') return failedAnswer(url);
      address = url;
    }
    const result = await this.#client.call(operation, body(address, entries));
    if (!result.ok) return failedAnswer(result);
    try {
      return { kind: 'taken', failed: failures(result.body, entries, target) };
    } catch (error) {
      const why = (error as Error).message;
      const message = `an answer that cannot be read (${why}): ${result.body.slice(0, 200)}`;
      return { kind: 'failed', failure: { kind: 'retry', code: 'UnreadableAnswer', message } };
    }
  }

  close(): void {
    this.#client.close();
  }
}

type Failed = Extract<CallResult, { ok: false }>;

function failedAnswer({ status, code, message }: Failed): Answer {
  // Without credentials nothing will work until somebody looks; without an answer the next one may.
  if (code === 'CredentialsUnavailable')
    return { kind: 'failed', failure: { kind: 'denied', code, message } };
  const kind = status === 0 ? 'retry' : failureKind(code, message, status);
  // The client has already tried again with a right clock and new credentials: now it is a matter of rights.
  const settled = kind === 'skewed' || kind === 'expired' ? 'denied' : kind;
  return { kind: 'failed', failure: { kind: settled, code: code === '' ? String(status) : code, message } };
}

const GET_QUEUE_URL: Operation = {
  service: 'sqs',
  contentType: 'application/x-amz-json-1.0',
  target: 'AmazonSQS.GetQueueUrl',
};

/** Queues are configured by name or URL; requests want the URL. */
export class QueueUrls {
  readonly #client: AwsClient;
  readonly #account: string | null;
  readonly #urls = new Map<string, string>();

  constructor(client: AwsClient, account: string | null) {
    this.#client = client;
    this.#account = account;
  }

  known(queue: string): string | undefined {
    if (queue.startsWith('http')) return queue;
    const { region, endpoint } = this.#client.options;
    if (this.#account !== null && endpoint === null) {
      return `https://sqs.${region}.amazonaws.com/${this.#account}/${queue}`;
    }
    return this.#urls.get(queue);
  }

  /** Asks SQS for the URL. */
  async find(queue: string): Promise<string | Failed> {
    const owner = this.#account === null ? '' : `,"QueueOwnerAWSAccountId":${JSON.stringify(this.#account)}`;
    const result = await this.#client.call(GET_QUEUE_URL, `{"QueueName":${JSON.stringify(queue)}${owner}}`);
    if (!result.ok) return result;
    const url = (JSON.parse(result.body) as { QueueUrl?: string }).QueueUrl;
    if (url === undefined)
      return { ok: false, status: 500, code: 'NoQueueUrl', message: 'GetQueueUrl gave none' };
    this.#urls.set(queue, url);
    return url;
  }
}
