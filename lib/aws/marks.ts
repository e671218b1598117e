/**
 * Notes on a target as values of its tags: `1795260577582 8f0c… ada: carts are lost`. A tag holds 256
 * letters, digits, spaces and _ . : / = + - @ (Elastic Load Balancing, Tag); anything else becomes a hyphen.
 */
import type { FallBackMark, OverrideMark } from '../ports.ts';

const charactersMax = 256;

export const fallBackText = ({ at, id, by, why }: FallBackMark): string => tagValue(`${at} ${id}`, by, why);

/** null for what nobody of us wrote. */
export function fallBackIn(text: string): FallBackMark | null {
  const [, at, id, by, why] = /^(\d{1,15}) (\S+) ([^:]*): ?(.*)$/su.exec(text) ?? [];
  if (at === undefined || id === undefined || by === undefined || why === undefined) return null;
  return { at: Number(at), id, by, why };
}

export const overrideText = ({ until, by, why }: OverrideMark): string => tagValue(`${until}`, by, why);

/** null for what nobody of us wrote. */
export function overrideIn(text: string): OverrideMark | null {
  const [, until, by, why] = /^(\d{1,15}) ([^:]*): ?(.*)$/su.exec(text) ?? [];
  if (until === undefined || by === undefined || why === undefined) return null;
  return { until: Number(until), by, why };
}

const tagValue = (what: string, by: string, why: string): string =>
  [...`${what} ${by.replaceAll(':', '-')}: ${why}`.replace(/[^\p{L}\p{Z}\p{N}_.:/=+\-@]/gu, '-')]
    .slice(0, charactersMax)
    .join('')
    .trimEnd();
