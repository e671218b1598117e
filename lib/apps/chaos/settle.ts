/**
 * Nothing fails any more: what waits for a person gets one, until everything is at its end and nothing is on
 * its way.
 */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  DeleteMessageCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { DynamoConsumers } from '../../aws/eventStore/consumers.ts';
import type { MigrationState } from '../../core/migration/state.ts';
import { type People, pause } from './people.ts';
import type { Post } from './post.ts';
import { patience, type Shop, stack } from './stage.ts';
import { count } from './trouble.ts';

/** How long it may take for everything to end, once nothing fails. */
const endsSecondsMax = 300;
/** A person looks what came of their words before they say others. */
const looksMs = 4000;
const sayEveryMs = 20_000;

export class Settling {
  readonly #people: People;
  readonly #post: Post;
  readonly #consumers: DynamoConsumers;
  /** How often somebody spoke of a service or a migration, and when last. */
  readonly #spoken = new Map<string, { times: number; at: number }>();

  constructor(people: People, post: Post) {
    this.#people = people;
    this.#post = post;
    const { at } = people.stage;
    this.#consumers = new DynamoConsumers(new DynamoDBClient(at), `${stack}-events`, patience);
  }

  /** @returns what did not come to its end in time */
  async untilQuiet(): Promise<readonly string[]> {
    const { stage, tally, say } = this.#people;
    const deadline = Date.now() + endsSecondsMax * 1000;
    let said = Date.now();
    for (;;) {
      await pause(1000);
      const open: string[] = [];
      const phases: string[] = [];
      for (const shop of stage.shops) {
        const { waits, phase } = await this.#look(shop);
        open.push(...waits);
        phases.push(`${shop.service} ${phase}`);
      }
      for (const migrationId of this.#people.migrations) open.push(...(await this.#move(migrationId)));
      // While a rollout is under way there is no need to ask who else is.
      if (open.length === 0 || Date.now() > deadline) open.push(...(await this.#post.leftOver()));
      if (open.length === 0) {
        for (const phase of phases) count(tally, `ended: ${phase}`);
        say(`all quiet: ${phases.join(', ')}`);
        return [];
      }
      if (Date.now() > deadline) return open;
      if (Date.now() - said > sayEveryMs) {
        say(`waiting: ${open.join('; ')}`);
        said = Date.now();
      }
      await this.#unpark();
      await this.#readDeadLetters();
    }
  }

  /** What is not at its end at this service; a person says what to do where one is waited for. */
  async #look(shop: Shop): Promise<{ readonly waits: readonly string[]; readonly phase: string }> {
    const { rollout, queued } = (await this.#people.stateOf(shop)) ?? {
      ...{ rollout: { phase: 'none' as const }, queued: null },
    };
    const { phase } = rollout;
    const ended = phase === 'none' || phase === 'rolled-back' || (phase === 'promoted' && rollout.completed);
    if (phase === 'paused') await this.#say(shop.service, () => this.#people.operate(shop, 'resume'));
    if (phase === 'awaiting-approval')
      await this.#say(shop.service, () => this.#people.operate(shop, 'approve'));
    if (phase === 'held')
      await this.#say(shop.service, (times) => this.#people.operate(shop, times === 0 ? 'resume' : 'abort'));
    const waits = [
      ...(ended ? [] : [`${shop.service} is still ${phase}`]),
      ...(queued === null ? [] : [`${queued.rolloutId} waits at ${shop.service}`]),
    ];
    return { waits, phase };
  }

  async #move(migrationId: string): Promise<readonly string[]> {
    const { tally } = this.#people;
    const { snapshot } = await this.#people.stage.store.head(`migration/${migrationId}`);
    const state = (snapshot?.state ?? { phase: 'none' }) as MigrationState;
    // Lambda calls once more what failed, a minute later and two: its request may still be on its way.
    if (state.phase === 'none') return [];
    if (state.phase === 'ended') {
      count(tally, `migrations: ${state.outcome}`);
      this.#people.migrations.delete(migrationId);
      return [];
    }
    if (state.phase === 'held')
      await this.#say(migrationId, (times) =>
        this.#people.operateMigration(migrationId, (['resume', 'roll-back'] as const)[times] ?? 'freeze'),
      );
    return [`the migration ${migrationId} is ${state.phase}`];
  }

  async #say(about: string, speak: (times: number) => Promise<void>): Promise<void> {
    const { times, at } = this.#spoken.get(about) ?? { times: 0, at: 0 };
    if (Date.now() - at < looksMs) return;
    this.#spoken.set(about, { times: times + 1, at: Date.now() });
    await speak(times);
  }

  /** A stream that was parked in a long outage is let go by a person, as its alarm asks. */
  async #unpark(): Promise<void> {
    const { stage, tally, migrations } = this.#people;
    const streams = [
      ...stage.shops.map(({ stream }) => stream),
      ...[...migrations].map((migrationId) => `migration/${migrationId}`),
    ];
    for (const stream of streams) {
      for (const name of ['bus', 'people']) {
        const { parked } = await this.#consumers.checkpoint(name, stream);
        if (!parked) continue;
        count(tally, 'streams unparked');
        const why = 'it works again';
        await this.#people.invoke('publish-events', { unpark: stream, by: 'chaos', why });
      }
    }
  }

  /** What was tried in vain often enough is a person's: a request is made again, or not. */
  async #readDeadLetters(): Promise<void> {
    const { stage, tally, say } = this.#people;
    const queue = stage.cloud.queues.all.find(({ name }) => name === `${stack}-dead-letters`);
    if (queue === undefined || queue.size === 0) return;
    const sqs = new SQSClient(stage.at);
    const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: queue.name }));
    const receive = new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 });
    const { Messages = [] } = await sqs.send(receive);
    for (const { Body = '', ReceiptHandle } of Messages) {
      say(`a dead letter: ${Body.slice(0, 200)}`);
      count(tally, 'dead letters read by a person');
      await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
    }
  }
}
