/** Every value of a service's settings, and where it came from. */
import type { LineCounter, Node } from 'yaml';
import type { Laid } from '../../core/config/layeredValue.ts';
import type { ServiceSettings } from '../../core/config/settings.ts';
import { lineOf } from './yamlFile.ts';

/** A configuration file as it was read. */
export type ReadFile = {
  readonly name: string;
  readonly value: unknown;
  readonly document: Node | null;
  readonly lines: LineCounter;
};

export type Origin = { readonly key: string; readonly value: unknown; readonly place: string };

/** Said in the file under another key than the settings have it. */
const saidAs: Readonly<Record<string, readonly string[]>> = {
  'analysis.objective': ['slo', 'objective'],
  'analysis.objectivePeriodDays': ['slo', 'periodDays'],
};

/** @param settings complete, with every layer; @param laid what does not have the file's value */
export function originsOf(
  { service, ...settings }: ServiceSettings,
  laid: readonly Laid[],
  file: ReadFile,
): readonly Origin[] {
  const places = new Map(laid.map(({ key, place }) => [key, place]));
  return leavesOf(settings, []).map(({ path, value }) => {
    const key = path.join('.');
    const inFile = ['services', service, ...(saidAs[key] ?? path)];
    return { key, value, place: places.get(key) ?? placeInFile(file, inFile) };
  });
}

function leavesOf(
  value: unknown,
  path: readonly string[],
): readonly { readonly path: readonly string[]; readonly value: unknown }[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [{ path, value }];
  return Object.entries(value).flatMap(([key, inner]) => leavesOf(inner, [...path, key]));
}

function placeInFile({ name, value, document, lines }: ReadFile, path: readonly string[]): string {
  const said = path.reduce<unknown>(
    (at, key) => (typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[key] : undefined),
    value,
  );
  return said === undefined ? 'default' : `${name}:${lineOf(document, { path }, lines)}`;
}
