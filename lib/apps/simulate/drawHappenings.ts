/**
 * What people and the world do, drawn: requests that overlap, operators at bad moments, hands on the
 * balancer.
 */
import type { SeededRandom } from '../../sim/random.ts';
import type { Happening } from './scenario.ts';

/** Migrations are drawn by themselves. */
type What = Exclude<Happening['what'], 'migrate' | 'operate-migration'>;

/** Some runs have one kind of trouble, some all: which ones are there at all is drawn first. */
const others: readonly What[] = [
  'operate',
  'shift-by-hand',
  'send-elsewhere',
  'fire-exit',
  'lose-tasks',
  'autoscale',
  'incident',
  'set-alarm',
  'stop-execution',
  'deploy',
];

export function drawHappenings(
  random: SeededRandom,
  services: readonly string[],
  seconds: number,
): readonly Happening[] {
  const happenings: Happening[] = services.flatMap((service) =>
    Array.from({ length: random.pick([1, 1, 2, 3]) }, (_, nth) => ({
      atSeconds: nth === 0 ? random.whole(5, 120) : random.whole(60, Math.floor(seconds * 0.8)),
      what: 'request' as const,
      service,
      revision: `${service}:${random.whole(2, 4)}`,
      rolloutId: `${service}-r${nth + 1}`,
      ...(random.chance(0.3) ? { knownBadOverride: 'drawn' } : {}),
    })),
  );
  const share = random.pick([0, 0.15, 0.4, 1]);
  for (const what of others) {
    if (!random.chance(share)) continue;
    const times = random.pick([1, 1, 2, 4]);
    for (let nth = 0; nth < times; nth++) happenings.push(drawOther(random, what, services, seconds));
  }
  return happenings.toSorted((one, other) => one.atSeconds - other.atSeconds);
}

/** Some who take the fire exit know better than the mark where to go. */
export const drawSlots = (random: SeededRandom, happenings: readonly Happening[]): readonly Happening[] =>
  happenings.map((happening) => {
    if (happening.what !== 'fire-exit') return happening;
    const slot = random.pick([null, null, null, 'blue', 'green'] as const);
    return slot === null ? happening : { ...happening, slot };
  });

/** All services at once, and what a person says to that meanwhile; none in most runs. */
export function drawMigration(
  random: SeededRandom,
  services: readonly string[],
  seconds: number,
): readonly Happening[] {
  if (services.length < 2 || !random.chance(0.2)) return [];
  const migrationId = 'drawn';
  const migrate: Happening = {
    ...{ atSeconds: random.whole(5, Math.floor(seconds / 3)), what: 'migrate', migrationId },
    revisions: Object.fromEntries(services.map((service) => [service, `${service}:${random.whole(2, 4)}`])),
    ...{ oneWay: [], takeBack: random.pick(['everything', 'affected']) },
  };
  const operations = Array.from({ length: random.pick([0, 0, 1, 2]) }, (): Happening => {
    const atSeconds = random.whole(60, seconds - 1);
    const operation = random.pick(['roll-back', 'resume', 'freeze'] as const);
    return { atSeconds, what: 'operate-migration', migrationId, operation };
  });
  return [migrate, ...operations];
}

function drawOther(
  random: SeededRandom,
  what: What,
  services: readonly string[],
  seconds: number,
): Happening {
  const atSeconds = random.whole(30, seconds - 1);
  const service = random.pick(services);
  const slot = random.pick(['blue', 'green'] as const);
  switch (what) {
    case 'operate':
      return { atSeconds, what, service, ...drawOperation(random) };
    case 'shift-by-hand':
      return { atSeconds, what, service, greenWeight: random.pick([0, 0, 1, 5, 20, 50, 100]) };
    case 'lose-tasks':
      return { atSeconds, what, service, slot, tasks: random.whole(1, 4) };
    case 'autoscale':
      return { atSeconds, what, service, slot, tasks: random.whole(1, 8) };
    case 'incident':
      return {
        atSeconds,
        what,
        service,
        revision: random.pick([null, `${service}:1`, `${service}:2`]),
        minutes: random.whole(2, 15),
        errorRate: random.pick([0, 0.1, 0.5]),
        slower: random.pick([1, 1, 8]),
      };
    case 'set-alarm':
      return {
        atSeconds,
        what,
        alarm: `${service}-${random.pick(['blue-errors', 'green-errors', 'errors', 'slow'])}`,
        state: random.pick(['ALARM', 'OK', 'INSUFFICIENT_DATA']),
      };
    case 'stop-execution':
      return { atSeconds, what, machine: random.pick(['rollout', 'rollback']) };
    case 'deploy':
      return { atSeconds, what };
    case 'send-elsewhere':
    case 'fire-exit':
      return { atSeconds, what, service };
    case 'request':
      return { atSeconds, what, service, revision: `${service}:2`, rolloutId: `${service}-more` };
  }
}

function drawOperation(random: SeededRandom) {
  const operation = random.pick([
    'pause',
    'resume',
    'approve',
    'promote',
    'promote-fully',
    'abort',
    'override',
    'lift-override',
  ] as const);
  return operation === 'override'
    ? { operation, why: 'drawn', untilMinutes: 20 }
    : { operation, why: 'drawn' };
}
