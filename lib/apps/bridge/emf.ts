/**
 * A line per minute in CloudWatch's embedded metric format: awslogs turns it into metrics without an API
 * call. Source: CloudWatch user guide, "Embedded metric format specification".
 */
import type { Bridge } from './bridge.ts';
import type { BridgeMetrics } from './metrics.ts';

const NAMESPACE = 'Switchback/Bridge';
export const EMF_MS = 60_000;
/** Beyond the last bucket there is only "more": a metric wants a number. */
const ADDED_MS_MAX = 60_000;

type Totals = Readonly<Record<string, number>>;

/** The numbers that only grow; a line carries what they grew by. */
function totals(bridge: Bridge, metrics: BridgeMetrics): Totals {
  let throttled = 0;
  let retried = 0;
  for (const target of metrics.targets.values()) {
    throttled += target.throttled;
    retried += target.retried;
  }
  return {
    Received: metrics.received,
    Delivered: metrics.delivered,
    DeadLetters: metrics.deadLetters,
    Unmatched: metrics.unmatched,
    Throttled: throttled,
    Retried: retried,
    Dropped: bridge.intakes.reduce((sum, { state }) => sum + state.dropped, 0),
  };
}

export class EmfReporter {
  readonly #bridge: Bridge;
  readonly #metrics: BridgeMetrics;
  readonly #name: string;
  #before: Totals;
  readonly #added = new Map<string, readonly number[]>();

  /** @param name the bridge's name, the metrics' one dimension */
  constructor(bridge: Bridge, metrics: BridgeMetrics, name: string) {
    this.#bridge = bridge;
    this.#metrics = metrics;
    this.#name = name;
    this.#before = totals(bridge, metrics);
  }

  /** The line for the time since the last one. `Lag` is what autoscaling watches: messages not yet taken. */
  line(nowMs: number): string {
    const now = totals(this.#bridge, this.#metrics);
    const grown = Object.entries(now).map(
      // A source that was left has taken its count with it.
      ([name, value]) => [name, Math.max(0, value - (this.#before[name] ?? 0))] as const,
    );
    this.#before = now;
    const states = this.#bridge.intakes.map(({ state }) => state);
    const gauges = [
      ['Lag', states.reduce((sum, { pending }) => sum + pending, 0)],
      ['Open', states.reduce((sum, { open }) => sum + open, 0)],
      ['OldestMs', Math.max(0, ...states.map(({ oldestMs }) => oldestMs))],
      ['CircuitsOpen', this.#bridge.carrier.blockedBy.length],
      ['AddedP99Ms', this.#addedP99()],
    ] as const;
    const values = Object.fromEntries([...grown, ...gauges]);
    const units = Object.keys(values).map((name) => ({
      Name: name,
      Unit: name.endsWith('Ms') ? 'Milliseconds' : 'Count',
    }));
    const directive = { Namespace: NAMESPACE, Dimensions: [['Bridge']], Metrics: units };
    return JSON.stringify({
      _aws: { Timestamp: nowMs, CloudWatchMetrics: [directive] },
      Bridge: this.#name,
      ...values,
    });
  }

  /** The slowest target's, over the time since the last line. */
  #addedP99(): number {
    let worst = 0;
    for (const [target, { addedMs }] of this.#metrics.targets) {
      worst = Math.max(worst, Math.min(ADDED_MS_MAX, addedMs.quantile(0.99, this.#added.get(target))));
      this.#added.set(target, [...addedMs.counts]);
    }
    return worst;
  }
}
