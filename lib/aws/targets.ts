/**
 * Traffic, workload and metrics of a target, by its kind. An adapter is made when its kind is asked for:
 * a bundle holds only the kinds that are configured, and a call to another says so.
 */
import type { APIGatewayClient } from '@aws-sdk/client-api-gateway';
import type { ApplicationAutoScalingClient } from '@aws-sdk/client-application-auto-scaling';
import type { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import type { ECSClient } from '@aws-sdk/client-ecs';
import type { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { Route53Client } from '@aws-sdk/client-route-53';
import type { EcsAlbTarget, Slot, Target } from '../../events/target.ts';
import { sourceOf } from '../core/config/metricsSource.ts';
import { TargetMissing } from '../core/outage.ts';
import type { FallBackMark, Metrics, OverrideMark, Pause, Traffic, Workload } from '../ports.ts';
import { apiStageMetrics } from './metrics/apiStage.ts';
import { ecsAlbMetrics } from './metrics/ecsAlb.ts';
import { emfMetrics } from './metrics/emf.ts';
import { lambdaAliasMetrics } from './metrics/lambdaAlias.ts';
import { prometheusMetrics } from './metrics/prometheus.ts';
import { ecsAlbScaling } from './scaling/ecsAlb.ts';
import { albTraffic } from './traffic/alb.ts';
import { apiStageTraffic } from './traffic/apiStage.ts';
import { dnsTraffic } from './traffic/dns.ts';
import { ecsAlbTraffic } from './traffic/ecsAlb.ts';
import { ecsAlbWorkload } from './workload/ecsAlb.ts';

/** The adapter's own kind, or a sentence for a kind that nothing here can serve. */
function ecsAlb(target: Target): EcsAlbTarget {
  if (target.kind === 'ecs-alb') return target;
  throw unserved(target.kind, 'ecs-alb');
}

const unserved = (kind: string, served: string): TargetMissing =>
  new TargetMissing(`no adapter here serves targets of kind ${kind}: ${served} is served`);

/** Rollouts move ECS services behind a balancer. */
export function awsTraffic(balancer: ElasticLoadBalancingV2Client, pause: Pause): Traffic {
  return trafficBy((target) => {
    const served = ecsAlb(target);
    return bound(ecsAlbTraffic(balancer, pause), served);
  });
}

export type FallbackClients = {
  readonly balancer: ElasticLoadBalancingV2Client;
  readonly apiGateway: APIGatewayClient;
  readonly route53: Route53Client;
};

/** The old world may be anywhere traffic can be sent. */
export function fallbackTraffic({ balancer, apiGateway, route53 }: FallbackClients, pause: Pause): Traffic {
  return trafficBy((target) => {
    switch (target.kind) {
      case 'ecs-alb':
        return bound(ecsAlbTraffic(balancer, pause), target);
      case 'alb':
        return bound(albTraffic(balancer, pause), target);
      case 'api-stage':
        return bound(apiStageTraffic(apiGateway), target);
      case 'dns':
        return bound(dnsTraffic(route53), target);
      default:
        throw unserved(target.kind, 'ecs-alb, alb, api-stage and dns');
    }
  });
}

/** One kind's adapter. */
type TrafficOf<T> = {
  read(target: T): ReturnType<Traffic['read']>;
  shift(target: T, slot: Parameters<Traffic['shift']>[1], weight: number): Promise<void>;
  markStable(target: T, slot: Slot, knows: number): Promise<void>;
  stableMark(target: T): ReturnType<Traffic['stableMark']>;
  /** Left out where a target carries no notes. */
  markFallBack?(target: T, mark: FallBackMark): Promise<void>;
  fallBackMark?(target: T): Promise<FallBackMark | null>;
  markOverride?(target: T, mark: OverrideMark): Promise<void>;
  overrideMark?(target: T): Promise<OverrideMark | null>;
};

const bound = <T>(adapter: TrafficOf<T>, target: T) => ({
  read: () => adapter.read(target),
  shift: (slot: Parameters<Traffic['shift']>[1], weight: number) => adapter.shift(target, slot, weight),
  markStable: (slot: Slot, knows: number) => adapter.markStable(target, slot, knows),
  stableMark: () => adapter.stableMark(target),
  markFallBack: async (mark: FallBackMark) => adapter.markFallBack?.(target, mark),
  fallBackMark: async () => (await adapter.fallBackMark?.(target)) ?? null,
  markOverride: async (mark: OverrideMark) => adapter.markOverride?.(target, mark),
  overrideMark: async () => (await adapter.overrideMark?.(target)) ?? null,
});

const trafficBy = (serve: (target: Target) => ReturnType<typeof bound>): Traffic => ({
  read: async (target) => serve(target).read(),
  shift: async (target, slot, weight) => serve(target).shift(slot, weight),
  markStable: async (target, slot, knows) => serve(target).markStable(slot, knows),
  stableMark: async (target) => serve(target).stableMark(),
  markFallBack: async (target, mark) => serve(target).markFallBack(mark),
  fallBackMark: async (target) => serve(target).fallBackMark(),
  markOverride: async (target, mark) => serve(target).markOverride(mark),
  overrideMark: async (target) => serve(target).overrideMark(),
});

/** What runs in the slots; their bounds are `awsScaling`'s. */
export function awsWorkload(
  ecs: ECSClient,
  balancer: ElasticLoadBalancingV2Client,
): Pick<Workload, 'read' | 'place' | 'scale'> {
  const alb = () => ecsAlbWorkload({ ecs, balancer });
  return {
    read: async (target, slot) => alb().read(ecsAlb(target), slot),
    place: async (target, slot, revision, tasks) => alb().place(ecsAlb(target), slot, revision, tasks),
    scale: async (target, slot, tasks) => alb().scale(ecsAlb(target), slot, tasks),
  };
}

export function awsScaling(
  scaling: ApplicationAutoScalingClient,
): Pick<Workload, 'bounds' | 'pin' | 'release'> {
  const alb = () => ecsAlbScaling(scaling);
  return {
    bounds: async (target, slot) => alb().bounds(ecsAlb(target), slot),
    pin: async (target, slot, tasks) => alb().pin(ecsAlb(target), slot, tasks),
    release: async (target, slot, bounds) => alb().release(ecsAlb(target), slot, bounds),
  };
}

/** @param environment credentials and region for sources that no SDK client asks */
export function awsMetrics(
  cloudWatch: CloudWatchClient,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Metrics {
  const read = ({ target, source, revisions }: MetricsQuestion) => {
    const from = sourceOf(target, source);
    switch (from?.kind) {
      case 'ecs-alb':
        return ecsAlbMetrics(cloudWatch, ecsAlb(target), from.business);
      case 'emf':
        return emfMetrics(cloudWatch, from);
      case 'lambda-alias':
        if (target.kind !== 'lambda-alias') break;
        return lambdaAliasMetrics(cloudWatch, target, revisions, from.business);
      case 'api-stage':
        if (target.kind !== 'api-stage') break;
        return apiStageMetrics(cloudWatch, target, from);
      case 'prometheus':
        return prometheusMetrics(from, environment);
    }
    const which = from === null ? 'no metrics are configured' : `metrics of kind ${from?.kind} are not those`;
    throw new TargetMissing(`${which} of a target of kind ${target.kind}: see metrics in switchback.yml`);
  };
  return {
    minutes: async (query) => read(query).minutes(query),
    percentiles: async (query) => read(query).percentiles(query),
  };
}

type MetricsQuestion = Pick<Parameters<Metrics['minutes']>[0], 'target' | 'source' | 'revisions'>;
