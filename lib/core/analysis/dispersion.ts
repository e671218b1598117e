// How much do bad requests cluster? One broken client, one lost database connection or one retry storm
// makes many errors at once, and they all fall on one side. Ten errors in one cluster are one piece of
// evidence, not ten: a test that counts them as ten rolls back half of all clean rollouts. φ is the
// variance-to-mean ratio of the bad counts; clusters of geometric size with mean c give φ = 2c − 1.
//
// It is estimated from the day before, from differences between neighbouring minutes, so that slow changes
// (day and night) do not look like clustering. Given what two neighbours had together, S bad of n_1 + n_2
// requests, the first one's share is binomial: traffic bursts drop out, and frequent outcomes (half of all
// requests are slower than the median) get their smaller variance.
//
//   φ̂ = Σ (s_1 − S·p)² ÷ (p(1 − p))  ÷  Σ S·(1 − S/n),      p = n_1 ÷ (n_1 + n_2)
//
// With equal traffic and rare outcomes this is Σ(s_1 − s_2)² ÷ Σ(s_1 + s_2).
//
// Two corrections. An incident in the history is not clustering: hours whose bad count is impossible for the
// other hours are left out. And few clusters make a poor estimate, so its own uncertainty is added: the
// relative standard error is about √(2/m + φ̂/bad), since bad ÷ φ̂ counts the independent events.
import type { BadCount } from './errorEvidence.ts';
import { normalScores } from './latencyEvidence.ts';

/** One count per period in order; null where nothing is known. */
export type BadHistory = readonly (BadCount | null)[];

type Sums = { readonly top: number; readonly low: number; readonly bad: number; readonly pairs: number };

const blockPeriods = 60;
// 95 % one-sided: an estimate that is too low costs false rollbacks, one too high only minutes.
const upperSigmas = 1.645;

/**
 * Estimates φ with its safety margin. `fallback` is used where the history has no bad request at all, or is
 * shorter than an hour.
 */
export function estimateDispersion(history: BadHistory, fallback: number): number {
  const blocks = inBlocks(history).map(sumsOf);
  const { top, low, bad, pairs } = total(withoutIncidents(blocks));
  if (pairs < blockPeriods - 1 || bad === 0 || low === 0) return fallback;
  return upperBound(top / low, 2 / pairs + Math.max(1, top / low) / bad);
}

// A history long enough to show clustering that shows none is taken at its word: all of it below this is 1.
const independentBelow = 1.25;

function upperBound(point: number, relativeVariance: number): number {
  const upper = Math.max(1, point) * (1 + upperSigmas * Math.sqrt(relativeVariance));
  return upper < independentBelow ? 1 : upper;
}

/** The estimate without floor and margin; null when nothing bad was seen. */
export function dispersionPoint(history: BadHistory): number | null {
  const { top, low } = total(inBlocks(history).map(sumsOf));
  return low === 0 ? null : top / low;
}

/**
 * φ of the bet on the body of the latencies (`latencyEvidence.ts`): how much the score sum of one minute
 * against its neighbour varies beyond a random draw. Bins from fast to slow, null where nothing is known.
 * The median of the hours keeps an incident out; 1.57 ÷ m is the variance of a median of m.
 */
export function estimateShiftDispersion(
  history: readonly (readonly number[] | null)[],
  fallback: number,
): number {
  const hours: number[] = [];
  let pairs = 0;
  for (let from = 0; from < history.length; from += blockPeriods) {
    const ratios = shiftRatios(history.slice(from, from + blockPeriods));
    pairs += ratios.length;
    if (ratios.length > 0) hours.push(ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length);
  }
  if (pairs < blockPeriods - 1) return fallback;
  const sorted = hours.toSorted((a, b) => a - b);
  const middle = ((sorted[(sorted.length - 1) >> 1] ?? 1) + (sorted[sorted.length >> 1] ?? 1)) / 2;
  return upperBound(middle, (2 * 1.57) / pairs);
}

// Squared score sum of each minute among the two, over its variance n1·n2 ÷ (N − 1) × variance of the scores.
function shiftRatios(block: readonly (readonly number[] | null)[]): number[] {
  const ratios: number[] = [];
  for (let i = 1; i < block.length; i++) {
    const [left, right] = [block[i - 1], block[i]];
    if (left === null || left === undefined || right === null || right === undefined) continue;
    const pooled = left.map((count, k) => count + (right[k] ?? 0));
    const all = pooled.reduce((sum, count) => sum + count, 0);
    const first = left.reduce((sum, count) => sum + count, 0);
    if (first === 0 || first === all) continue;
    const scores = normalScores(pooled, all);
    const total = left.reduce((sum, count, k) => sum + count * (scores[k] ?? 0), 0);
    const spread = pooled.reduce((sum, count, k) => sum + count * (scores[k] ?? 0) ** 2, 0) / all;
    const variance = ((first * (all - first)) / (all - 1)) * spread;
    if (variance > 0) ratios.push(total ** 2 / variance);
  }
  return ratios;
}

function inBlocks(history: BadHistory): BadHistory[] {
  const blocks: BadHistory[] = [];
  for (let i = 0; i < history.length; i += blockPeriods) blocks.push(history.slice(i, i + blockPeriods));
  return blocks;
}

function sumsOf(block: BadHistory): Sums {
  let top = 0;
  let low = 0;
  let bad = 0;
  let pairs = 0;
  for (let i = 0; i < block.length; i++) {
    const right = block[i];
    const left = i > 0 ? block[i - 1] : null;
    if (right === null || right === undefined) continue;
    bad += right.bad;
    if (left === null || left === undefined || left.total === 0 || right.total === 0) continue;
    const together = left.bad + right.bad;
    const requests = left.total + right.total;
    const share = left.total / requests;
    top += (left.bad - together * share) ** 2 / (share * (1 - share));
    low += together * (1 - together / requests);
    pairs++;
  }
  return { top, low, bad, pairs };
}

function total(blocks: readonly Sums[]): Sums {
  const sum = { top: 0, low: 0, bad: 0, pairs: 0 };
  for (const block of blocks) {
    sum.top += block.top;
    sum.low += block.low;
    sum.bad += block.bad;
    sum.pairs += block.pairs;
  }
  return sum;
}

/**
 * Leaves out hours that cannot belong to the rest. The tenth of the hours with the most bad requests is on
 * trial; the others say what is usual (mean, clustering). Guilty is three times their mean AND eight of
 * their standard deviations. Where the others hold fewer than twenty independent events they cannot judge,
 * and the reading with more clustering stands: taking a big cluster for an incident would make the next one
 * a rollback.
 */
function withoutIncidents(blocks: readonly Sums[]): readonly Sums[] {
  const suspects = Math.ceil(blocks.length / 10);
  if (blocks.length - suspects < 5) return blocks;
  const usual = blocks.toSorted((a, b) => a.bad - b.bad).slice(0, blocks.length - suspects);
  const { bad } = total(usual);
  const clustering = clusteringOf(usual);
  const mean = bad / usual.length;
  const limit = Math.max(3 * mean, mean + 8 * Math.sqrt(clustering * mean));
  const innocent = blocks.filter((block) => block.bad <= limit);
  if (bad / clustering < 20 && clusteringOf(blocks) > clusteringOf(innocent)) return blocks;
  return innocent;
}

function clusteringOf(blocks: readonly Sums[]): number {
  const { top, low } = total(blocks);
  return low === 0 ? 1 : Math.max(1, top / low);
}
