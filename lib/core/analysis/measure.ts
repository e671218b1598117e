// What a template's metric reads from a stretch of minutes. null is "nothing to read", never zero.
import { judgeMinutes } from './kayentaScore.ts';
import { type ErrorCount, type Minute, type SideMinute, sumErrors } from './minutes.ts';
import type { AnalysisPolicy, Measure } from './policy.ts';

// Stands for a ratio to zero, which JSON cannot hold.
const ratioMax = 1e9;

/**
 * The value of a measure over `minutes`; `step` is the whole step so far, for measures that need all of it.
 */
export function measure(
  of: Measure,
  minutes: readonly Minute[],
  { step, policy }: { step: readonly Minute[]; policy: AnalysisPolicy },
): number | null {
  if (typeof of === 'object') return businessRatio(of.business, minutes);
  switch (of) {
    case 'error-rate':
      return rate(sumErrors(minutes, 'canary'));
    case 'error-ratio':
      return ratio(rate(sumErrors(minutes, 'canary')), rate(sumErrors(minutes, 'stable')));
    case 'burn': {
      const errors = rate(sumErrors(minutes, 'canary'));
      return errors === null ? null : errors / (1 - policy.objective);
    }
    case 'requests': {
      const seen = minutes.some((minute) => minute.canary !== null);
      return seen ? sumErrors(minutes, 'canary').total : null;
    }
    case 'p95-ms':
      return worst(minutes, 'canary', (side) => side.p95Ms);
    case 'p95-ratio':
      return ratio(
        worst(minutes, 'canary', (side) => side.p95Ms),
        worst(minutes, 'stable', (side) => side.p95Ms),
      );
    case 'unhealthy-hosts':
      return worst(minutes, 'canary', (side) => side.unhealthyHosts);
    case 'judge-score':
      return judgeMinutes(step).score;
  }
}

function businessRatio(name: string, minutes: readonly Minute[]): number | null {
  const sum = (side: 'canary' | 'stable'): ErrorCount => {
    let bad = 0;
    let total = 0;
    for (const minute of minutes) {
      const seen = minute[side]?.business?.[name];
      bad += seen?.count ?? 0;
      total += seen?.total ?? 0;
    }
    return { bad, total };
  };
  return ratio(rate(sum('canary')), rate(sum('stable')));
}

function rate({ bad, total }: ErrorCount): number | null {
  return total === 0 ? null : bad / total;
}

function ratio(canary: number | null, stable: number | null): number | null {
  if (canary === null || stable === null) return null;
  if (stable === 0) return canary === 0 ? 1 : ratioMax;
  return Math.min(ratioMax, canary / stable);
}

function worst(
  minutes: readonly Minute[],
  side: 'canary' | 'stable',
  value: (side: SideMinute) => number | null | undefined,
): number | null {
  let most: number | null = null;
  for (const minute of minutes) {
    const counts = minute[side];
    const seen = counts === null ? null : value(counts);
    if (seen !== null && seen !== undefined && (most === null || seen > most)) most = seen;
  }
  return most;
}
