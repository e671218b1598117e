/**
 * One round: somebody releases a revision, good or bad, people and tools interfere while trouble lasts, and
 * then nothing fails any more. Whatever is held then, a person brings to an end.
 */

import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ElasticLoadBalancingV2Client, ModifyRuleCommand } from '@aws-sdk/client-elastic-load-balancing-v2';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import {
  DeleteMessageCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { DynamoConsumers } from '../../aws/eventStore/consumers.ts';
import type { ServiceState } from '../../core/rollout/state.ts';
import type { SeededRandom } from '../../sim/random.ts';
import { type Fault, registerShop } from '../demo/account.ts';
import { patience, type Stage, service, stack, stream } from './stage.ts';
import { count, makeTrouble, type Tally } from './trouble.ts';
import { type BusWitness, leftOver } from './verdict.ts';

type Say = (line: string) => void;

/** How long a rollout is troubled, and how long it may take to end once nothing fails. */
const troubledSeconds = { low: 8, high: 25 };
const endsSecondsMax = 300;
/** The schedule, which is once a minute in an account: a round is shorter than that. */
const reconcileSeconds = 5;

export class People {
  readonly #stage: Stage;
  readonly #random: SeededRandom;
  readonly #tally: Tally;
  readonly #say: Say;
  readonly #bus: EventBridgeClient;
  readonly #lambda: LambdaClient;
  readonly #consumers: DynamoConsumers;
  #releases = 1;
  /** Revisions that fail from their first request on. */
  readonly bad = new Set<string>();

  constructor(stage: Stage, random: SeededRandom, tally: Tally, say: Say) {
    this.#stage = stage;
    this.#random = random;
    this.#tally = tally;
    this.#say = say;
    this.#bus = new EventBridgeClient(stage.at);
    this.#lambda = new LambdaClient(stage.at);
    this.#consumers = new DynamoConsumers(new DynamoDBClient(stage.at), `${stack}-events`, patience);
  }

  /** The schedule, until `stop`; never two at a time, so that a slow machine is not buried in them. */
  keepHouse(): () => void {
    let stopped = false;
    void (async () => {
      while (!stopped) {
        await pause(reconcileSeconds * 1000);
        await this.#invoke('reconcile', {}, 'RequestResponse');
      }
    })();
    return () => {
      stopped = true;
    };
  }

  /** @returns what did not come to its end in time */
  async round(bus: BusWitness): Promise<readonly string[]> {
    const random = this.#random;
    await this.#release();
    const trouble = makeTrouble(this.#stage, random, this.#tally, this.#say);
    this.#say(`trouble: ${trouble.kinds.join(', ') || 'none'}`);
    const until = Date.now() + 1000 * random.between(troubledSeconds.low, troubledSeconds.high);
    while (Date.now() < until) {
      await pause(random.between(500, 4000));
      if (random.chance(0.35)) await this.#interfere();
    }
    trouble.stop();
    await trouble.over;
    return this.#settle(bus);
  }

  async #release(): Promise<void> {
    const fault = this.#random.pick<Fault>(['none', 'none', 'none', 'errors', 'errors', 'latency', 'crash']);
    const nth = ++this.#releases;
    const faultAfter = fault === 'none' ? 0 : this.#random.pick([0, 0, 20, 60]);
    const revision = await registerShop(this.#stage.at, `v${nth}`, fault, faultAfter);
    if (fault !== 'none' && faultAfter === 0) this.bad.add(revision);
    count(this.#tally, fault === 'none' ? 'good releases' : 'bad releases');
    this.#say(`release-${nth}: ${fault === 'none' ? 'good' : `${fault} after ${faultAfter} requests`}`);
    await this.#put('Switchback Rollout Requested', { revision, rolloutId: `release-${nth}` });
  }

  async #interfere(): Promise<void> {
    const random = this.#random;
    const what = random.pick([
      ...['pause', 'resume', 'approve', 'abort', 'promote', 'promote-fully'],
      ...['by hand', 'fire exit', 'release'],
    ]);
    count(this.#tally, what === 'release' ? 'releases in between' : `people: ${what}`);
    this.#say(`somebody: ${what}`);
    if (what === 'release') return this.#release();
    if (what === 'by hand') return this.#byHand(random.pick([0, 100, 30]));
    if (what === 'fire exit') return this.#invoke('fall-back', { service, why: 'chaos', by: 'chaos' });
    await this.operate(what);
  }

  async operate(operation: string): Promise<void> {
    await this.#put('Switchback Operation Requested', { operation, by: 'chaos', why: 'chaos' });
  }

  async #byHand(greenWeight: number): Promise<void> {
    const { ruleArn, targetGroups } = this.#stage.target;
    const TargetGroups = [
      { TargetGroupArn: targetGroups.blue, Weight: 100 - greenWeight },
      { TargetGroupArn: targetGroups.green, Weight: greenWeight },
    ];
    const { rollout } = (await this.#state()) ?? { rollout: { phase: 'none' } as const };
    // Nobody in their senses sends people onto a side that runs nothing.
    if (rollout.phase === 'none' || rollout.weight === 0 || rollout.weight === 100) return;
    const Actions = [{ Type: 'forward' as const, ForwardConfig: { TargetGroups } }];
    await new ElasticLoadBalancingV2Client(this.#stage.at).send(
      new ModifyRuleCommand({ RuleArn: ruleArn, Actions }),
    );
  }

  /** Until all is at its end and nothing is on its way; a person decides what waits for one. */
  async #settle(bus: BusWitness): Promise<readonly string[]> {
    const deadline = Date.now() + endsSecondsMax * 1000;
    let said = 0;
    for (;;) {
      await pause(1000);
      const state = await this.#state();
      const rollout = state?.rollout ?? { phase: 'none' as const };
      const waits = state?.queued ?? null;
      const ended =
        rollout.phase === 'none' ||
        rollout.phase === 'rolled-back' ||
        (rollout.phase === 'promoted' && rollout.completed);
      const left = await leftOver(this.#stage, bus);
      if (ended && waits === null && left.length === 0) {
        count(this.#tally, `ended ${rollout.phase}`);
        this.#say(`all quiet: ${rollout.phase}`);
        return [];
      }
      if (Date.now() > deadline) {
        return [
          ended ? '' : `still ${rollout.phase}`,
          waits === null ? '' : `${waits.rolloutId} waits`,
          ...left,
        ].filter((one) => one !== '');
      }
      await this.#unpark();
      await this.#readDeadLetters();
      if (rollout.phase === 'paused') await this.operate('resume');
      if (rollout.phase === 'awaiting-approval') await this.operate('approve');
      if (rollout.phase === 'held') await this.operate(said++ === 0 ? 'resume' : 'abort');
      if (rollout.phase === 'held') await pause(4000);
    }
  }

  /** A stream that was parked in a long outage is let go by a person, as its alarm asks. */
  async #unpark(): Promise<void> {
    for (const name of ['bus', 'people']) {
      const { parked } = await this.#consumers.checkpoint(name, stream);
      if (!parked) continue;
      count(this.#tally, 'streams unparked');
      await this.#invoke('publish-events', { unpark: stream, by: 'chaos', why: 'it works again' });
    }
  }

  /** What was tried in vain often enough is a person's: a request is made again, or not. */
  async #readDeadLetters(): Promise<void> {
    const queue = this.#stage.cloud.queues.all.find(({ name }) => name === `${stack}-dead-letters`);
    if (queue === undefined || queue.size === 0) return;
    const sqs = new SQSClient(this.#stage.at);
    const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: queue.name }));
    const receive = new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 });
    const { Messages = [] } = await sqs.send(receive);
    for (const { Body = '', ReceiptHandle } of Messages) {
      this.#say(`a dead letter: ${Body.slice(0, 200)}`);
      count(this.#tally, 'dead letters read by a person');
      await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
    }
  }

  async #state(): Promise<ServiceState | undefined> {
    return (await this.#stage.store.head(stream)).snapshot?.state as ServiceState | undefined;
  }

  async #put(DetailType: string, detail: Readonly<Record<string, unknown>>): Promise<void> {
    const Detail = JSON.stringify({ service, ...detail });
    await this.#bus.send(
      new PutEventsCommand({ Entries: [{ EventBusName: stack, Source: 'chaos', DetailType, Detail }] }),
    );
  }

  async #invoke(
    name: string,
    payload: unknown,
    InvocationType: 'Event' | 'RequestResponse' = 'Event',
  ): Promise<void> {
    const Payload = Buffer.from(JSON.stringify(payload));
    const FunctionName = `${stack}-${name}`;
    await this.#lambda
      .send(new InvokeCommand({ FunctionName, InvocationType, Payload }))
      .catch((error: Error) => count(this.#tally, `${name} not taken: ${error.name}`));
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
