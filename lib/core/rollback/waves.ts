/**
 * `dependsOn` as waves: a service moves when everybody it depends on has moved, and goes back before any of
 * them does. Services of one wave know nothing of each other and move at the same time.
 */
import type { ServiceSettings } from '../config/settings.ts';
import { type Refusal, refuse } from '../decision.ts';
import { takeBackOrder } from './order.ts';

export type Dependent = Pick<ServiceSettings, 'service' | 'dependsOn'>;

/** Forward; back is the same, reversed. Who is not among `services` is taken to have moved long ago. */
export function wavesOf(services: readonly Dependent[]): readonly (readonly string[])[] | Refusal {
  const waves: string[][] = [];
  const moved = new Set<string>();
  let left = services;
  while (left.length > 0) {
    const names = new Set(left.map(({ service }) => service));
    const wave = left.filter(({ dependsOn }) => !dependsOn.some((name) => names.has(name)));
    if (wave.length === 0) {
      return refuse('cycle', `${cycleIn(left)} is a cycle: one of them must not depend on the next.`);
    }
    waves.push(wave.map(({ service }) => service));
    for (const { service } of wave) moved.add(service);
    left = left.filter(({ service }) => !moved.has(service));
  }
  return waves;
}

/** Everybody left depends on somebody left, so walking on meets somebody twice. */
function cycleIn(left: readonly Dependent[]): string {
  const way: string[] = [];
  let at = left[0];
  while (at !== undefined && !way.includes(at.service)) {
    way.push(at.service);
    const next: readonly string[] = at.dependsOn;
    at = left.find(({ service }) => next.includes(service));
  }
  const begin = way.indexOf(at?.service ?? '');
  return [...way.slice(begin), at?.service].join(' → ');
}

/** The services that go back when `failed` do: they and everybody who depends on them, dependents first. */
export function affectedBy(services: readonly Dependent[], failed: readonly string[]): readonly string[] {
  const affected = new Set(failed);
  for (let before = -1; before !== affected.size; ) {
    before = affected.size;
    for (const { service, dependsOn } of services) {
      if (dependsOn.some((name) => affected.has(name))) affected.add(service);
    }
  }
  return takeBackOrder(services.filter(({ service }) => affected.has(service))).map(({ service }) => service);
}

/** Everybody a service depends on, near and far. */
export function foundationsOf(services: readonly Dependent[], service: string): ReadonlySet<string> {
  const found = new Set<string>();
  const visit = (name: string) => {
    for (const next of services.find((each) => each.service === name)?.dependsOn ?? []) {
      if (found.has(next)) continue;
      found.add(next);
      visit(next);
    }
  };
  visit(service);
  return found;
}

/**
 * "orchestrator goes back, so discovery-engine and agent go first", from an order that has dependents first.
 */
export function blastRadius(order: readonly string[], failed: readonly string[]): string {
  const others = order.filter((name) => !failed.includes(name));
  const goes = `${listed(failed)} ${failed.length === 1 ? 'goes' : 'go'} back`;
  if (others.length === 0) return `${goes}, and nobody else`;
  const first = others.filter((name) => order.indexOf(name) < lastIndex(order, failed));
  const later = others.filter((name) => !first.includes(name));
  const so = first.length === 0 ? '' : `, so ${listed(first)} ${first.length === 1 ? 'goes' : 'go'} first`;
  return later.length === 0 ? `${goes}${so}` : `${goes}${so}, then ${listed(later)}`;
}

const lastIndex = (order: readonly string[], names: readonly string[]): number =>
  Math.max(...names.map((name) => order.indexOf(name)));

const listed = (names: readonly string[]): string =>
  names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
