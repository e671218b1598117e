/**
 * MisterSmith on one machine: orchestrator, three agents and the discovery engine as real processes, with
 * callers.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import { parse } from 'yaml';
import type { EcsAlbTarget } from '../../../events/target.ts';
import { realClock } from '../../asl/clock.ts';
import { DynamoEventStore } from '../../aws/eventStore/dynamoEventStore.ts';
import { awsTraffic } from '../../aws/targets.ts';
import { type LocalCloud, startLocalCloud } from '../../local/cloud.ts';
import { type Endpoint, given, openShop, watchShop } from './account.ts';
import type { DemoArguments } from './arguments.ts';
import { bundlePath, deployStack, packageStack } from './compiledStack.ts';
import { sendShoppers } from './shoppers.ts';

/** Tasks of each service, as MisterSmith runs them. */
const tasks: Readonly<Record<string, number>> = { orchestrator: 1, agent: 3, 'discovery-engine': 1 };
const callsPerSecond = 30;

const stackName = 'switchback-dev';

/** How long the side without traffic stays up: when the last one breaks, the others start theirs anew. */
const warmSeconds: Readonly<Record<string, number>> = { orchestrator: 6, agent: 5, 'discovery-engine': 5 };
/** Who may take the fire exit at any time keeps the old world up. */
const warmForFireSeconds = 600;

export type MigrationStage = {
  readonly at: Endpoint;
  readonly cloud: LocalCloud;
  readonly store: DynamoEventStore;
  readonly services: readonly string[];
  /** Percent that green, the new side, gets. */
  greenWeight(service: string): Promise<number | null>;
  close(): Promise<void>;
};

type Written = Readonly<Record<string, unknown>>;
type File = { readonly services: Readonly<Record<string, Written>> };

export async function openMigrationStage(
  root: string,
  { port, shopPort, seed, fire }: DemoArguments,
  say: (line: string) => void,
): Promise<MigrationStage> {
  const cloud = await startLocalCloud({
    ...{ port, seed, clock: realClock, metricPeriodSeconds: 1 },
    codePath: bundlePath(root),
  });
  const at: Endpoint = {
    endpoint: cloud.url,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  };
  try {
    say(`a small AWS listens on ${cloud.url}`);
    const targets: Record<string, EcsAlbTarget> = {};
    const services = Object.keys(tasks);
    for (const [index, service] of services.entries()) {
      const target = await openShop(at, shopPort + index, tasks[service] ?? 1, 2, service);
      await watchShop(at, target, service);
      targets[service] = target;
    }
    say(
      `${services.map((name) => `${name} ×${tasks[name]}`).join(', ')}: v1, each behind a weighted balancer`,
    );
    const outputs = await deployStack(at, stackName, await packageFor(root, targets, fire));
    say(`Switchback is deployed: the stack ${stackName}, from the template that sls package makes`);
    const callers = services.map((_, index) =>
      sendShoppers(`http://127.0.0.1:${shopPort + index}/`, callsPerSecond),
    );
    const traffic = awsTraffic(new ElasticLoadBalancingV2Client(at), async () => undefined);
    return {
      ...{ at, cloud, services },
      store: new DynamoEventStore(new DynamoDBClient(at), given(outputs.EventTableName)),
      async greenWeight(service) {
        const reading = await traffic.read(targets[service] as EcsAlbTarget);
        return reading.kind === 'weights' ? reading.greenWeight : null;
      },
      async close() {
        for (const each of callers) each.stop();
        await cloud.close();
      },
    };
  } catch (error) {
    await cloud.close();
    throw error;
  }
}

/** MisterSmith's services, strategies and dependencies with the shop's short times, to be watched. */
function packageFor(
  root: string,
  targets: Readonly<Record<string, EcsAlbTarget>>,
  fire: boolean,
): Promise<string> {
  const read = (example: string): File =>
    parse(readFileSync(join(root, `examples/${example}/switchback.yml`), 'utf8'), { merge: true });
  const short = read('shop').services.shop;
  const smith = read('mistersmith').services;
  const services = Object.entries(targets).map(([name, target]) => {
    const written = smith[name] ?? {};
    const strategy = {
      ...(written.strategy as Written),
      ...{ startPercent: 20, stepPercent: 20, bakeSeconds: 1, finalBakeSeconds: 6 },
      ...{ previewSeconds: 1, autoPromoteSeconds: 1 },
    };
    const alarms = ['blue', 'green'].map((slot) => ({ name: `${name}-${slot}-errors`, slot }));
    const scaleDownDelaySeconds = fire ? warmForFireSeconds : warmSeconds[name];
    const kept = { scaleDownDelaySeconds, fallback: { slot: 'blue' } };
    return [name, { ...short, target, strategy, alarms, dependsOn: written.dependsOn ?? [], ...kept }];
  });
  const work = '.switchback/mistersmith';
  mkdirSync(join(root, work), { recursive: true });
  const configuration = `${work}/switchback.yml`;
  writeFileSync(join(root, configuration), JSON.stringify({ services: Object.fromEntries(services) }));
  return packageStack(root, { work, configuration, stage: 'dev' });
}
