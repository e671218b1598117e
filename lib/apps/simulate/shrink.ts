/**
 * Makes a failing scenario short: whatever can be left out while the same check still fails is left out
 * (delta debugging, Zeller and Hildebrandt 2002, on windows of faults first, then on the single hits in
 * them).
 */
import { run } from './run.ts';
import type { Scenario } from './scenario.ts';

export type Shrunk = { readonly scenario: Scenario; readonly runs: number };

/** Tries before what was reached so far has to do. */
const runsMax = 600;

/** Everything that may be left out piece by piece. */
type List = 'faults' | 'happenings' | 'metricTroubles' | 'alarmTroubles' | 'alarms';
const lists: readonly List[] = ['faults', 'happenings', 'metricTroubles', 'alarmTroubles', 'alarms'];

/** @param check whose finding has to stay */
export async function shrink(scenario: Scenario, check: string, tries = runsMax): Promise<Shrunk> {
  let runs = 0;
  const fails = async (candidate: Scenario): Promise<boolean> => {
    if (runs >= tries) return false;
    runs++;
    const findings = await run(candidate).then(
      (outcome) => outcome.findings,
      () => [{ check: 'the run comes to an end' }],
    );
    return findings.some((finding) => finding.check === check);
  };
  let short = await shortLists(scenario, fails);
  short = await simpler(short, fails);
  // A window that is needed is replaced by what it really hit.
  const { hits } = await run(short).catch(() => ({ hits: short.faults }));
  const exact = { ...short, faults: hits };
  if (hits.length > 0 && (await fails(exact))) short = await shortLists(exact, fails);
  return { scenario: await simpler(short, fails), runs };
}

type Fails = (candidate: Scenario) => Promise<boolean>;

async function shortLists(scenario: Scenario, fails: Fails): Promise<Scenario> {
  let short = scenario;
  for (const list of lists) {
    const items = await fewest<unknown>(short[list], (some) => fails({ ...short, [list]: some }));
    short = { ...short, [list]: items };
  }
  return short;
}

/** The fewest of them that still do, as far as leaving out whole stretches finds it. */
async function fewest<T>(
  items: readonly T[],
  still: (some: readonly T[]) => Promise<boolean>,
): Promise<readonly T[]> {
  if (items.length === 0 || (await still([]))) return [];
  let left = items;
  let size = Math.ceil(left.length / 2);
  for (;;) {
    let from = 0;
    while (from < left.length) {
      const without = [...left.slice(0, from), ...left.slice(from + size)];
      if (without.length < left.length && (await still(without))) left = without;
      else from += size;
    }
    if (size === 1) return left;
    size = Math.ceil(size / 2);
  }
}

/** One service after the other, what revisions do, clocks, latencies, and the time it takes. */
async function simpler(scenario: Scenario, fails: Fails): Promise<Scenario> {
  let short = scenario;
  const attempt = async (change: Partial<Scenario>): Promise<void> => {
    const candidate = { ...short, ...change };
    if (JSON.stringify(candidate) !== JSON.stringify(short) && (await fails(candidate))) short = candidate;
  };
  for (const service of Object.keys(scenario.services).reverse()) {
    const { [service]: _, ...services } = short.services;
    if (Object.keys(services).length > 0) await attempt(withoutService({ ...short, services }, service));
  }
  for (const revision of Object.keys(short.behaviours)) {
    const { [revision]: _, ...behaviours } = short.behaviours;
    await attempt({ behaviours });
  }
  await attempt({ skewMsMax: 0 });
  await attempt({ latency: { lowMs: 1, highMs: 10 } });
  for (const minutes of [10, 20, 30, 45]) {
    if (minutes < short.minutes) await attempt({ minutes });
  }
  return short;
}

/** What is told of a service that is not there goes with it. */
function withoutService(scenario: Scenario, service: string): Scenario {
  const { services, happenings, alarms, metricTroubles, alarmTroubles } = scenario;
  const rest = Object.fromEntries(
    Object.entries(services).map(([name, one]) => {
      const dependsOn = (one.configuration.dependsOn ?? []) as readonly string[];
      const left = dependsOn.filter((other) => other !== service);
      return [name, { ...one, configuration: { ...one.configuration, dependsOn: left } }];
    }),
  );
  const names = new Set(alarms.filter((alarm) => alarm.service === service).map(({ name }) => name));
  return {
    ...scenario,
    services: rest,
    happenings: happenings.filter(
      (one) =>
        !('service' in one && one.service === service) &&
        !(one.what === 'set-alarm' && one.alarm.startsWith(`${service}-`)),
    ),
    alarms: alarms.filter((alarm) => alarm.service !== service),
    metricTroubles: metricTroubles.filter((trouble) => trouble.service !== service),
    alarmTroubles: alarmTroubles.filter(({ alarm }) => !names.has(alarm)),
  };
}
