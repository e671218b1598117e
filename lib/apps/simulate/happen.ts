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
    case 'request': {
      const { atSeconds: _, what: __, ...detail } = happening;
      simulation.request({ ...detail, requestedBy: 'a person' });
      return;
    }
    case 'operate': {
      const { atSeconds: _, what: __, ...detail } = happening;
      simulation.operate({ ...detail, by: 'a person' });
      return;
    }
    case 'migrate': {
      const { atSeconds: _, what: __, ...detail } = happening;
      simulation.migrate({ ...detail, requestedBy: 'a person' });
      return;
    }
    case 'operate-migration': {
      const { atSeconds: _, what: __, ...detail } = happening;
      simulation.operateMigration({ ...detail, by: 'a person', why: 'the scene says so' });
      return;
    }
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
        .invoke('fall-back', { service: happening.service, why: 'all is dark', by: 'a person' })
        .catch(() => undefined);
      return;
    case 'lose-tasks':
      placeIn(simulation, happening.service).slots[happening.slot].lose(happening.tasks);
      return;
    case 'autoscale':
      placeIn(simulation, happening.service).slots[happening.slot].autoscale(happening.tasks);
      return;
    case 'incident': {
      const { service, revision, minutes, errorRate, slower } = happening;
      const fromMs = simulation.clock.now();
      const toMs = fromMs + minutes * 60_000;
      world.behaviours.incidents.push({ service, fromMs, toMs, revision, errorRate, slower });
      return;
    }
    case 'set-alarm':
      world.alarms.set(happening.alarm, happening.state, 'set by hand');
      return;
    case 'stop-execution': {
      const running = [...simulation.desk.executions.values()].filter(
        (execution) => execution.machine === happening.machine && execution.isRunning(),
      );
      running.at(-1)?.stop();
      return;
    }
    case 'deploy':
      // What stands in the store was folded by the version before: its schema is another.
      for (const [stream, head] of world.table.heads) {
        if (head.snapshot === null) continue;
        world.table.heads.set(stream, { ...head, snapshot: { ...head.snapshot, schema: 0 } });
      }
      return;
    default:
      unreachable(happening);
  }
}

function placeIn({ world }: Simulation, service: string): Place {
  const place = world.places.get(service);
  if (place === undefined) throw new RangeError(`there is no service ${service}`);
  return place;
}
