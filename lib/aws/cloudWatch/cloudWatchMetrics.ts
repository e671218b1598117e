/** Both sides' minutes and percentiles from metrics in CloudWatch, whoever publishes them. */
import type { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import type { Slot } from '../../../events/target.ts';
import { otherSlot } from '../../../events/target.ts';
import { type Minute, type SideMinute, weightSeen } from '../../core/analysis/minutes.ts';
import type { Metrics } from '../../ports.ts';
import {
  askedOfSide,
  askedOfUnanswered,
  type PublishedSide,
  sideMinute,
  type Unanswered,
} from './publishedSide.ts';
import { type Asked, readSeries } from './series.ts';

/** Where a source's figures stand. */
export type Published = {
  /** null: the side has no figures of its own yet. */
  readonly side: (slot: Slot, role: 'canary' | 'stable') => PublishedSide | null;
  readonly unanswered?: Unanswered;
  /** Stable's figures are those of both sides together: the canary's are taken off. */
  readonly stableIsBoth?: true;
};

/** The port's two questions, once the target is known. */
export type MetricsOf = {
  minutes(query: MinutesQuery): Promise<readonly Minute[]>;
  percentiles(query: PercentilesQuery): Promise<readonly number[] | null>;
};

export const publishedMetrics = (client: CloudWatchClient, published: Published): MetricsOf => ({
  minutes: (query) => minutesOf(client, published, query),
  percentiles: (query) => percentilesOf(client, published, query),
});

type MinutesQuery = Omit<Parameters<Metrics['minutes']>[0], 'target' | 'source' | 'revisions'>;
type PercentilesQuery = Omit<Parameters<Metrics['percentiles']>[0], 'target' | 'source'>;

/** One GetMetricData for everything. */
async function minutesOf(
  client: CloudWatchClient,
  published: Published,
  { canarySlot, periodSeconds, fromMs, toMs, thresholdsMs }: MinutesQuery,
): Promise<readonly Minute[]> {
  const canary = published.side(canarySlot, 'canary');
  const stable = published.side(otherSlot(canarySlot), 'stable');
  const asked = [
    ...(canary === null ? [] : askedOfSide('canary', canary, thresholdsMs)),
    ...(stable === null ? [] : askedOfSide('stable', stable, thresholdsMs)),
    ...(published.unanswered === undefined ? [] : askedOfUnanswered(published.unanswered)),
  ];
  const periodMs = periodSeconds * 1000;
  // One period more: an answer that never came is told of in the next.
  const range = { fromMs, toMs: published.unanswered === undefined ? toMs : toMs + periodMs, periodSeconds };
  const series = await readSeries(client, asked, range);
  const minutes: Minute[] = [];
  for (let startMs = fromMs; startMs < toMs; startMs += periodMs) {
    const of = (prefix: string, side: PublishedSide | null) =>
      side === null
        ? null
        : sideMinute(prefix, side, thresholdsMs.length, { series, startMs, periodSeconds });
    const canarySide = of('canary', canary);
    const stableSide = of('stable', stable);
    const rest = published.stableIsBoth ? without(stableSide, canarySide) : stableSide;
    const weight = weightSeen(canarySide, rest);
    minutes.push({ startMs, periodSeconds, weight, canary: canarySide, stable: rest });
  }
  return minutes;
}

/** The longest period CloudWatch takes: a day. */
const periodSecondsMax = 86_400;

/** One figure per percentile over the last day at most; CloudWatch keeps the whole distribution. */
async function percentilesOf(
  client: CloudWatchClient,
  published: Published,
  { slot, fromMs, toMs, percentiles }: PercentilesQuery,
): Promise<readonly number[] | null> {
  const side = published.side(slot, 'stable');
  if (side === null) return null;
  const wantedSeconds = Math.max(60, Math.ceil((toMs - fromMs) / 60_000) * 60);
  const periodSeconds = Math.min(periodSecondsMax, wantedSeconds);
  const asked = percentiles.map((percentile): Asked => {
    return { ...side.latency, key: `p${percentile}`, stat: `p${percentile}` };
  });
  const range = { fromMs: toMs - periodSeconds * 1000, toMs, periodSeconds };
  const series = await readSeries(client, asked, range);
  const values = asked.map(({ key }) => [...(series.get(key)?.values() ?? [])].at(-1));
  return values.every((value) => value !== undefined)
    ? values.map((value) => value * side.latencyUnitMs)
    : null;
}

/** The p95 stays that of both: percentiles cannot be taken off each other. */
function without(both: SideMinute | null, canary: SideMinute | null): SideMinute | null {
  if (both === null || canary === null) return both;
  const rest = (whole: number, part: number | undefined) => Math.max(0, whole - (part ?? 0));
  return {
    ...both,
    requests: rest(both.requests, canary.requests),
    errors: rest(both.errors, canary.errors),
    slow: both.slow.map((count, index) => rest(count, canary.slow[index])),
  };
}
