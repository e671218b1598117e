/**
 * `npm run chaos`: releases, good and bad, on the local cloud, while its calls fail, processes are killed and
 * people interfere; the promises are checked after each. Ends with the counts, and not with 0 where one
 * broke.
 */
import { EventBridgeClient, PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge';
import { CreateQueueCommand, GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { SeededRandom } from '../../sim/random.ts';
import { isBad } from '../demo/shoppers.ts';
import { chaosArguments } from './arguments.ts';
import { People } from './people.ts';
import { openStage, type Stage, stack, stream } from './stage.ts';
import { count, type Tally } from './trouble.ts';
import { busQueue, hearTheBus, judge } from './verdict.ts';
import { watch } from './witness.ts';

const root = new URL('../../..', import.meta.url).pathname;

async function main(argv: readonly string[]): Promise<void> {
  const { minutes, seed } = chaosArguments(argv, () => Math.floor(Math.random() * 2 ** 31));
  console.log(`chaos --minutes ${minutes} --seed ${seed}`);
  const began = Date.now();
  const say = (line: string) => {
    const seconds = ((Date.now() - began) / 1000).toFixed(1).padStart(7);
    console.log(`${seconds} s  ${line}`);
  };
  const stage = await openStage(root, seed);
  const tally: Tally = new Map();
  let broken: readonly string[] = [];
  try {
    broken = await rounds(stage, { until: began + minutes * 60_000, seed, tally, say });
    report(stage, tally, seed, (Date.now() - began) / 60_000);
  } finally {
    await stage.close();
  }
  for (const one of broken) console.log(`BROKEN  ${one}`);
  console.log(broken.length === 0 ? 'every promise held' : `${broken.length} promises broke: seed ${seed}`);
  process.exitCode = broken.length === 0 ? 0 : 1;
}

type Run = {
  readonly until: number;
  readonly seed: number;
  readonly tally: Tally;
  readonly say: (line: string) => void;
};

async function rounds(stage: Stage, { until, seed, tally, say }: Run): Promise<readonly string[]> {
  const witness = await watch(stage);
  const bus = hearTheBus(stage, await busListener(stage));
  const people = new People(stage, new SeededRandom(seed), tally, say);
  const leaveHouse = people.keepHouse();
  const broken = new Set<string>();
  while (Date.now() < until) {
    count(tally, 'rounds');
    const before = stage.lines.length;
    const open = await people.round(bus);
    const found = [
      ...open.map((what) => `nothing is left over: ${what}`),
      ...bus.skipped.map((what) => `everything is published: ${what}`),
      ...(await judge(stage, witness, people.bad)).map(({ check, says }) => `${check}: ${says}`),
    ].filter((one) => !broken.has(one));
    for (const one of found) {
      broken.add(one);
      say(`BROKEN  ${one}`);
    }
    if (found.length > 0) await showWhatHappened(stage, before, say);
  }
  leaveHouse();
  await witness.stop();
  for (const { by } of witness.shifts.slice(1)) count(tally, `moves of the balancer by ${by.split('#')[0]}`);
  return [...broken];
}

/** The newest events, and what the functions printed in this round but for Lambda's own lines. */
async function showWhatHappened(stage: Stage, before: number, say: (line: string) => void): Promise<void> {
  const events = await Array.fromAsync(stage.store.read(stream));
  for (const { version, event, actor } of events.slice(-25)) {
    say(`  #${version} ${JSON.stringify(event).slice(0, 180)} by ${actor}`);
  }
  const lines = stage.lines.slice(before).filter((line) => line.includes('{"at"'));
  for (const line of lines.slice(-60)) say(`  ${line.slice(0, 260)}`);
}

async function busListener({ at }: Stage): Promise<string> {
  const sqs = new SQSClient(at);
  const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: busQueue }));
  const attributes = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] });
  const { Attributes } = await sqs.send(attributes);
  const rules = new EventBridgeClient(at);
  const EventPattern = JSON.stringify({ source: ['switchback'] });
  await rules.send(new PutRuleCommand({ EventBusName: stack, Name: busQueue, EventPattern }));
  const Targets = [{ Id: 'queue', Arn: Attributes?.QueueArn }];
  await rules.send(new PutTargetsCommand({ EventBusName: stack, Rule: busQueue, Targets }));
  return QueueUrl;
}

function report({ cloud, shoppers, lines }: Stage, tally: Tally, seed: number, minutes: number): void {
  const struck = new Map<string, number>();
  // The witness's own rule never strikes.
  for (const { rule } of cloud.faults.strikes) count(struck, `struck by ${rule.fault.kind}`);
  console.log(`\n${minutes.toFixed(1)} minutes, seed ${seed}`);
  const rows = [
    ...tally,
    ...struck,
    [
      'calls of functions that ended badly',
      lines.filter((line) => line.includes('"message":"failed"')).length,
    ],
    ['visits', shoppers.visits.length],
    ['bad visits', shoppers.visits.filter(isBad).length],
  ] as const;
  for (const [what, number] of rows) console.log(`${String(number).padStart(8)}  ${what}`);
}

await main(process.argv.slice(2));
