/**
 * Three services that move together: discovery needs agent and orchestrator, agent needs orchestrator. Each
 * step is baked for a minute; the first wave is over at about 110 s, the second at 200 s, the third at 285 s.
 */
import type { MigrationEvent } from '../../events/migration.ts';
import type { Happening, ServiceScenario } from '../../lib/apps/simulate/scenario.ts';
import { SimEventStore } from '../../lib/sim/eventStore.ts';
import { startMs } from '../../lib/sim/simClock.ts';
import { play, type Scene } from './scene.ts';

const names = ['orchestrator', 'agent', 'discovery'] as const;
type Name = (typeof names)[number];
const needs: Readonly<Record<Name, readonly Name[]>> = {
  orchestrator: [],
  agent: ['orchestrator'],
  discovery: ['orchestrator', 'agent'],
};

const service = (name: Name): ServiceScenario => ({
  ...{ revision: `${name}:1`, tasks: 2, requestsPerSecond: 5, bounds: { min: 1, max: 6 } },
  configuration: {
    dependsOn: needs[name],
    strategy: { kind: 'rolling', batchPercent: 50, bakeSeconds: 60, finalBakeSeconds: 0 },
    alarms: ['blue', 'green'].map((slot) => ({ name: `${name}-${slot}-errors`, slot })),
    ...{ rollbackWindowSeconds: 1800, scaleDownDelaySeconds: 5, shiftTimeoutSeconds: 10 },
  },
});

const revisions = Object.fromEntries(names.map((name) => [name, `${name}:2`]));

export const migrate = (
  more: Partial<Extract<Happening, { what: 'migrate' }>> = {},
  atSeconds = 30,
): Happening => ({ atSeconds, what: 'migrate', migrationId: 'smith', revisions, ...more });

export const rings = (atSeconds: number, of: Name): Happening => ({
  ...{ atSeconds, what: 'set-alarm', alarm: `${of}-green-errors`, state: 'ALARM' },
});

/** What one service's canary got, when. */
export type Share = { readonly atSeconds: number; readonly name: Name; readonly weight: number };

/** @throws where the run breaks a promise, or a service stands on a foundation that is not there */
export async function playMigration(scene: Scene, migrationId = 'smith') {
  const alarms = names.flatMap((name) =>
    (['blue', 'green'] as const).map((slot) => ({
      ...{ name: `${name}-${slot}-errors`, service: name, slot, errorRate: 0.05, minutes: 1 },
    })),
  );
  const services = Object.fromEntries(names.map((name) => [name, service(name)]));
  const day = await play({ services, alarms, happenings: [migrate()], ...scene }, 'orchestrator');
  const { world } = day.simulation;
  const recorded = await Array.fromAsync(new SimEventStore(world.table).read(`migration/${migrationId}`));
  const events = recorded.map(({ event }) => event as MigrationEvent);
  const shares = names
    .flatMap((name) =>
      (world.places.get(name)?.balancer.shifts ?? []).map(
        ({ at, reading }): Share => ({
          atSeconds: (at - startMs) / 1000,
          name,
          weight: reading.kind === 'weights' ? reading.greenWeight : Number.NaN,
        }),
      ),
    )
    .toSorted((one, other) => one.atSeconds - other.atSeconds);
  return { simulation: day.simulation, events, story: events.map(told), shares, offs: offsIn(shares) };
}

const told = (event: MigrationEvent): string =>
  'component' in event ? `${event.type} ${event.component}` : event.type;

/** Who lost all of it, in this order; what is written twice happens once. */
function offsIn(shares: readonly Share[]): readonly Name[] {
  const now = new Map<Name, number>();
  return shares.flatMap(({ name, weight }) => {
    const before = now.get(name) ?? 0;
    now.set(name, weight);
    return weight === 0 && before > 0 ? [name] : [];
  });
}

/** Whoever gets traffic on the new side stands on foundations that are on it with all they have. */
export function standing(shares: readonly Share[]): readonly string[] {
  const now: Record<string, number> = {};
  const found: string[] = [];
  for (const { atSeconds, name, weight } of shares) {
    now[name] = weight;
    for (const above of names) {
      for (const below of needs[above]) {
        if ((now[above] ?? 0) > 0 && now[below] !== 100) {
          found.push(`at ${atSeconds} s ${above} has ${now[above]} %, ${below} ${now[below] ?? 0} %`);
        }
      }
    }
  }
  return found;
}
