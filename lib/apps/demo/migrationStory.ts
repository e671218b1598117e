/**
 * `npm start -- --example mistersmith`: three services forward in waves; the last one is broken, and all of
 * them go back, dependents first. With `--fire` the event store and the state machines stop answering in the
 * middle of it, and a person takes the fire exit. Every line is an event of the store, or a step of the fire
 * exit's answer.
 */
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import type { MigrationEvent } from '../../../events/migration.ts';
import type { ServiceEvent } from '../../../events/service.ts';
import type { FellBack } from '../../flows/fallBack.ts';
import { registerShop } from './account.ts';
import type { DemoArguments } from './arguments.ts';
import { type Carried, type Discoveries, openDiscoveries } from './discoveries.ts';
import { type MigrationStage, openMigrationStage } from './migrationStage.ts';
import { NatsMissing } from './natsServer.ts';
import { bold, dim, green, isTold, red, sentenceOf, yellow } from './timeline.ts';

const migrationId = 'mistersmith-v2';
/** The longest the story may take before it is given up. */
const storySecondsMax = 150;

/** @returns whether it ended as told */
export async function tellMigration(root: string, options: DemoArguments): Promise<boolean> {
  console.log(bold('\nSwitchback: three services move together, and go back together\n'));
  const stage = await openMigrationStage(root, options, (line) => console.log(dim(`  ${line}`)));
  let discoveries: Discoveries | null = null;
  try {
    discoveries = await openDiscoveries(root, stage.at).catch((error: Error) => {
      if (!(error instanceof NatsMissing)) throw error;
      console.log(yellow(`  without the bridge: ${error.message}`));
      return null;
    });
    if (discoveries !== null)
      console.log(dim('  nats-server and the bridge run: what the agents find becomes events'));
    await begin(stage, options);
    const asTold = options.fire ? await fire(stage) : await takenBack(stage);
    return (discoveries === null || allCarried(await discoveries.ended())) && asTold;
  } finally {
    await discoveries?.close();
    await stage.close();
  }
}

/** Whether everything that the agents said on NATS arrived on the bus, whatever happened meanwhile. */
function allCarried({ said, arrived, example }: Carried): boolean {
  const sentence = `${arrived} of ${said} discoveries, published on NATS meanwhile, arrived as events (${example})`;
  console.log(arrived === said ? green(`The bridge: ${sentence}.\n`) : red(`The bridge: ${sentence}.\n`));
  return arrived === said;
}

async function begin(stage: MigrationStage, { seed }: DemoArguments): Promise<void> {
  const revisions: Record<string, string> = {};
  for (const service of stage.services) {
    const broken = service === 'discovery-engine';
    const fault = broken ? 'errors' : 'none';
    revisions[service] = await registerShop(stage.at, 'v2', fault, 40 + (seed % 10), service);
  }
  const detail = { migrationId, revisions, requestedBy: 'anna@mistersmith.example' };
  const ask = (more: object) =>
    invoke(stage, 'start-migration', {
      ...{ id: `demo-${seed}`, source: 'demo', 'detail-type': 'Switchback Migration Requested' },
      detail: { ...detail, ...more },
    });
  const plan = (await ask({ dryRun: true })) as { waves: string[][]; blastRadius: string[] };
  console.log(bold('\n1. v2 of all three; discovery-engine has a fault that shows after a while\n'));
  console.log(`        waves: ${plan.waves.map((wave) => wave.join(', ')).join('  →  ')}`);
  for (const sentence of plan.blastRadius) console.log(dim(`        if it fails: ${sentence}`));
  console.log('');
  await ask({});
}

async function takenBack(stage: MigrationStage): Promise<boolean> {
  const ended = await follow(stage, (event) => event.type === 'MigrationCompleted');
  const weights = await Promise.all(stage.services.map((service) => stage.greenWeight(service)));
  const asTold =
    ended?.type === 'MigrationCompleted' &&
    ended.outcome === 'rolled-back' &&
    weights.every((weight) => weight === 0);
  console.log(
    asTold
      ? green(bold('\nAs told: discovery-engine broke, and all three are back on v1, dependents first.\n'))
      : red(bold(`\nNot as told: it ended ${JSON.stringify(ended)}, green gets ${weights.join(', ')} %.\n`)),
  );
  return asTold;
}

