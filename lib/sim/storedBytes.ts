/** What the store on DynamoDB would take for the same. */
import { frozen } from '../core/eventStore/commit.ts';
import type { StoredHead } from '../core/eventStore/storedHead.ts';

/**
 * A text's size, and half of it above 1 KB, where DynamoDB's store deflates: JSON as ours comes to a third,
 * so what fits here fits there.
 */
export const storedBytes = (text: string): number => {
  const bytes = Buffer.byteLength(text);
  return bytes <= 1024 ? bytes : Math.ceil(bytes / 2);
};

/** The same for what a HEAD holds; its marks and the hash take less than half a KB. */
export function bodyBytes({ commits, snapshot }: StoredHead): number {
  const texts = commits.reduce((sum, commit) => sum + textBytes(commit), 0);
  return 512 + Math.ceil((texts + textBytes(snapshot?.state)) / 2);
}

/** What is kept never changes, so it is measured once. */
const measured = new WeakMap<object, number>();

/** A copy as the table keeps it, measured on the way. */
export function stored(value: unknown): unknown {
  const text = JSON.stringify(value);
  const copy = frozen(JSON.parse(text) as unknown);
  if (typeof copy === 'object' && copy !== null) measured.set(copy, Buffer.byteLength(text));
  return copy;
}

function textBytes(value: unknown): number {
  const known = typeof value === 'object' && value !== null ? measured.get(value) : undefined;
  if (known !== undefined) return known;
  const bytes = Buffer.byteLength(JSON.stringify(value) ?? '');
  if (typeof value === 'object' && value !== null) measured.set(value, bytes);
  return bytes;
}
