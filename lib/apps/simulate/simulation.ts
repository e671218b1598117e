/**
 * The product in a simulated cloud: real flows, real state machines, real decisions, everything else in
 * memory.
 */

import { settingsOf } from '../../core/config/configuration.ts';
import type { ServiceSettings } from '../../core/config/settings.ts';
import { invariant } from '../../core/decision.ts';
import type { AlarmChange } from '../../sim/alarms.ts';
import { SimLambda } from '../../sim/lambda.ts';
import type { ExecutionDesk } from '../../sim/machines.ts';
import { minuteMs } from '../../sim/meter.ts';
import { type FailedTask, targetOf } from '../../sim/places.ts';
import { SimQueue } from '../../sim/queue.ts';
import { SeededRandom, seedOf } from '../../sim/random.ts';
import { calm, type SimClock, startMs } from '../../sim/simClock.ts';
import { TableStream } from '../../sim/tableStream.ts';
import { SimWorld } from '../../sim/world.ts';
import { openDesk } from './executions.ts';
import { functionsOf } from './functions.ts';
import { happen } from './happen.ts';
import type { Scenario } from './scenario.ts';

/** A message is hidden from other readers so long; as deployed. */
const visibilityMs = { alarm: 30_000, deployment: 30_000, intent: 60_000 };

export class Simulation {
  readonly scenario: Scenario;
  readonly settings: readonly ServiceSettings[];
  readonly world: SimWorld;
  readonly lambda: SimLambda;
  readonly desk: ExecutionDesk;
  readonly alarmQueue: SimQueue;
  readonly deploymentQueue: SimQueue;
  readonly intentQueue: SimQueue;
  readonly stream: TableStream;
  #resting = false;
  #events = 0;

  constructor(scenario: Scenario) {
    this.scenario = scenario;
    this.settings = settingsFor(scenario);
    const { seed, skewMsMax } = scenario;
    this.world = new SimWorld(descriptionOf(scenario), {
      alarm: (change) => this.#tellOfAlarm(change),
      failedTask: (failed) => this.#tellOfTask(failed),
    });
    const { clock, faults, mail } = this.world;
    this.desk = openDesk(this.world, () => this.lambda, isBeforeDeploy(scenario, clock));
    this.world.desk = this.desk;
    const skews = new SeededRandom(seedOf(seed, 'skew'));
    this.lambda = new SimLambda(clock, skews, faults, functionsOf(this.world, this.settings), skewMsMax);
    this.alarmQueue = this.#queue('alarm', 'on-alarm', false);
    this.deploymentQueue = this.#queue('deployment', 'on-deployment', false);
    this.intentQueue = this.#queue('intent', 'record-intents', true);
    this.stream = new TableStream(clock, faults, async (deliveries) => {
      return (await this.lambda.invoke('publish-events', deliveries)) as string | null;
    });
    this.world.onHead = ({ stream, tail, version }) => this.stream.tell({ stream, events: tail, version });
    mail.onIntent = (intent) =>
      this.intentQueue.send(JSON.stringify(intent), intent.stream, intent.commandId.slice(-128));
    mail.onRequest = (request) => this.request(request);
    for (const happening of scenario.happenings) {
      clock.schedule(happening.atSeconds * 1000, () => happen(this, happening));
    }
    this.#reconcileEveryMinute();
  }

  get clock(): SimClock {
    return this.world.clock;
  }

  /** Virtual seconds since the beginning. */
  get seconds(): number {
    return (this.clock.now() - startMs) / 1000;
  }

  async runUntil(seconds: number, enough?: () => boolean): Promise<void> {
    await this.clock.runUntil(startMs + seconds * 1000, enough);
  }

  /** The scheduler stops, and only what is under way goes on. */
  rest(): void {
    this.#resting = true;
  }

  wake(): void {
    this.#resting = false;
    this.#reconcileEveryMinute();
  }

  /** As anybody with the right puts it on the bus. */
  request(detail: object): void {
    const event = this.#event('Switchback Rollout Requested', detail);
    this.world.mail.deliver('request', () => this.lambda.send('start-rollout', event));
  }

  operate(detail: object): void {
    const event = this.#event('Switchback Operation Requested', detail);
    this.world.mail.deliver('operation', () => this.lambda.send('operate', event));
  }

