/**
 * Days of one service that are just long enough for one thing to happen: where every point of something is
 * tried, the day around it has to be short. Together they run every function there is.
 */
import type { Behaviour } from '../../../sim/behaviour.ts';
import type { Pace } from '../run.ts';
import type { Happening, Scenario } from '../scenario.ts';

export const shortPace: Pace = { attendMinutes: 4, restMinutes: 2 };

const good = { errorRate: 0.0005, medianMs: 80 };
const failing: Behaviour = { ...good, turned: { errorRate: 0.5, medianMs: 80 }, turnsAfterSeconds: 0 };

const request = (atSeconds = 5, revision = 'shop:2', rolloutId = 'r1'): Happening => ({
  ...{ atSeconds, what: 'request', service: 'shop', revision, rolloutId },
});

type Operation = Extract<Happening, { what: 'operate' }>['operation'];

const operate = (atSeconds: number, operation: Operation): Happening => ({
  ...{ atSeconds, what: 'operate', service: 'shop', operation, why: 'the day says so' },
});

type Day = {
  readonly happenings: readonly Happening[];
  readonly minutes: number;
  readonly behaviours?: Scenario['behaviours'];
  readonly approval?: 'manual';
  readonly configuration?: Readonly<Record<string, unknown>>;
};

const days = {
  promoted: { happenings: [request()], minutes: 6 },
  'rolled back by an alarm': { happenings: [request()], minutes: 5, behaviours: { 'shop:2': failing } },
  'approved by a person': {
    happenings: [request(), operate(240, 'approve')],
    minutes: 6,
    approval: 'manual',
  },
  'aborted after the promotion': { happenings: [request(), operate(290, 'abort')], minutes: 7 },
  'left by the fire exit': {
    happenings: [request(), { atSeconds: 60, what: 'fire-exit', service: 'shop' }, operate(150, 'resume')],
    minutes: 9,
  },
  superseded: {
    happenings: [request(), request(60, 'shop:3', 'r2')],
    minutes: 8,
    configuration: { whileActive: 'supersede' },
  },
  'given up in its preparation': {
    happenings: [request()],
    minutes: 8,
    behaviours: { 'shop:2': { ...good, starts: false } },
  },
  'moved by a hand': {
    happenings: [
      request(),
      { atSeconds: 60, what: 'shift-by-hand', service: 'shop', greenWeight: 0 },
      operate(100, 'resume'),
    ],
    minutes: 8,
  },
} as const satisfies Readonly<Record<string, Day>>;

export type DayName = keyof typeof days;
export const dayNames = Object.keys(days) as DayName[];

/**
 * Two tasks, 400 requests a second, steps of 50 and 100 %, a bake of a minute that takes three to be judged.
 */
export function shortDay(name: DayName): Scenario {
  const { happenings, minutes, behaviours, approval, configuration }: Day = days[name];
  const last = { weight: 100, bakeSeconds: 0, ...(approval === undefined ? {} : { approval }) };
  return {
    seed: 1,
    services: {
      shop: {
        revision: 'shop:1',
        tasks: 2,
        requestsPerSecond: 400,
        bounds: { min: 1, max: 10 },
        configuration: {
          strategy: {
            kind: 'canary',
            stepPercentMax: 80,
            finalFromPercent: 50,
            steps: [{ weight: 50, bakeSeconds: 60 }, last],
          },
          alarms: [
            { name: 'shop-blue-errors', slot: 'blue' },
            { name: 'shop-green-errors', slot: 'green' },
          ],
          analysis: {
            ...{ dataDelaySeconds: 60, minimumRequests: 20, dispersion: { historyMinutes: 30 } },
            unknown: { answer: 'wait', extendSeconds: 60, extensionsMax: 1 },
          },
          evaluateSeconds: 30,
          scaleDownDelaySeconds: 10,
          prepareTimeoutSeconds: 120,
          rolloutTimeoutSeconds: 1200,
          ...configuration,
        },
      },
    },
    behaviours: behaviours ?? {},
    alarms: [
      { name: 'shop-blue-errors', service: 'shop', slot: 'blue', errorRate: 0.05, minutes: 1 },
      { name: 'shop-green-errors', service: 'shop', slot: 'green', errorRate: 0.05, minutes: 1 },
    ],
    happenings,
    faults: [],
    metricTroubles: [],
    alarmTroubles: [],
    latency: { lowMs: 1, highMs: 5 },
    skewMsMax: 0,
    minutes,
  };
}
