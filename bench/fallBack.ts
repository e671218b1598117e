// The fire exit on the local cloud: AWS round trips before the traffic moves, and the function's own time.
// Beside it what a person with the `aws` command needs for the same write, and the bare SDK call.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { ElasticLoadBalancingV2Client, ModifyRuleCommand } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { RequestEntry } from '../lib/local/endpoint.ts';
import { openWire, type Wire } from '../test/e2e/wire.ts';
import type { BenchArguments } from './main.ts';

const roundTripsMax = 2;
const aws = '/usr/bin/aws';

export async function run({ full }: BenchArguments): Promise<object> {
  const wire = await openWire({ shiftTimeoutSeconds: 0, 'fallback.scaleDown': false });
  try {
    await wire.traffic.markStable(wire.target, 'blue', 0);
    const marked = await invocations(wire, {}, full ? 200 : 40);
    const said = await invocations(wire, { slot: 'blue' }, full ? 200 : 40);
    const bare = await bareCalls(wire, full ? 200 : 40);
    const byHand = existsSync(aws) ? await commands(wire, full ? 10 : 3) : null;
    say('slot by the mark', marked);
    say('slot said', said);
    console.log(`bare SDK call (warm): ${median(bare)} ms`);
    console.log(
      byHand === null ? `${aws} is not here` : `aws elbv2 modify-rule by hand: ${median(byHand)} ms`,
    );
    return {
      markedRoundTrips: marked.roundTrips,
      markedColdMs: marked.coldMs,
      markedWarmMs: marked.warmMs,
      markedOwnMs: marked.ownMs,
      saidRoundTrips: said.roundTrips,
      saidWarmMs: said.warmMs,
      saidOwnMs: said.ownMs,
      bareMs: median(bare),
      byHandMs: byHand === null ? null : median(byHand),
    };
  } finally {
    await wire.close();
  }
}

type Figures = {
  readonly roundTrips: number;
  /**
   * From the call to the write that moves the traffic being answered: the first time, and the median
   * afterwards.
   */
  readonly coldMs: number;
  readonly warmMs: number;
  /** The same without the time spent inside the cloud. */
  readonly ownMs: number;
};

async function invocations(wire: Wire, slot: object, count: number): Promise<Figures> {
  const times: number[] = [];
  const own: number[] = [];
  let roundTrips = 0;
  wire.cloud.killFunction('switchback-fall-back');
  for (let i = 0; i < count; i++) {
    await wire.traffic.shift(wire.target, 'green', 50);
    const from = wire.requests.length;
    const startedAt = wire.cloud.clock.now();
    const { payload } = await wire.invoke('fall-back', { service: 'shop', why: 'bench', ...slot });
    if (payload.outcome !== 'fell-back') throw new Error(`not fallen back: ${JSON.stringify(payload)}`);
    const made = wire.requests.slice(from).filter(({ caller }) => caller.startsWith('fn-switchback-fall'));
    const moving = made.findIndex(({ operation }) => operation === 'ModifyRule');
    const write = made[moving] as RequestEntry;
    const ms = write.at + write.durationMs - startedAt;
    roundTrips = Math.max(roundTrips, moving);
    times.push(ms);
    own.push(ms - made.slice(0, moving + 1).reduce((sum, { durationMs }) => sum + durationMs, 0));
  }
  return {
    roundTrips,
    coldMs: rounded(times[0]),
    warmMs: median(times.slice(1)),
    ownMs: median(own.slice(1)),
  };
}

async function bareCalls({ at, target }: Wire, count: number): Promise<number[]> {
  const client = new ElasticLoadBalancingV2Client(at);
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const began = performance.now();
    await client.send(new ModifyRuleCommand({ RuleArn: target.ruleArn, Actions: forward(target, i % 2) }));
    times.push(performance.now() - began);
  }
  return times.slice(1);
}

async function commands({ at, target }: Wire, count: number): Promise<number[]> {
  const times: number[] = [];
  const env = {
    ...{ PATH: process.env.PATH, AWS_DEFAULT_REGION: at.region },
    ...{ AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' },
  };
  for (let i = 0; i < count; i++) {
    const actions = JSON.stringify(forward(target, i % 2));
    const call = ['--endpoint-url', at.endpoint, 'elbv2', 'modify-rule', '--rule-arn', target.ruleArn];
    const began = performance.now();
    await promisify(execFile)(aws, [...call, '--actions', actions], { env });
    times.push(performance.now() - began);
  }
  return times;
}

const forward = ({ targetGroups: { blue, green } }: Wire['target'], toGreen: number) => [
  {
    Type: 'forward' as const,
    ForwardConfig: {
      TargetGroups: [
        { TargetGroupArn: blue, Weight: 100 - toGreen },
        { TargetGroupArn: green, Weight: toGreen },
      ],
    },
  },
];

function say(what: string, { roundTrips, coldMs, warmMs, ownMs }: Figures): void {
  const goal = `goal: at most ${roundTripsMax}`;
  console.log(`${what}: ${roundTrips} round trips before the traffic moves (${goal})`);
  console.log(`  traffic moved after ${coldMs} ms cold, ${warmMs} ms warm, of which its own ${ownMs} ms`);
}

const median = (times: readonly number[]): number =>
  rounded(times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)]);
const rounded = (ms = 0): number => Number(ms.toPrecision(3));
