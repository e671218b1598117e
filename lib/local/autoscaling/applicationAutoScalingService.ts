/** Application Auto Scaling on one machine: bounds, suspension and target tracking for ECS services. */
import * as sdk from '@aws-sdk/client-application-auto-scaling';
import type { Clock } from '../../asl/clock.ts';
import type { Place } from '../cloudEvent.ts';
import type { MetricStore } from '../cloudwatch/metricStore.ts';
import type { ServiceCounts } from '../ecs/ecsService.ts';
import type { LocalService } from '../service.ts';
import { Scaler } from './scaler.ts';
import { scalingOperations } from './scalingOperations.ts';
import { ScalingState } from './scalingState.ts';

export type ApplicationAutoScalingDeps = {
  readonly clock: Clock;
  readonly place: Place;
  /** The ECS services whose counts are scaled. */
  readonly counts: ServiceCounts;
  /** Where policies find their metrics: CloudWatch's store. */
  readonly store: MetricStore;
  /** How often policies are looked at, and the period of their metrics; 60 on AWS. */
  readonly periodSeconds?: number;
};

export function applicationAutoScalingService(deps: ApplicationAutoScalingDeps): LocalService {
  const { clock, place, counts, store, periodSeconds = 60 } = deps;
  const state = new ScalingState();
  const scaler = new Scaler({ clock, state, counts, store, periodSeconds });
  return {
    scope: 'application-autoscaling',
    sdk,
    operations: scalingOperations({ clock, place, state, scaler, counts }),
    close: async () => scaler.close(),
  };
}
