/** In which order services are taken back: who depends on a service goes before it. */

/** A service and what it needs. */
export type Dependent = { readonly service: string; readonly dependsOn: readonly string[] };

/**
 * Dependents first; services that do not depend on each other keep their order. A cycle, which configuration
 * refuses, is broken at the service met first: traffic must come off in any case.
 */
export function takeBackOrder<T extends Dependent>(services: readonly T[]): readonly T[] {
  const order: T[] = [];
  const met = new Set<string>();
  const visit = (settings: T) => {
    if (met.has(settings.service)) return;
    met.add(settings.service);
    for (const dependent of services) {
      if (dependent.dependsOn.includes(settings.service)) visit(dependent);
    }
    order.push(settings);
  };
  for (const settings of services) visit(settings);
  return order;
}
