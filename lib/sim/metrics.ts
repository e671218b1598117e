/** Minutes as the metrics tell them: a while after they ended, sometimes late, in part at first, or never. */
import { otherSlot, type Slot, type Target } from '../../events/target.ts';
import type { Minute, SideMinute } from '../core/analysis/minutes.ts';
import { invariant } from '../core/decision.ts';
import type { Metrics } from '../ports.ts';
import { latencyAt } from './behaviour.ts';
import type { Instance } from './instance.ts';
import { type Counted, type Meter, minuteMs } from './meter.ts';
import { type SimClock, startMs } from './simClock.ts';
import type { Wire } from './wire.ts';

/**
 * What befalls the minutes that begin in a window. `partial`: half of the counts until `ms` after their end.
 */
export type MetricTrouble = {
  readonly service: string;
  readonly kind: 'late' | 'partial' | 'missing';
  readonly fromMs: number;
  readonly toMs: number;
  readonly ms: number;
};

/** CloudWatch shows a balancer's minute about so long after it ended. */
const shownAfterMs = 45_000;

type Query = Parameters<Metrics['minutes']>[0];

/** Minutes that will not change any more, by the question they answer. */
type Kept = {
  readonly canarySlot: Slot;
  readonly thresholdsMs: readonly number[];
  readonly minutes: (Minute | undefined)[];
};

const isSame = (one: readonly number[], other: readonly number[]): boolean =>
  one === other || (one.length === other.length && one.every((threshold, nth) => threshold === other[nth]));

/** One service's minutes, as whoever asks at some time sees them. */
export class MetricReader {
  readonly #clock: SimClock;
  readonly #meter: Meter;
  readonly #troubles: readonly MetricTrouble[];
  readonly #kept: Kept[] = [];

  constructor(clock: SimClock, meter: Meter, troubles: readonly MetricTrouble[]) {
    this.#clock = clock;
    this.#meter = meter;
    this.#troubles = troubles;
  }

  minutes({ canarySlot, periodSeconds, fromMs, toMs, thresholdsMs }: Query): readonly Minute[] {
    invariant(periodSeconds === 60, 'the simulation counts in minutes');
    const kept = this.#keptFor(canarySlot, thresholdsMs);
    const first = (fromMs - startMs) / minuteMs;
    const last = (toMs - startMs) / minuteMs;
    const minutes: Minute[] = [];
    for (let index = first; index < last; index++) {
      const before = kept[index];
      if (before !== undefined) {
        minutes.push(before);
        continue;
      }
      const { minute, settled } = this.#read(index, canarySlot, thresholdsMs);
      if (settled && index >= 0) kept[index] = minute;
      minutes.push(minute);
    }
    return minutes;
  }

  percentiles(slot: Slot, percentiles: readonly number[]): readonly number[] | null {
    const { parts } = this.#meter.minute(-1, slot);
    const median = parts[0]?.medianMs ?? this.#meter.minute(this.#meter.length - 3, slot).parts[0]?.medianMs;
    return median === undefined ? null : percentiles.map((percentile) => latencyAt(median, percentile));
  }

  #keptFor(canarySlot: Slot, thresholdsMs: readonly number[]): (Minute | undefined)[] {
    const found = this.#kept.find(
      (one) => one.canarySlot === canarySlot && isSame(one.thresholdsMs, thresholdsMs),
    );
    if (found !== undefined) return found.minutes;
    const minutes: (Minute | undefined)[] = [];
    this.#kept.push({ canarySlot, thresholdsMs, minutes });
    return minutes;
  }

  #read(index: number, canarySlot: Slot, thresholdsMs: readonly number[]) {
    const begin = startMs + index * minuteMs;
    const age = this.#clock.now() - begin - minuteMs;
    const trouble = this.#troubles.find((one) => begin >= one.fromMs && begin < one.toMs);
    const showsAfter = trouble?.kind === 'late' ? Math.max(shownAfterMs, trouble.ms) : shownAfterMs;
    const unseen = trouble?.kind === 'missing' || age < showsAfter;
    const part = trouble?.kind === 'partial' && age < trouble.ms ? 0.5 : 1;
    const side = (slot: Slot): SideMinute | null =>
      unseen
        ? null
        : sideOf(this.#meter.minute(index, slot), this.#meter.slow(index, slot, thresholdsMs), part);
    const canary = side(canarySlot);
    const stable = side(otherSlot(canarySlot));
    const total = (canary?.requests ?? 0) + (stable?.requests ?? 0);
    const weight = total === 0 ? 0 : Math.round(((canary?.requests ?? 0) / total) * 1000) / 10;
    const minute: Minute = { startMs: begin, periodSeconds: 60, weight, canary, stable };
    return { minute, settled: part === 1 && (trouble?.kind === 'missing' || age >= showsAfter) };
  }
}

/** A slot that nobody asked has no data: the balancer publishes only what there is to say. */
function sideOf(counted: Counted, slow: readonly number[], part: number): SideMinute | null {
  const { requests, errors, p95Ms, unhealthyHosts } = counted;
  if (requests === 0) return null;
  return {
    requests: Math.floor(requests * part),
    errors: Math.floor(errors * part),
    slow: slow.map((count) => Math.floor(count * part)),
    p95Ms,
    unhealthyHosts,
  };
}

export function simMetrics(wire: Wire, who: Instance, readerOf: (target: Target) => MetricReader): Metrics {
  return {
    minutes: (query) => wire.question(who, 'metrics.minutes', () => readerOf(query.target).minutes(query)),
    percentiles: ({ target, slot, percentiles }) =>
      wire.question(who, 'metrics.percentiles', () => readerOf(target).percentiles(slot, percentiles)),
  };
}
