/**
 * Changes desired counts: keeps them within their bounds as soon as those change, and follows the policies
 * once a period. A suspended direction is left alone, whatever asks for it.
 */
import type { Clock } from '../../asl/clock.ts';
import type { Slot } from '../cloudwatch/alarmEvaluation.ts';
import { evaluateQueries } from '../cloudwatch/metricQueries.ts';
import type { MetricStore } from '../cloudwatch/metricStore.ts';
import type { ServiceCounts } from '../ecs/ecsService.ts';
import { shortId } from '../ecs/ids.ts';
import type { ScalableTarget, ScalingPolicy, ScalingState } from './scalingState.ts';
import { decideTracking, trackedPeriods } from './targetTracking.ts';
import { trackedQueries } from './trackedMetric.ts';

export type ScalerWorld = {
  readonly clock: Clock;
  readonly state: ScalingState;
  readonly counts: ServiceCounts;
  readonly store: MetricStore;
  /** 60 on AWS. */
  readonly periodSeconds: number;
};

/** For ECS (ApplicationAutoScaling reference, `TargetTrackingScalingPolicyConfiguration`). */
const COOLDOWN_SECONDS = 300;
const ACTIVITIES_MAX = 500;

export class Scaler {
  readonly #world: ScalerWorld;
  readonly #lastMs = new Map<string, number>();
  #cancel: () => void;

  constructor(world: ScalerWorld) {
    this.#world = world;
    this.#cancel = this.#later();
  }

  /** Brings the count within the bounds; told when they or the suspension changed. */
  keepWithinBounds(target: ScalableTarget): void {
    const current = this.#world.counts.desired(target.cluster, target.service);
    if (current === null) return;
    if (current < target.minimum)
      this.#scale(target, 'out', target.minimum, `minimum capacity was set to ${target.minimum}`);
    if (current > target.maximum)
      this.#scale(target, 'in', target.maximum, `maximum capacity was set to ${target.maximum}`);
  }

  close(): void {
    this.#cancel();
  }

  #later(): () => void {
    const periodMs = this.#world.periodSeconds * 1000;
    const nowMs = this.#world.clock.now();
    // A fifth of the period after the full mark: metrics are in by then, and alarms were looked at.
    const nextMs = (Math.floor((nowMs - periodMs / 5) / periodMs) + 1) * periodMs + periodMs / 5;
    return this.#world.clock.schedule(nextMs - nowMs, () => {
      this.#cancel = this.#later();
      for (const target of this.#world.state.targets.values()) {
        this.keepWithinBounds(target);
        for (const policy of this.#world.state.policiesOf(target)) this.#follow(policy);
      }
    });
  }

  #follow(policy: ScalingPolicy): void {
    const { clock, counts } = this.#world;
    const { target, tracking } = policy;
    const current = counts.desired(target.cluster, target.service);
    if (current === null || current === 0) return;
    const decision = decideTracking(this.#slots(policy), {
      targetValue: tracking.TargetValue ?? Number.POSITIVE_INFINITY,
      scaleInDisabled: tracking.DisableScaleIn ?? false,
      current,
      minimum: target.minimum,
      maximum: target.maximum,
    });
    if (!decision) return;
    const cooldown = decision.direction === 'out' ? tracking.ScaleOutCooldown : tracking.ScaleInCooldown;
    const lastMs = this.#lastMs.get(target.resourceId) ?? Number.NEGATIVE_INFINITY;
    if (clock.now() - lastMs < (cooldown ?? COOLDOWN_SECONDS) * 1000) return;
    const high = decision.direction === 'out' ? 'AlarmHigh' : 'AlarmLow';
    const cause =
      `monitor alarm TargetTracking-${target.resourceId}-${high} in state ALARM ` +
      `triggered policy ${policy.name}`;
    if (this.#scale(target, decision.direction, decision.count, cause))
      this.#lastMs.set(target.resourceId, clock.now());
  }

  #slots({ target, tracking }: ScalingPolicy): Slot[] {
    const { clock, store, periodSeconds } = this.#world;
    const stepMs = periodSeconds * 1000;
    const endMs = Math.floor(clock.now() / stepMs) * stepMs;
    const startMs = endMs - trackedPeriods * stepMs;
    const { queries, watchedId } = trackedQueries(target, tracking, periodSeconds);
    const results = evaluateQueries(store, queries, { startMs, endMs, exact: true });
    const points = results.find(({ id }) => id === watchedId)?.series[0]?.points;
    return Array.from({ length: trackedPeriods }, (_, i) => {
      const atMs = startMs + i * stepMs;
      return { atMs, value: points?.get(atMs) ?? null };
    });
  }

  #scale(target: ScalableTarget, direction: 'out' | 'in', count: number, cause: string): boolean {
    const { state, counts, clock } = this.#world;
    const { DynamicScalingInSuspended: noIn, DynamicScalingOutSuspended: noOut } = target.suspended;
    if (direction === 'out' ? noOut : noIn) return false;
    counts.setDesired(target.cluster, target.service, count);
    const at = new Date(clock.now());
    const activity = {
      ActivityId: shortId(),
      ServiceNamespace: 'ecs' as const,
      ResourceId: target.resourceId,
      ScalableDimension: 'ecs:service:DesiredCount' as const,
      Description: `Setting desired count to ${count}.`,
      Cause: cause,
      StartTime: at,
      EndTime: at,
      StatusCode: 'Successful' as const,
      StatusMessage: `Successfully set desired count to ${count}. Change successfully fulfilled by ecs.`,
    };
    state.activities = [activity, ...state.activities].slice(0, ACTIVITIES_MAX);
    return true;
  }
}
