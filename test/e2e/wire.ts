/**
 * The product on the wire: the local cloud, the shop's real processes, the built bundles, one rollout after
 * the other. Everything between a test and its assertion is what runs in an account, but for the endpoint.
 */

import { fileURLToPath } from 'node:url';
import { CloudWatchClient, SetAlarmStateCommand } from '@aws-sdk/client-cloudwatch';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import {
  DisableRuleCommand,
  EnableRuleCommand,
  EventBridgeClient,
  PutEventsCommand,
} from '@aws-sdk/client-eventbridge';
import {
  CreateFunctionCommand,
  GetFunctionCommand,
  InvokeCommand,
  LambdaClient,
} from '@aws-sdk/client-lambda';
import type { ServiceEvent } from '../../events/service.ts';
import { type Endpoint, type Fault, openShop, registerShop, watchShop } from '../../lib/apps/demo/account.ts';
import { installSwitchback } from '../../lib/apps/demo/install.ts';
import { type Clock, realClock } from '../../lib/asl/clock.ts';
import { DynamoEventStore } from '../../lib/aws/eventStore/dynamoEventStore.ts';
import { awsTraffic } from '../../lib/aws/targets.ts';
import { canaryWeight } from '../../lib/core/rollout/drift.ts';
import type { ServiceState } from '../../lib/core/rollout/state.ts';
import { type LocalCloud, type LocalCloudOptions, startLocalCloud } from '../../lib/local/cloud.ts';
import type { RequestEntry } from '../../lib/local/endpoint.ts';
import { freePort } from '../../lib/local/freePort.ts';
import { until } from '../until.ts';
import { wireBundles } from './wireBundles.ts';

export const stream = 'service/shop';

export type Wire = Awaited<ReturnType<typeof openWire>>;

export type WireOptions = Pick<
  LocalCloudOptions,
  'onFunctionLog' | 'onRequest' | 'shuffleStreams' | 'machineClock'
> & {
  /** How often a message is tried before it becomes a dead letter; once a second. */
  readonly receivesMax?: number;
  /** Makes what more services need, and answers their configuration by name. */
  readonly others?: (at: Endpoint) => Promise<Readonly<Record<string, unknown>>>;
};

/** One step to half of the traffic, and nobody who looks meanwhile: only what a scene does itself happens. */
export const restingAtHalf = {
  strategy: {
    kind: 'canary',
    stepPercentMax: 60,
    finalFromPercent: 40,
    steps: [{ weight: 50, bakeSeconds: 900 }, { weight: 100 }],
  },
  evaluateSeconds: 600,
  scaleDownDelaySeconds: 0,
  shiftTimeoutSeconds: 1,
};

/** State machines wait a fifth of the seconds between two looks; how long a task may take stays as it is. */
const briskClock: Clock = {
  now: realClock.now,
  schedule: (ms, fire) => realClock.schedule(ms <= 5000 ? ms / 5 : ms, fire),
};

