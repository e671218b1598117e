/**
 * The note of a fall-back as the value of a tag: `1795260577582 8f0c… ada: carts are lost`. A tag holds 256
 * letters, digits, spaces and _ . : / = + - @ (Elastic Load Balancing, Tag); anything else becomes a hyphen.
 */
import type { FallBackMark } from '../ports.ts';

const charactersMax = 256;

export const textOf = ({ at, id, by, why }: FallBackMark): string =>
  [...`${at} ${id} ${by.replaceAll(':', '-')}: ${why}`.replace(/[^\p{L}\p{Z}\p{N}_.:/=+\-@]/gu, '-')]
    .slice(0, charactersMax)
    .join('')
    .trimEnd();

/** null for what nobody of us wrote. */
export function markIn(text: string): FallBackMark | null {
  const [, at, id, by, why] = /^(\d{1,15}) (\S+) ([^:]*): ?(.*)$/su.exec(text) ?? [];
  if (at === undefined || id === undefined || by === undefined || why === undefined) return null;
  return { at: Number(at), id, by, why };
}
