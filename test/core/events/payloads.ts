/** The kept samples, whole or with one field set, and what a parser says of them. */
import { readFileSync } from 'node:fs';
import type { Parsed } from '../../../events/parsed.ts';

export type Json = Record<string, unknown>;

export const sample = (name: string): Json =>
  JSON.parse(readFileSync(new URL(`../../../events/samples/${name}.json`, import.meta.url), 'utf8'));

/** The sample with one field set, or taken away where the value is undefined; the path is dotted. */
export function having(name: string, path: string, value: unknown): Json {
  const event = sample(name);
  const keys = path.split('.');
  const holder = keys.slice(0, -1).reduce<Json>((inner, key) => inner[key] as Json, event);
  holder[keys.at(-1) as string] = value;
  return JSON.parse(JSON.stringify(event));
}

export const sentence = <T>(read: Parsed<T>): string =>
  read.ok ? `accepted: ${JSON.stringify(read.value)}` : read.sentence;
