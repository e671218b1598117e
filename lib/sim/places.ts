/** One simulated service: where its traffic is split, what runs there, how it is counted. */
import type { EcsAlbTarget, Slot } from '../../events/target.ts';
import type { Bounds } from '../ports.ts';
import { Balancer } from './balancer.ts';
import type { Behaviours } from './behaviour.ts';
import { Meter } from './meter.ts';
import { MetricReader, type MetricTrouble } from './metrics.ts';
import type { SimClock } from './simClock.ts';
import { SlotState } from './slots.ts';

export type ServiceDescription = {
  readonly service: string;
  /** Stable at the beginning, with all traffic and all tasks. */
  readonly revision: string;
  readonly tasks: number;
  readonly requestsPerSecond: number;
  /** null: nothing scales it. */
  readonly bounds: Bounds | null;
};

export type Place = {
  readonly service: string;
  readonly balancer: Balancer;
  readonly slots: Readonly<Record<Slot, SlotState>>;
  readonly meter: Meter;
  readonly metrics: MetricReader;
};

export const targetOf = (service: string): EcsAlbTarget => ({
  kind: 'ecs-alb',
  cluster: 'simulated',
  services: { blue: `${service}-blue`, green: `${service}-green` },
  targetGroups: {
    blue: `arn:aws:elasticloadbalancing:sim:0:targetgroup/${service}-blue/1`,
    green: `arn:aws:elasticloadbalancing:sim:0:targetgroup/${service}-green/2`,
  },
  ruleArn: `arn:aws:elasticloadbalancing:sim:0:listener-rule/app/${service}/3/4/5`,
});

export type FailedTask = { readonly service: string; readonly slot: Slot; readonly revision: string };

/** @param tell of each task that ended by itself */
export function openPlace(
  clock: SimClock,
  seed: number,
  behaviours: Behaviours,
  troubles: readonly MetricTrouble[],
  tell: (failed: FailedTask) => void,
  { service, revision, tasks, requestsPerSecond, bounds }: ServiceDescription,
): Place {
  const slots = {
    blue: new SlotState(clock, behaviours, revision, tasks, bounds, (failed) =>
      tell({ service, slot: 'blue', revision: failed }),
    ),
    green: new SlotState(clock, behaviours, revision, 0, bounds && { ...bounds, min: 0 }, (failed) =>
      tell({ service, slot: 'green', revision: failed }),
    ),
  };
  const balancer = new Balancer(clock, 'blue', (slot) => slots[slot].desired);
  const meter = new Meter(seed, service, requestsPerSecond, behaviours, balancer, slots);
  const own = troubles.filter((trouble) => trouble.service === service);
  return { service, balancer, slots, meter, metrics: new MetricReader(clock, meter, own) };
}
