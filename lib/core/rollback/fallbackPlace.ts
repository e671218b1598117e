/**
 * What a service's place to fall back to holds, before a rollout and after it was taken back. A rollout moves
 * nothing there, so a rollback restores nothing there: what is not as it was is told.
 */
import type { FallbackPlace } from '../../../events/rollout.ts';
import type { Target } from '../../../events/target.ts';

/** One thing that a place holds: `stage variable environment` is `phase1`. */
export type PlaceSetting = { readonly name: string; readonly value: string };

/** An event has 1 KB, and a state keeps its checkpoint: names and values together, characters. */
const charactersMax = 300;
/** A sentence about a difference has room for two of them. */
const valueCharactersMax = 40;

/** @param settings the one that sends the traffic first; null: they could not be read */
export function placeFound(target: Target, settings: readonly PlaceSetting[] | null): FallbackPlace {
  const place = nameOf(target);
  if (settings === null) return { place, holds: null, unrecorded: 0 };
  const holds: PlaceSetting[] = [];
  let characters = 0;
  for (const { name, value } of settings) {
    const more = name.length + value.length;
    if (value.length > valueCharactersMax || characters + more > charactersMax) continue;
    characters += more;
    holds.push({ name, value });
  }
  return { place, holds, unrecorded: settings.length - holds.length };
}

function nameOf(target: Target): string {
  switch (target.kind) {
    case 'api-stage':
      return `API stage ${target.restApiId}/${target.stage}`;
    case 'dns':
      return `records of ${target.name}`;
    case 'lambda-alias':
      return `alias ${target.functionName}:${target.alias}`;
    case 'ecs-alb':
    case 'alb':
      return `rule ${target.ruleArn.split('/').at(-1)}`;
  }
}

/**
 * One sentence per difference.
 * @param before left out: nothing was read then
 * @param found everything that it holds now; null: it cannot be read
 */
export function placeDifferences(
  before: FallbackPlace | undefined,
  found: readonly PlaceSetting[] | null,
): readonly string[] {
  if (before === undefined) return [];
  const { place, holds } = before;
  if (holds === null || found === null) {
    const why = holds === null ? 'it could not be read before the rollout' : 'it cannot be read';
    return [`whether ${place} is as it was is unknown: ${why}`];
  }
  const now = new Map(found.map(({ name, value }) => [name, value]));
  const changed = holds.flatMap(({ name, value }) => {
    const other = now.get(name);
    return other === value ? [] : [`${name} is ${said(other)}, it was ${said(value)} (${place})`];
  });
  return [...changed, ...newcomers(before, holds, found)];
}

/** Which of several is the new one can be said only where all that was there is known. */
function newcomers(
  { place, unrecorded }: FallbackPlace,
  holds: readonly PlaceSetting[],
  found: readonly PlaceSetting[],
): readonly string[] {
  if (unrecorded > 0) return [];
  const added = found.filter(({ name }) => !holds.some((before) => before.name === name));
  return added.map(({ name, value }) => `${name} is ${said(value)}, it was not set (${place})`);
}

const said = (value: string | undefined): string => (value === undefined ? 'not set' : `"${value}"`);
