/**
 * EventBridge event patterns: checked once, then matched against any number of events. A field's value in a
 * pattern is a list of alternatives; a field of an event may be a list too, of which one value is enough.
 * Rules: EventBridge user guide, "Amazon EventBridge event patterns" and "content filtering".
 */
import { isObject, type Json } from '../json.ts';
import { type Filter, filterOf } from './contentFilter.ts';

/** Whether an event matches. */
export type EventPattern = (event: Json) => boolean;

/** The pattern is not one that EventBridge would take. */
export class InvalidEventPattern extends Error {
  override readonly name = 'InvalidEventPattern';
}

/** @throws InvalidEventPattern */
export function compileEventPattern(source: string): EventPattern {
  let pattern: Json;
  try {
    pattern = JSON.parse(source);
  } catch {
    throw new InvalidEventPattern('Event pattern is not valid. Reason: it is not JSON');
  }
  if (!isObject(pattern))
    throw new InvalidEventPattern('Event pattern is not valid. Reason: it must be an object');
  const matches = compileObject(pattern, []);
  return (event) => matches([event]);
}

/** Matches against the values that a path leads to: several when the event has lists on the way. */
type Matcher = (values: readonly Json[]) => boolean;

function compileObject(pattern: { readonly [key: string]: Json }, path: readonly string[]): Matcher {
  const entries = Object.entries(pattern);
  if (entries.length === 0) throw invalid(path, 'empty objects are not allowed');
  const parts = entries.map(([name, value]): Matcher => {
    if (name === '$or') return compileOr(value, path);
    const matches = compileField(value, [...path, name]);
    return (values) => matches(values.flatMap((one) => fieldOf(one, name)));
  });
  return (values) => parts.every((matches) => matches(values));
}

function compileOr(value: Json, path: readonly string[]): Matcher {
  if (!Array.isArray(value) || value.length < 2 || !value.every(isObject)) {
    throw invalid([...path, '$or'], 'it needs two alternatives at least');
  }
  const alternatives = value.map((alternative) =>
    compileObject(alternative as { readonly [key: string]: Json }, path),
  );
  return (values) => alternatives.some((matches) => matches(values));
}

function compileField(value: Json, path: readonly string[]): Matcher {
  if (isObject(value)) {
    const matches = compileObject(value, path);
    return (values) => {
      const each = values.flatMap((one) => (Array.isArray(one) ? one : [one]));
      // All fields of one pattern must match in the same object of a list.
      return each.length === 0 ? matches([]) : each.some((one) => matches([one]));
    };
  }
  if (!Array.isArray(value)) throw invalid(path, 'a value must be in a list');
  if (value.length === 0) throw invalid(path, 'empty lists are not allowed');
  const filters = value.map((alternative): Filter => {
    const filter = filterOf(alternative as Json);
    if (typeof filter === 'string') throw invalid(path, filter);
    return filter;
  });
  return (values) => {
    const leaves = values.flatMap((one) => (Array.isArray(one) ? one : [one]));
    return filters.some((matches) => matches(leaves));
  };
}

/** A field's value as a list of one, or of none. */
function fieldOf(value: Json, name: string): readonly Json[] {
  if (!isObject(value)) return [];
  const found = value[name];
  return found === undefined ? [] : [found];
}

const invalid = (path: readonly string[], reason: string) =>
  new InvalidEventPattern(
    `Event pattern is not valid. Reason: ${path.join('.') || 'the pattern'}: ${reason}`,
  );
