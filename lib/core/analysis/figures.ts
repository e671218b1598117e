// Numbers as they are told: short enough to read and to store.

/** 0.0123 → "1.23 %". */
export function percent(rate: number): string {
  if (rate === 0) return '0 %';
  return `${Number((rate * 100).toPrecision(3))} %`;
}

/** Six significant digits: enough to judge by, few enough to store. */
export function round(value: number): number {
  // These are what they are, and writing a number out takes longer than judging by it.
  if (value === 0) return 0;
  if (value >= 1 && value < 1e6 && Number.isInteger(value)) return value;
  return Number(value.toPrecision(6));
}
