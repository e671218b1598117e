/** What people, other tools and the world do, each at its second. */
import { unreachable } from '../../core/decision.ts';
import { shiftByHand } from '../../sim/balancer.ts';
import type { SimLambda } from '../../sim/lambda.ts';
import type { ExecutionDesk } from '../../sim/machines.ts';
import type { Place } from '../../sim/places.ts';
import type { SimClock } from '../../sim/simClock.ts';
import type { SimWorld } from '../../sim/world.ts';
import type { Happening } from './scenario.ts';

/** What happenings reach of a simulation. */
type Simulation = {
  readonly world: SimWorld;
  readonly lambda: SimLambda;
  readonly desk: ExecutionDesk;
  readonly clock: Pick<SimClock, 'now'>;
  request(detail: object): void;
  operate(detail: object): void;
  migrate(detail: object): void;
  operateMigration(detail: object): void;
};

export function happen(simulation: Simulation, happening: Happening): void {
  const { world } = simulation;
  switch (happening.what) {
    case 'request':
      simulation.request({ ...detailOf(happening), requestedBy: 'a person' });
      return;
    case 'operate':
      simulation.operate({ ...detailOf(happening), by: 'a person' });
      return;
    case 'migrate':
      simulation.migrate({ ...detailOf(happening), requestedBy: 'a person' });
      return;
    case 'operate-migration':
      simulation.operateMigration({ ...detailOf(happening), by: 'a person', why: 'the scene says so' });
      return;
    case 'shift-by-hand':
      shiftByHand(
        placeIn(simulation, happening.service).balancer,
        'green',
        happening.greenWeight,
        'a person',
      );
      return;
    case 'send-elsewhere':
      placeIn(simulation, happening.service).balancer.set(
        { kind: 'unknown', what: 'the rule answers with a fixed response' },
        'a person',
        false,
      );
      return;
    case 'fire-exit':
      simulation.lambda
        .invoke('fall-back', { ...detailOf(happening), why: 'all is dark', by: 'a person' })
        .catch(() => undefined);
      return;
    case 'lose-tasks':
      placeIn(simulation, happening.service).slots[happening.slot].lose(happening.tasks);
      return;
    case 'autoscale':
      placeIn(simulation, happening.service).slots[happening.slot].autoscale(happening.tasks);
      return;
    case 'incident':
      beginIncident(simulation, happening);
      return;
    case 'set-alarm':
      world.alarms.set(happening.alarm, happening.state, 'set by hand');
      return;
    case 'stop-execution':
      stopNewest(simulation, happening.machine);
      return;
    case 'deploy':
      deployed(world);
      return;
    default:
      unreachable(happening);
  }
}

function detailOf({ atSeconds: _, what: __, ...detail }: Happening) {
  return detail;
}

function beginIncident(
  { clock, world }: Simulation,
  happening: Extract<Happening, { what: 'incident' }>,
): void {
  const { service, revision, minutes, errorRate, slower } = happening;
  const fromMs = clock.now();
  const toMs = fromMs + minutes * 60_000;
  world.behaviours.incidents.push({ service, fromMs, toMs, revision, errorRate, slower });
}

function stopNewest({ desk }: Simulation, machine: string): void {
  const running = [...desk.executions.values()].filter((one) => one.machine === machine && one.isRunning());
  running.at(-1)?.stop();
}

/** What stands in the store was folded by the version before: its schema is another. */
function deployed({ table }: SimWorld): void {
  for (const [stream, head] of table.heads) {
    if (head.snapshot === null) continue;
    table.heads.set(stream, { ...head, snapshot: { ...head.snapshot, schema: 0 } });
  }
}

function placeIn({ world }: Simulation, service: string): Place {
  const place = world.places.get(service);
  if (place === undefined) throw new RangeError(`there is no service ${service}`);
  return place;
}