async function fire(stage: MigrationStage): Promise<boolean> {
  await follow(stage, (event) => event.type === 'TrafficShifted', 'agent');
  console.log(red(bold('\n2. The plug is pulled: DynamoDB and Step Functions stop answering\n')));
  for (const service of ['dynamodb', 'states']) {
    stage.cloud.faults.add({ service, caller: 'fn-', fault: { kind: 'error', status: 500 } });
  }
  console.log(`        npm run fall-back -- --why "nothing answers" --by anna\n`);
  const answer = (await invoke(stage, 'fall-back', { why: 'nothing answers', by: 'anna' })) as FellBack;
  for (const { atMs, ok, service, what } of answer.steps) {
    const line = `${(atMs / 1000).toFixed(2).padStart(7)} s  ${service}: ${what}`;
    console.log(ok ? line : red(line));
  }
  console.log(bold('\n3. The plug is put back: the controller meets what was done, and holds\n'));
  stage.cloud.faults.clear();
  const held = await follow(stage, (event) => event.type === 'RolloutHeld', 'agent');
  const weights = await Promise.all(stage.services.map((service) => stage.greenWeight(service)));
  const asTold = answer.outcome === 'fell-back' && held !== null && weights.every((weight) => weight === 0);
  console.log(
    asTold
      ? green(bold('\nAs told: all traffic is on the old world, the rollout is held, nobody undoes it.\n'))
      : red(bold(`\nNot as told: ${answer.outcome}, green gets ${weights.join(', ')} %.\n`)),
  );
  return asTold;
}

type Told = ServiceEvent | MigrationEvent;

/** Where each stream was read to; what was told is not told again. */
const readTo = new Map<string, number>();
let beganAt = 0;

/**
 * Prints events as they are appended, until one of `of` (a service; the migration itself when absent) is as
 * wanted.
 */
async function follow(
  stage: MigrationStage,
  wanted: (event: Told) => boolean,
  of: string = migrationId,
): Promise<Told | null> {
  beganAt ||= Date.now();
  const streams = [
    ...stage.services.map((service) => [`service/${service}`, service] as const),
    [`migration/${migrationId}`, migrationId] as const,
  ];
  while (Date.now() - beganAt < storySecondsMax * 1000) {
    const news: { name: string; event: Told }[] = [];
    for (const [stream, name] of streams) {
      for await (const { version, event } of stage.store.read(stream, (readTo.get(stream) ?? 0) + 1)) {
        readTo.set(stream, version);
        news.push({ name, event: event as Told });
      }
    }
    for (const { name, event } of news.sort((one, other) => one.event.at - other.event.at))
      print(name, event);
    const found = news.find(({ name, event }) => name === of && wanted(event))?.event ?? null;
    if (found !== null) return found;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return null;
}

function print(name: string, event: Told): void {
  const sentence = isOfMigration(event) ? migrationSentence(event) : isTold(event) ? sentenceOf(event) : null;
  if (sentence === null) return;
  const at = `${(Math.max(0, event.at - beganAt) / 1000).toFixed(1).padStart(6)} s`;
  console.log(`${dim(at)}  ${name.padEnd(18)}${sentence}`);
}

const isOfMigration = (event: Told): event is MigrationEvent =>
  event.type.startsWith('Migration') || event.type.startsWith('Component');

function migrationSentence(event: MigrationEvent): string {
  switch (event.type) {
    case 'MigrationStarted':
      return bold(`migration started in ${event.waves.length} waves, asked for by ${event.requestedBy}`);
    case 'ComponentMigrated':
      return green(bold(`${event.component} is migrated`));
    case 'MigrationRollbackInitiated':
      return red(bold(`${event.blastRadius}; in this order: ${event.order.join(', ')}`));
    case 'ComponentRolledBack':
      return green(`${event.component} is back${event.differences.map((one) => `; ${one}`).join('')}`);
    case 'MigrationHeld':
      return yellow(`held: ${event.reason}`);
    case 'MigrationResumed':
      return `resumed by ${event.by}`;
    case 'MigrationCompleted':
      return bold(`migration ended: ${event.outcome}`);
  }
}

async function invoke(stage: MigrationStage, name: string, payload: object): Promise<unknown> {
  const { FunctionError, Payload } = await new LambdaClient(stage.at).send(
    new InvokeCommand({ FunctionName: `switchback-dev-${name}`, Payload: JSON.stringify(payload) }),
  );
  const text = Buffer.from(Payload ?? []).toString();
  if (FunctionError !== undefined) throw new Error(`${name}: ${text}`);
  return JSON.parse(text);
}
