/** 0 to count − 1. */
export const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

export const sorted = (list: readonly number[]): number[] => [...list].sort((a, b) => a - b);
