// How fast days go by in the simulation: full rollouts of three hours, judged every minute, on one core. Then
// the same with everything that a seed draws. --full plays longer.
import { drawScenario } from '../lib/apps/simulate/draw.ts';
import { run as play } from '../lib/apps/simulate/run.ts';
import type { Scenario } from '../lib/apps/simulate/scenario.ts';
import { seedOf } from '../lib/sim/random.ts';
import type { BenchArguments } from './main.ts';

/** Three-hour rollouts a second on one core: of processor time, whatever its threads did. */
const goal = 50;

const rolloutMinutes = 180;
/** Six steps of half an hour: 180 looks, each at all minutes since the start. */
const bakeSeconds = 1800;

/** A good release that goes all the way: the longest way there is. */
function threeHours(seed: number): Scenario {
  const steps = [2, 5, 10, 25, 50].map((weight) => ({ weight, bakeSeconds }));
  return {
    seed,
    services: {
      shop: {
        revision: 'shop:1',
        tasks: 3,
        requestsPerSecond: 50,
        bounds: { min: 1, max: 10 },
        configuration: {
          strategy: {
            kind: 'canary',
            stepPercentMax: 60,
            finalFromPercent: 50,
            steps: [...steps, { weight: 100, bakeSeconds }],
          },
          alarms: [
            { name: 'shop-blue-errors', slot: 'blue' },
            { name: 'shop-green-errors', slot: 'green' },
          ],
          analysis: { dataDelaySeconds: 60, minimumRequests: 50, dispersion: { historyMinutes: 30 } },
          evaluateSeconds: 60,
          rolloutTimeoutSeconds: 4 * 3600,
        },
      },
    },
    behaviours: {},
    alarms: [
      { name: 'shop-blue-errors', service: 'shop', slot: 'blue', errorRate: 0.05, minutes: 1 },
      { name: 'shop-green-errors', service: 'shop', slot: 'green', errorRate: 0.05, minutes: 1 },
    ],
    happenings: [{ atSeconds: 5, what: 'request', service: 'shop', revision: 'shop:2', rolloutId: 'r1' }],
    faults: [],
    metricTroubles: [],
    alarmTroubles: [],
    latency: { lowMs: 2, highMs: 20 },
    skewMsMax: 0,
    minutes: rolloutMinutes,
  };
}

/** By the clock, and by the time the processor spent on it: others may use the same cores. */
type Figures = {
  readonly runsPerSecond: number;
  readonly runsPerCpuSecond: number;
  readonly virtualToReal: number;
  readonly virtualToCpu: number;
};

async function measure(runs: number, scenarioOf: (nth: number) => Scenario): Promise<Figures> {
  const cpuBefore = process.cpuUsage();
  const beganAt = performance.now();
  let virtualSeconds = 0;
  for (let nth = 0; nth < runs; nth++) {
    const { findings, minutes } = await play(scenarioOf(nth));
    if (findings.length > 0) throw new Error(`run ${nth}: ${JSON.stringify(findings)}`);
    virtualSeconds += minutes * 60;
  }
  const seconds = (performance.now() - beganAt) / 1000;
  const { user, system } = process.cpuUsage(cpuBefore);
  const cpuSeconds = (user + system) / 1e6;
  return {
    runsPerSecond: runs / seconds,
    runsPerCpuSecond: runs / cpuSeconds,
    virtualToReal: virtualSeconds / seconds,
    virtualToCpu: virtualSeconds / cpuSeconds,
  };
}

export async function run({ full, seed }: BenchArguments): Promise<object> {
  const runs = full ? 1200 : 200;
  // As the simulator's own threads run it: faults are told by name.
  Error.stackTraceLimit = 0;
  // Code is still being compiled during the first few hundred runs; a night of seeds plays a million.
  await measure(300, (nth) => threeHours(seedOf(seed, 'warm', nth)));
  const threeHour = await measure(runs, (nth) => threeHours(seedOf(seed, nth)));
  const drawn = await measure(runs * 2, (nth) => drawScenario(seedOf(seed, 'drawn', nth) >>> 1));
  console.log(
    `${''.padEnd(42)} ${'/s'.padStart(8)} ${'/s of CPU'.padStart(10)} ${'× real time'.padStart(12)}`,
  );
  const shown = (what: string, { runsPerSecond, runsPerCpuSecond, virtualToCpu }: Figures) =>
    console.log(
      `${what.padEnd(42)} ${runsPerSecond.toFixed(1).padStart(8)} ${runsPerCpuSecond.toFixed(1).padStart(10)} ` +
        `${Math.round(virtualToCpu).toString().padStart(12)}`,
    );
  shown('three-hour rollouts, judged every minute', threeHour);
  shown('days drawn from seeds, with their faults', drawn);
  const met = threeHour.runsPerCpuSecond >= goal;
  console.log(
    `  ${met ? 'met   ' : 'MISSED'} ${goal} three-hour rollouts a second of one core: ${threeHour.runsPerCpuSecond.toFixed(1)}`,
  );
  return { goal, met, threeHour, drawn };
}
