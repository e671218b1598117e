/**
 * Who is met first. A pass over many services may not come to its end in its minute, so each pass begins
 * somewhere else: by the golden section of the list, which leaves no gap for long, however many a pass meets
 * (Weyl's sequence; Knuth, TAOCP vol. 3, 6.4).
 * @param pass counts up by one with each pass
 */
export function turnOrder<T>(all: readonly T[], pass: number): readonly T[] {
  const share = (pass * goldenSection) % 1;
  const from = Math.floor(share * all.length);
  return [...all.slice(from), ...all.slice(0, from)];
}

const goldenSection = (Math.sqrt(5) - 1) / 2;
