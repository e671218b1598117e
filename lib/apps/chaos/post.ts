/** What is on its way: events on the bus, intents in their queue, messages and executions that are left. */
import { EventBridgeClient, PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge';
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import type { Recorded } from '../../../events/recorded.ts';
import type { IntentQueue } from '../../ports.ts';
import { type Stage, stack } from './stage.ts';
import { runningExecutions } from './trouble.ts';

export type Intended = {
  readonly at: number;
  readonly intent: Parameters<IntentQueue['send']>[0];
};

const busQueue = 'heard-on-the-bus';

export class Post {
  readonly #stage: Stage;
  readonly #sqs: SQSClient;
  readonly #url: string;
  readonly #newest = new Map<string, number>();
  /** Events that came before one before them. */
  skipped: readonly string[] = [];
  intended: readonly Intended[] = [];

  private constructor(stage: Stage, url: string) {
    this.#stage = stage;
    this.#sqs = new SQSClient(stage.at);
    this.#url = url;
    this.#hearIntents();
  }

  static async open(stage: Stage): Promise<Post> {
    const sqs = new SQSClient(stage.at);
    const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: busQueue }));
    const asked = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] });
    const { Attributes } = await sqs.send(asked);
    const rules = new EventBridgeClient(stage.at);
    const EventPattern = JSON.stringify({ source: ['switchback'] });
    await rules.send(new PutRuleCommand({ EventBusName: stack, Name: busQueue, EventPattern }));
    const Targets = [{ Id: 'queue', Arn: Attributes?.QueueArn }];
    await rules.send(new PutTargetsCommand({ EventBusName: stack, Rule: busQueue, Targets }));
    return new Post(stage, QueueUrl);
  }

  /** What is still on its way: nothing, once all is quiet. */
  async leftOver(): Promise<readonly string[]> {
    const left: string[] = [];
    for (const { name, size } of this.#stage.cloud.queues.all) {
      if (size > 0 && name !== busQueue) left.push(`${size} messages in ${name}`);
    }
    for (const { name } of await runningExecutions(this.#stage)) left.push(`the execution ${name}`);
    await this.#fetch();
    for (const { stream } of this.#stage.shops) {
      const { version } = await this.#stage.store.head(stream);
      const newest = this.#newest.get(stream) ?? 0;
      if (newest !== version) left.push(`${newest} of ${version} events of ${stream} on the bus`);
    }
    return left;
  }

  forget(at: number): void {
    this.intended = this.intended.filter((one) => one.at >= at);
    this.skipped = [];
  }

  /** Only what the queue itself has taken counts: a call that failed may have been told to its caller. */
  #hearIntents(): void {
    const queue = this.#stage.cloud.queues.all.find(({ name }) => name === `${stack}-intents.fifo`);
    if (queue === undefined) throw new Error(`the stack ${stack} has no queue for intents`);
    const send = queue.send.bind(queue);
    queue.send = (message) => {
      const intent = JSON.parse(message.body) as Intended['intent'];
      this.intended = [...this.intended, { at: Date.now(), intent }];
      return send(message);
    };
  }

  /** Hears what was published; a number that is skipped is one too many. */
  async #fetch(): Promise<void> {
    for (;;) {
      const receive = new ReceiveMessageCommand({ QueueUrl: this.#url, MaxNumberOfMessages: 10 });
      const { Messages = [] } = await this.#sqs.send(receive);
      if (Messages.length === 0) return;
      for (const { Body = '', ReceiptHandle } of Messages) {
        const { stream, version } = (JSON.parse(Body) as { detail: Recorded & { readonly stream: string } })
          .detail;
        const newest = this.#newest.get(stream) ?? 0;
        if (version > newest + 1)
          this.skipped = [...this.skipped, `event ${version} of ${stream} was published after ${newest}`];
        this.#newest.set(stream, Math.max(newest, version));
        await this.#sqs.send(new DeleteMessageCommand({ QueueUrl: this.#url, ReceiptHandle }));
      }
    }
  }
}
