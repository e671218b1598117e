/** Durations as people write them in the configuration: `250ms`, `30s`, `15m`, `1h`. */

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** Milliseconds; null when the text is no duration. */
export function parseDuration(text: string): number | null {
  const parts = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text.trim());
  if (parts === null) return null;
  return Number(parts[1]) * (UNITS_MS[parts[2] as string] as number);
}

export function formatDuration(ms: number): string {
  if (ms % 60_000 === 0 && ms > 0) return `${ms / 60_000}m`;
  return ms % 1_000 === 0 && ms > 0 ? `${ms / 1_000}s` : `${ms}ms`;
}