  migrate(detail: object): void {
    const event = this.#event('Switchback Migration Requested', detail);
    this.world.mail.deliver('request', () => this.lambda.send('start-migration', event));
  }

  operateMigration(detail: object): void {
    const event = this.#event('Switchback Migration Operation Requested', detail);
    this.world.mail.deliver('operation', () => this.lambda.send('operate-migration', event));
  }

  #event(detailType: string, detail: object) {
    const time = new Date(this.clock.now()).toISOString();
    return { id: `event-${++this.#events}`, time, source: 'simulation', 'detail-type': detailType, detail };
  }

  #tellOfAlarm({ alarmName, state, previousState, changedAt, reason }: AlarmChange): void {
    const event = {
      id: `alarm-event-${++this.#events}`,
      time: new Date(changedAt).toISOString(),
      source: 'aws.cloudwatch',
      'detail-type': 'CloudWatch Alarm State Change',
      region: 'sim',
      account: '0',
      resources: [`arn:aws:cloudwatch:sim:0:alarm:${alarmName}`],
      detail: {
        alarmName,
        state: { value: state, reason, timestamp: new Date(changedAt).toISOString() },
        previousState: { value: previousState },
      },
    };
    this.world.mail.deliver('alarm', () => this.alarmQueue.send(JSON.stringify(event)));
  }

  #tellOfTask({ service, slot, revision }: FailedTask): void {
    const nth = ++this.#events;
    const now = new Date(this.clock.now()).toISOString();
    const event = {
      id: `task-event-${nth}`,
      time: now,
      source: 'aws.ecs',
      'detail-type': 'ECS Task State Change',
      region: 'sim',
      account: '0',
      resources: [`arn:aws:ecs:sim:0:task/simulated/${nth}`],
      detail: {
        taskArn: `arn:aws:ecs:sim:0:task/simulated/${nth}`,
        clusterArn: 'arn:aws:ecs:sim:0:cluster/simulated',
        taskDefinitionArn: revision,
        group: `service:${service}-${slot}`,
        lastStatus: 'STOPPED',
        desiredStatus: 'STOPPED',
        stopCode: 'EssentialContainerExited',
        stoppedReason: 'Essential container in task exited',
        version: 3,
        updatedAt: now,
      },
    };
    this.world.mail.deliver('task', () => this.deploymentQueue.send(JSON.stringify(event)));
  }

  #queue(name: keyof typeof visibilityMs, functionName: string, fifo: boolean): SimQueue {
    const { clock, faults } = this.world;
    return new SimQueue(clock, faults, { name, visibilityMs: visibilityMs[name], fifo }, async (Records) => {
      const answer = (await this.lambda.invoke(functionName, { Records })) as {
        readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
      };
      return answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
    });
  }

  #reconcileEveryMinute(): void {
    this.clock.after(minuteMs, () => {
      if (this.#resting) return calm;
      const event = { id: `tick-${++this.#events}` };
      this.world.mail.deliver('tick', () => this.lambda.send('reconcile', event));
      this.#reconcileEveryMinute();
      return calm;
    });
  }
}

/** Until the first deploy, where there is one, executions begin as the version before had them. */
function isBeforeDeploy({ happenings }: Scenario, clock: SimClock): () => boolean {
  const [first] = happenings.filter(({ what }) => what === 'deploy').map(({ atSeconds }) => atSeconds);
  return () => first !== undefined && clock.now() < startMs + first * 1000;
}

function settingsFor({ services }: Scenario): readonly ServiceSettings[] {
  const file = Object.entries(services).map(([service, { configuration }]) => [
    service,
    { ...configuration, target: targetOf(service) },
  ]);
  const settings = settingsOf({ services: Object.fromEntries(file) });
  invariant(!('problems' in settings), `the scenario's configuration: ${JSON.stringify(settings)}`);
  return settings.services;
}

function descriptionOf({ services, metricTroubles, alarmTroubles, ...rest }: Scenario) {
  const inMs = <T extends { readonly fromSeconds: number; readonly toSeconds: number }>(trouble: T) => ({
    ...trouble,
    fromMs: startMs + trouble.fromSeconds * 1000,
    toMs: startMs + trouble.toSeconds * 1000,
  });
  return {
    ...rest,
    services: Object.entries(services).map(([service, description]) => ({ service, ...description })),
    metricTroubles: metricTroubles.map(inMs),
    alarmTroubles: alarmTroubles.map(inMs),
  };
}
