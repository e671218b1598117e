// What Switchback costs: one rollout really run on the wire and counted call by call, priced by a dated
// table; what a service costs while nothing happens; and for 1, 100 and 10 000 services what binds first.
// Durations of functions are this machine's; calls, sizes, transitions and lines of log are what they are.
import { fileURLToPath } from 'node:url';
import { type Counted, countRollout } from './cost/counted.ts';
import { dollarsOf, lineDollars, metersIn, prices, readOn, total, type Usage } from './cost/prices.ts';
import { bounds, busRulesMax, type Size, sizeOf, stackResourcesMax } from './cost/quotas.ts';
import type { BenchArguments } from './main.ts';

const goals = { rolloutDollars: 0.1, idleServiceDollars: 0.01 };

const rollout = { hours: 3, looks: 180 };
const minutesPerMonth = 730 * 60;
/** A release of every service on each working day, within working hours. */
const releases = { perMonth: 20, workingHoursPerMonth: 176 };
const idleServices = 100;

/** Lambda polls each queue with five requests that wait twenty seconds; two queues are standard, one FIFO. */
const pollsPerMonth = (5 * minutesPerMonth * 60) / 20;

export async function run({ full }: BenchArguments): Promise<object> {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const counted = await countRollout(full ? 16 : 5);
  const sizes = await Promise.all([1, 100, 10_000].map((services) => sizeOf(root, services)));
  const usages = {
    rollout: ofRollout(counted),
    stage: ofStage(counted, sizes[0] as Size),
    idleService: ofIdleService(counted),
  };
  const dollars = {
    rollout: dollarsOf(usages.rollout),
    stageMonth: dollarsOf(usages.stage),
    idleServiceMonth: dollarsOf(usages.idleService),
  };
  console.log(`\nlist prices of us-east-1, without the free tier, read on ${readOn}`);
  bill(
    `a rollout of ${rollout.hours} hours, ${rollout.looks} looks (${counted.looks} were counted)`,
    usages.rollout,
  );
  bill('a stage, a month, whatever its services', usages.stage);
  bill('an idle service in it, a month, beside its alarms', usages.idleService);
  const scale = sizes.map((size) => scaled(size, dollars));
  showScale(scale);
  const first = bounds(counted);
  showBounds(first);
  const verdicts = [
    verdict(`a rollout of ${rollout.hours} hours`, dollars.rollout, goals.rolloutDollars),
    verdict('an idle service beside its stage, a month,', dollars.idleServiceMonth, goals.idleServiceDollars),
  ];
  console.log('');
  for (const { goal, met, dollars: found } of verdicts) {
    console.log(`  ${met ? 'met   ' : 'MISSED'} ${goal}: $${found.toPrecision(2)}`);
  }
  return {
    goals,
    pricesReadOn: readOn,
    looks: counted.looks,
    dollars,
    usages,
    scale,
    bounds: first,
    verdicts,
  };
}

/** Each minute a look, and reconcile meets it in its pass. */
const ofRollout = ({ look, rest, activePass, idlePass }: Counted): Usage =>
  total([1, rest], [rollout.looks, look], [rollout.looks, activePass], [-rollout.looks, idlePass]);

const ofStage = ({ idlePass }: Counted, { controllerAlarms }: Size): Usage =>
  total(
    [minutesPerMonth, idlePass],
    [minutesPerMonth, { traces: 1 }],
    [pollsPerMonth, { queueRequests: 2, fifoRequests: 1 }],
    [1, { keys: 1, keyRequests: keyRequestsPerMonth, alarms: controllerAlarms, dashboards: 1 }],
  );

/** DynamoDB asks for the table's key again after five minutes of use. */
const keyRequestsPerMonth = minutesPerMonth / 5;

/** What a hundred more in the table add to a pass, and the largest HEAD there may be. */
const ofIdleService = ({ idlePass, idlePassOfMany }: Counted): Usage =>
  positive(
    total(
      [minutesPerMonth / idleServices, idlePassOfMany],
      [-minutesPerMonth / idleServices, idlePass],
      [1, { storedGigabytes: 4 / 1024 ** 2 }],
    ),
  );

/** Two measured durations may differ either way; nothing costs less than nothing. */
const positive = (usage: Usage): Usage =>
  Object.fromEntries(metersIn(usage).map((meter) => [meter, Math.max(0, usage[meter] ?? 0)]));

function verdict(goal: string, dollars: number, limit: number) {
  return { goal: `${goal} costs less than $${limit}`, dollars, met: dollars < limit };
}

type Dollars = { readonly rollout: number; readonly stageMonth: number; readonly idleServiceMonth: number };

function scaled(
  { services, resources, rules }: Size,
  { rollout: one, stageMonth, idleServiceMonth }: Dollars,
) {
  const idle = stageMonth + services * idleServiceMonth;
  return {
    services,
    idleDollars: idle,
    monthDollars: idle + services * releases.perMonth * one,
    rolloutsAtOnce: (services * releases.perMonth * rollout.hours) / releases.workingHoursPerMonth,
    resources,
    rules,
  };
}

function bill(title: string, usage: Usage): void {
  console.log(`\n${title}: $${dollarsOf(usage).toPrecision(3)}`);
  for (const meter of metersIn(usage)) {
    const { unit, dollars, per } = prices[meter];
    const count = (usage[meter] ?? 0).toPrecision(4).padStart(12);
    const price = dollars === 0 ? '' : `$${dollars} / ${per}`;
    console.log(`  ${count} ${unit.padEnd(44)}${price.padEnd(22)}$${lineDollars(meter, usage).toFixed(6)}`);
  }
}

type Scaled = ReturnType<typeof scaled>;

function showScale(scale: readonly Scaled[]): void {
  console.log(
    `\none stage with so many services, each released ${releases.perMonth} times a month in working hours`,
  );
  console.log(
    '  services   idle, a month   with releases   rollouts at once   stack resources   rules on a bus',
  );
  for (const { services, idleDollars, monthDollars, rolloutsAtOnce, resources, rules } of scale) {
    const cells = [
      String(services).padStart(10),
      `$${idleDollars.toFixed(2)}`.padStart(16),
      `$${monthDollars.toFixed(2)}`.padStart(16),
      rolloutsAtOnce.toFixed(1).padStart(19),
      `${resources}${resources > stackResourcesMax ? ' (over)' : ''}`.padStart(18),
      `${rules}${rules > busRulesMax ? ' (over)' : ''}`.padStart(17),
    ];
    console.log(cells.join(''));
  }
  const [one, more] = scale as [Scaled, Scaled];
  const each = (more.resources - one.resources) / (more.services - one.services);
  const most = Math.floor(1 + (stackResourcesMax - one.resources) / each);
  console.log(
    `  a stack holds ${stackResourcesMax} resources, ${most} such services; a bus holds ${busRulesMax} rules`,
  );
}

function showBounds(all: ReturnType<typeof bounds>): void {
  console.log('\nquotas of an account in one region, the tightest first');
  for (const { what, page, perSecond, perRollout, rolloutsMax } of all) {
    const calls = `${(perRollout * 60).toFixed(1)} a minute per rollout, ${perSecond} a second granted`;
    console.log(
      `  ${what.padEnd(36)}${calls.padEnd(52)}${Math.floor(rolloutsMax)} rollouts at once (${page})`,
    );
  }
}
