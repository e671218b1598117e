/**
 * Notes on a target as values of its tags: `1795260577582 8f0c… ada: carts are lost`. A tag holds 256
 * letters, digits, spaces and _ . : / = + - @ (Elastic Load Balancing, Tag); anything else becomes a hyphen.
 */
import type { Slot } from '../../events/target.ts';
import type { StableMark } from '../core/fallback/mark.ts';
import type { FallBackMark, OverrideMark } from '../ports.ts';

const charactersMax = 256;

/** With a slot: `1795260577582 8f0c… to blue by ada: carts are lost`. */
export const fallBackText = ({ at, id, by, why, slot }: FallBackMark): string =>
  tagValue(`${at} ${id}`, slot === null ? by : `to ${slot} by ${by}`, why);

/** null for what nobody of us wrote. */
export function fallBackIn(text: string): FallBackMark | null {
  const [, at, id, slot, by, why] =
    /^(\d{1,15}) (\S+) (?:to (blue|green) by )?([^:]*): ?(.*)$/su.exec(text) ?? [];
  if (at === undefined || id === undefined || by === undefined || why === undefined) return null;
  return { at: Number(at), id, by, why, slot: slotIn(slot) };
}

/** `green 1795260577582`: the slot and up to when its writer knew of every fall-back. */
export const knowsText = ({ slot, knows }: StableMark & { readonly knows: number }): string =>
  `${slot} ${Math.round(knows)}`;

/**
 * @param slotText says it alone: versions before, and people
 * @param knownText of another slot it belongs to a mark that was overwritten, and says nothing
 */
export function stableIn(slotText: string, knownText: string): StableMark | null {
  const slot = slotIn(slotText);
  if (slot === null) return null;
  const [, of, knows] = /^(\S+) (\d{1,15})$/u.exec(knownText) ?? [];
  return { slot, knows: of === slot ? Number(knows) : null };
}

const slotIn = (text: string | undefined): Slot | null => (text === 'blue' || text === 'green' ? text : null);

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