/** @param service what to change in the example's configuration of the shop */
export async function openWire(
  service: Readonly<Record<string, unknown>>,
  { receivesMax = 20, others = async () => ({}), ...options }: WireOptions = {},
) {
  const lines: string[] = [];
  const requests: RequestEntry[] = [];
  const cloud: LocalCloud = await startLocalCloud({
    machineClock: briskClock,
    ...options,
    seed: 1,
    metricPeriodSeconds: 1,
    onRequest: (entry) => {
      requests.push(entry);
      options.onRequest?.(entry);
    },
    onFunctionLog: (entry) => {
      lines.push(`${entry.functionName} ${entry.line}`);
      options.onFunctionLog?.(entry);
    },
  });
  const at: Endpoint = {
    endpoint: cloud.url,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  };
  const shopPort = await freePort();
  const target = await openShop(at, shopPort, 1, 1);
  await watchShop(at, target);
  await installSwitchback(at, await wireBundles(target, service, await others(at)), {
    visibilitySeconds: 1,
    receivesMax,
  });
  const store = new DynamoEventStore(new DynamoDBClient(at), 'switchback-events');
  const traffic = awsTraffic(new ElasticLoadBalancingV2Client(at), async () => undefined);
  const lambda = new LambdaClient(at);
  let releases = 0;

  const state = watchedState(store, requests);
  const events = async (from = 1): Promise<readonly ServiceEvent[]> =>
    (await Array.fromAsync(store.read(stream, from))).map(({ event }) => event as ServiceEvent);

  return {
    at,
    cloud,
    target,
    store,
    traffic,
    state,
    events,
    shopUrl: `http://127.0.0.1:${shopPort}/`,
    /** What the functions printed. */
    lines,
    /** Every call to the cloud that was answered, oldest first. */
    requests,
    async canaryWeight() {
      const rollout = (await state())?.rollout;
      const reading = await traffic.read(target);
      if (reading.kind !== 'weights' || rollout === undefined || rollout.phase === 'none') return null;
      return canaryWeight(reading.greenWeight, rollout.canarySlot);
    },
    /** Rules are switched off while `act` runs, the alarm rule if none is named: events are lost. */
    async muted(act: () => Promise<void>, names = ['switchback-alarms']) {
      const rules = new EventBridgeClient(at);
      for (const Name of names) await rules.send(new DisableRuleCommand({ Name }));
      await act().finally(async () => {
        for (const Name of names) await rules.send(new EnableRuleCommand({ Name }));
      });
    },
    /** Requests a new version, a good one; answers its rollout id and the version of the stream before it. */
    async request(detail: Readonly<Record<string, unknown>> = {}, fault: Fault = 'none') {
      releases += 1;
      const before = (await store.head(stream)).version;
      const revision = await registerShop(at, `v${releases + 1}`, fault);
      const rolloutId = `release-${releases}`;
      const Detail = JSON.stringify({ service: 'shop', revision, rolloutId, requestedBy: 'test', ...detail });
      const DetailType = 'Switchback Rollout Requested';
      await new EventBridgeClient(at).send(
        new PutEventsCommand({ Entries: [{ Source: 'test', DetailType, Detail }] }),
      );
      return { rolloutId, revision, before };
    },
    /**
     * @throws Error with the newest events and what the functions printed when the phase is not met in time
     */
    phase: (phase: string) =>
      until(`phase ${phase}`, async () => (await state())?.rollout.phase === phase, 60_000).catch(
        async (error: Error) => explained(error, await events(), lines),
      ),
    async ring(AlarmName: string, StateValue: 'ALARM' | 'OK' | 'INSUFFICIENT_DATA' = 'ALARM') {
      const command = new SetAlarmStateCommand({
        AlarmName,
        StateValue,
        StateReason: `the test says ${StateValue}`,
      });
      await new CloudWatchClient(at).send(command);
    },
    async invoke(name: string, payload: unknown = {}) {
      const command = new InvokeCommand({
        FunctionName: `switchback-${name}`,
        Payload: Buffer.from(JSON.stringify(payload)),
      });
      const answer = await lambda.send(command);
      return {
        failed: answer.FunctionError,
        payload: JSON.parse(Buffer.from(answer.Payload ?? []).toString() || 'null'),
      };
    },
    /** The function also under the name that a deployed stage gives it. */
    async alsoNamed(name: string, stage: string) {
      const found = await lambda.send(new GetFunctionCommand({ FunctionName: `switchback-${name}` }));
      const { Handler, Role, Runtime, Environment } = found.Configuration ?? {};
      const FunctionName = `switchback-${stage}-${name}`;
      const Code = { S3Bucket: 'hot-reload', S3Key: fileURLToPath(found.Code?.Location ?? '') };
      const Variables = Environment?.Variables;
      await lambda.send(
        new CreateFunctionCommand({ FunctionName, Handler, Role, Runtime, Code, Environment: { Variables } }),
      );
    },
    async operate(operation: string, detail: Readonly<Record<string, unknown>> = {}) {
      const Detail = JSON.stringify({ service: 'shop', operation, by: 'test', ...detail });
      const DetailType = 'Switchback Operation Requested';
      await new EventBridgeClient(at).send(
        new PutEventsCommand({ Entries: [{ Source: 'test', DetailType, Detail }] }),
      );
    },
    close: () => cloud.close(),
  };
}

/** @throws Error with what happened last, and what was said last */
function explained(error: Error, events: readonly ServiceEvent[], lines: readonly string[]): never {
  const newest = events.slice(-8).map((event) => JSON.stringify(event).slice(0, 200));
  throw new Error([error.message, ...newest, ...lines.slice(-12)].join('\n'));
}

const isWrite = ({ service, operation }: RequestEntry): boolean =>
  service === 'dynamodb' && /^(Put|Update|Transact)/.test(operation);

/**
 * The shop's state, asked for every few milliseconds by what waits: it is read again where something was
 * written since, or after a while.
 */
function watchedState(store: DynamoEventStore, requests: readonly RequestEntry[]) {
  const read = async () => (await store.head(stream)).snapshot?.state as ServiceState | undefined;
  let seen = { at: 0, state: read() };
  let counted = 0;
  return (): Promise<ServiceState | undefined> => {
    const isNews = requests.slice(counted).some(isWrite);
    counted = requests.length;
    if (isNews || performance.now() - seen.at > 100) seen = { at: performance.now(), state: read() };
    return seen.state;
  };
}
