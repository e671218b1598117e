/**
 * Rollbacks on the wire, one after the other: the built bundles, the shop's real processes, and a small AWS
 * that says when each call came and how long it took to answer. What is left of the time is ours.
 */
import { CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import type { ServiceEvent } from '../../events/service.ts';
import type { RequestEntry } from '../../lib/local/endpoint.ts';
import { openWire, type Wire } from '../../test/e2e/wire.ts';
import { until } from '../../test/until.ts';

export type Step = { readonly name: string; readonly from: number; readonly to: number };

export type Round = {
  /** Whether on-alarm's process had to start first. */
  readonly cold: boolean;
  /** Calls on-alarm had answered before it asked the balancer to move the traffic. */
  readonly roundTrips: readonly string[];
  /** From the invocation to that call, milliseconds, without the endpoint's. */
  readonly ownMs: number;
  /** The whole invocation, as it is billed, without the endpoint's. */
  readonly ownWholeMs: number;
  /** Milliseconds since the first bad answer, or since the alarm where nobody was hurt. */
  readonly waterfall: readonly Step[];
};

const service = {
  strategy: {
    kind: 'canary',
    stepPercentMax: 60,
    finalFromPercent: 40,
    steps: [{ weight: 50, bakeSeconds: 900 }, { weight: 100 }],
  },
  evaluateSeconds: 600, // the alarm's way alone is measured
  scaleDownDelaySeconds: 0,
  shiftTimeoutSeconds: 1,
};

const caller = 'fn-switchback-on-alarm-';
const functionName = 'switchback-on-alarm';

export async function measureRounds(warm: number): Promise<readonly Round[]> {
  const starts: number[] = [];
  const ends: { readonly at: number; readonly durationMs: number }[] = [];
  const wire = await openWire(service, {
    onFunctionLog(line) {
      if (line.functionName !== functionName) return;
      if (line.line.startsWith('START ')) starts.push(Date.now());
      const [, duration] = /^REPORT .*?\sDuration: ([\d.]+) ms/.exec(line.line) ?? [];
      if (duration !== undefined) ends.push({ at: Date.now(), durationMs: Number(duration) });
    },
  });
  try {
    const rounds: Round[] = [];
    for (let number = 0; number <= warm; number++) {
      rounds.push(await round(wire, starts, ends, number === 0 ? 'errors' : 'none'));
    }
    return rounds;
  } finally {
    await wire.close();
  }
}

/** The first round is a release that fails its users; in the others the alarm is rung by hand. */
async function round(
  wire: Wire,
  starts: number[],
  ends: { readonly at: number; readonly durationMs: number }[],
  fault: 'errors' | 'none',
): Promise<Round> {
  await until('the last round is forgotten', async () => {
    const { MetricAlarms = [] } = await new CloudWatchClient(wire.at).send(new DescribeAlarmsCommand({}));
    return MetricAlarms.every(({ StateValue }) => StateValue !== 'ALARM');
  });
  const { before } = await wire.request({}, fault);
  const rollout = await started(wire, before);
  await wire.phase('baking');
  starts.length = 0;
  ends.length = 0;
  const asked = wire.requests.length;
  const cold = !wire.requests.some((entry) => entry.caller.startsWith(caller));
  const hurtAt = await (fault === 'errors'
    ? untilHurt(wire)
    : rung(wire, `shop-${rollout.canarySlot}-errors`));
  await wire.phase('rolled-back');
  const events = await wire.events(before + 1);
  await until('the invocation is over', () => ends.length > 0);
  const calls = wire.requests.slice(asked).filter((entry) => entry.caller.startsWith(caller));
  const moved = calls.findIndex(({ operation }) => operation === 'ModifyRule');
  const move = calls[moved];
  const start = starts[0];
  if (move === undefined || start === undefined) throw new Error('on-alarm did not move the traffic');
  // Later invocations, of the alarm that is OK again, are not this one's.
  const end = ends[0] ?? { at: start, durationMs: 0 };
  const within = calls.filter(({ at }) => at <= end.at);
  const earlier = calls.slice(0, moved);
  return {
    cold,
    roundTrips: earlier.map(({ operation }) => operation),
    ownMs: move.at - start - spent(earlier),
    ownWholeMs: end.durationMs - spent(within),
    waterfall: waterfall({ hurtAt, start, calls, move, events }),
  };
}

const spent = (calls: readonly RequestEntry[]): number =>
  calls.reduce((sum, { durationMs }) => sum + durationMs, 0);

async function started(wire: Wire, before: number) {
  const rollout = await until('started', async () => {
    const found = (await wire.events(before + 1)).find((event) => event.type === 'RolloutStarted');
    return found?.type === 'RolloutStarted' ? found : null;
  });
  // More is taken back here than in a day anywhere: the flap guard holds the start, and a person lets it go
  // on.
  if ((await wire.state())?.rollout.phase === 'held') await wire.operate('resume');
  return rollout;
}

/** Visits the shop until the rollback is decided; answers when the first bad answer came. */
async function untilHurt(wire: Wire): Promise<number> {
  let hurtAt: number | null = null;
  const visiting = setInterval(() => {
    void fetch(wire.shopUrl).then(({ status }) => {
      if (status >= 500) hurtAt ??= Date.now();
    });
  }, 20);
  await wire.phase('rolled-back').finally(() => clearInterval(visiting));
  if (hurtAt === null) throw new Error('nobody met the fault, and it was taken back');
  return hurtAt;
}

async function rung(wire: Wire, alarm: string): Promise<number> {
  const at = Date.now();
  await wire.ring(alarm);
  return at;
}

type Marks = {
  readonly hurtAt: number;
  readonly start: number;
  readonly calls: readonly RequestEntry[];
  readonly move: RequestEntry;
  readonly events: readonly ServiceEvent[];
};

function waterfall({ hurtAt, start, calls, move, events }: Marks): readonly Step[] {
  const received = events.find((event) => event.type === 'AlarmReceived' && event.state === 'ALARM');
  const alarmAt = received?.type === 'AlarmReceived' ? received.changedAt : hurtAt;
  const movedAt = move.at + move.durationMs;
  const confirm = calls.find(({ operation, at }) => operation === 'DescribeRules' && at >= movedAt - 1);
  const confirmedAt = confirm === undefined ? movedAt : confirm.at + confirm.durationMs;
  const recorded = calls.find(({ operation, at }) => operation === 'PutItem' && at >= confirmedAt - 1);
  const recordedAt = recorded === undefined ? confirmedAt : recorded.at + recorded.durationMs;
  const completedAt = events.find(({ type }) => type === 'RollbackCompleted')?.at ?? recordedAt;
  const marks: readonly (readonly [string, number, number])[] = [
    ['fault → alarm', hurtAt, alarmAt],
    ['alarm → on-alarm runs', alarmAt, start],
    ['read, decide, append', start, move.at],
    ['weight 0', move.at, movedAt],
    ['confirmed by a read', movedAt, confirmedAt],
    ['recorded', confirmedAt, recordedAt],
    ['scaled down, verified', recordedAt, completedAt],
  ];
  return marks.map(([name, from, to]) => ({ name, from: from - hurtAt, to: Math.max(from, to) - hurtAt }));
}
