/** Application Auto Scaling's API, for the desired counts of ECS services. */
import type {
  DescribeScalableTargetsCommandInput,
  DescribeScalingActivitiesCommandInput,
  DescribeScalingPoliciesCommandInput,
  PutScalingPolicyCommandInput,
  RegisterScalableTargetCommandInput,
  ScalableTarget as WireTarget,
} from '@aws-sdk/client-application-auto-scaling';
import type { Clock } from '../../asl/clock.ts';
import { formatArn } from '../arn.ts';
import type { Place } from '../cloudEvent.ts';
import type { ServiceCounts } from '../ecs/ecsService.ts';
import { shortId } from '../ecs/ids.ts';
import { pageOf } from '../page.ts';
import { type Operation, ServiceError } from '../service.ts';
import type { Scaler } from './scaler.ts';
import { policyKey, type ScalableTarget, type ScalingPolicy, type ScalingState } from './scalingState.ts';
import { trackedQueries } from './trackedMetric.ts';

export type ScalingDesk = {
  readonly clock: Clock;
  readonly place: Place;
  readonly state: ScalingState;
  readonly scaler: Scaler;
  readonly counts: ServiceCounts;
};

const DIMENSION = 'ecs:service:DesiredCount';
/** ApplicationAutoScaling reference: `MaxResults` at most 50. */
const PAGE_MAX = 50;

type Named = {
  ServiceNamespace?: string | undefined;
  ResourceId?: string | undefined;
  ScalableDimension?: string | undefined;
};

export function scalingOperations(desk: ScalingDesk): Readonly<Record<string, Operation>> {
  const { state } = desk;
  return {
    RegisterScalableTarget: (input: RegisterScalableTargetCommandInput) => {
      checkNamed(input);
      const target = register(desk, input);
      desk.scaler.keepWithinBounds(target);
      return { ScalableTargetARN: target.arn };
    },
    DescribeScalableTargets: (input: DescribeScalableTargetsCommandInput) => {
      checkNamespace(input.ServiceNamespace);
      const found = [...state.targets.values()].filter(
        ({ resourceId }) => input.ResourceIds === undefined || input.ResourceIds.includes(resourceId),
      );
      const page = pageFor(found, input);
      return { ScalableTargets: page.items.map(wireTarget), NextToken: page.next };
    },
    DeregisterScalableTarget: (input: Named) => {
      checkNamed(input);
      const target = state.target(input.ResourceId);
      for (const policy of state.policiesOf(target))
        state.policies.delete(policyKey(target.resourceId, policy.name));
      state.targets.delete(target.resourceId);
      return {};
    },
    PutScalingPolicy: (input: PutScalingPolicyCommandInput) => {
      checkNamed(input);
      return { PolicyARN: putPolicy(desk, input).arn, Alarms: [] };
    },
    DescribeScalingPolicies: (input: DescribeScalingPoliciesCommandInput) => {
      checkNamespace(input.ServiceNamespace);
      const found = [...state.policies.values()]
        .filter(({ target }) => input.ResourceId === undefined || target.resourceId === input.ResourceId)
        .filter(({ name }) => input.PolicyNames === undefined || input.PolicyNames.includes(name));
      const page = pageFor(found, input);
      return { ScalingPolicies: page.items.map(wirePolicy), NextToken: page.next };
    },
    DeleteScalingPolicy: (input: Named & { PolicyName?: string }) => {
      checkNamed(input);
      if (!state.policies.delete(policyKey(input.ResourceId ?? '', input.PolicyName ?? '')))
        throw new ServiceError(
          'ObjectNotFoundException',
          `No scaling policy found for ${input.ResourceId} and policy name ${input.PolicyName}`,
        );
      return {};
    },
    DescribeScalingActivities: (input: DescribeScalingActivitiesCommandInput) => {
      checkNamespace(input.ServiceNamespace);
      const found = state.activities.filter(
        ({ ResourceId }) => input.ResourceId === undefined || ResourceId === input.ResourceId,
      );
      const page = pageFor(found, input);
      return { ScalingActivities: page.items, NextToken: page.next };
    },
    ...tagOperations(state),
  };
}

function register(
  { clock, place, state, counts }: ScalingDesk,
  input: RegisterScalableTargetCommandInput,
): ScalableTarget {
  const { ResourceId: resourceId = '', MinCapacity, MaxCapacity, SuspendedState: suspended } = input;
  const known = state.targets.get(resourceId);
  const minimum = MinCapacity ?? known?.minimum;
  const maximum = MaxCapacity ?? known?.maximum;
  if (minimum === undefined || maximum === undefined)
    throw invalid('MinCapacity and MaxCapacity are required when a new scalable target is registered');
  if (minimum < 0 || maximum < 0 || minimum > maximum)
    throw invalid('Maximum capacity cannot be less than minimum capacity, and neither can be negative');
  const [, cluster = '', service = ''] = resourceId.split('/');
  if (counts.desired(cluster, service) === null) throw invalid(`ECS service doesn't exist: ${resourceId}`);
  const target: ScalableTarget = known ?? {
    arn: formatArn('application-autoscaling', place, `scalable-target/${shortId().replaceAll('-', '')}`),
    resourceId,
    cluster,
    service,
    createdMs: clock.now(),
    minimum,
    maximum,
    suspended: {
      DynamicScalingInSuspended: false,
      DynamicScalingOutSuspended: false,
      ScheduledScalingSuspended: false,
    },
    tags: input.Tags ?? {},
  };
  target.minimum = minimum;
  target.maximum = maximum;
  for (const key of Object.keys(target.suspended) as (keyof typeof target.suspended)[])
    target.suspended[key] = suspended?.[key] ?? target.suspended[key];
  state.targets.set(resourceId, target);
  return target;
}

function putPolicy({ clock, place, state }: ScalingDesk, input: PutScalingPolicyCommandInput): ScalingPolicy {
  const target = state.target(input.ResourceId);
  const {
    PolicyName: name = '',
    PolicyType: type,
    TargetTrackingScalingPolicyConfiguration: tracking,
  } = input;
  if ((type ?? 'TargetTrackingScaling') !== 'TargetTrackingScaling' || !tracking)
    throw invalid('Only target tracking policies are emulated by the local cloud.');
  if (!((tracking.TargetValue ?? 0) > 0)) throw invalid('TargetValue must be greater than 0.');
  trackedQueries(target, tracking, 60);
  const key = policyKey(target.resourceId, name);
  const known = state.policies.get(key);
  if (known) {
    known.tracking = tracking;
    return known;
  }
  const path = `scalingPolicy:${shortId()}:resource/ecs/${target.resourceId}:policyName/${name}`;
  const arn = formatArn('autoscaling', place, path);
  const policy: ScalingPolicy = { arn, name, target, createdMs: clock.now(), tracking };
  state.policies.set(key, policy);
  return policy;
}

type Tagging = { ResourceARN?: string; Tags?: Record<string, string>; TagKeys?: string[] };

function tagOperations(state: ScalingState): Readonly<Record<string, Operation>> {
  const byArn = ({ ResourceARN }: Tagging): ScalableTarget => {
    const found = [...state.targets.values()].find(({ arn }) => arn === ResourceARN);
    if (!found)
      throw new ServiceError(
        'ResourceNotFoundException',
        `The specified resource doesn't exist: ${ResourceARN}`,
      );
    return found;
  };
  return {
    TagResource: (input: Tagging) => {
      Object.assign(byArn(input).tags, input.Tags);
      return {};
    },
    UntagResource: (input: Tagging) => {
      const { tags } = byArn(input);
      for (const key of input.TagKeys ?? []) delete tags[key];
      return {};
    },
    ListTagsForResource: (input: Tagging) => ({ Tags: byArn(input).tags }),
  };
}

function checkNamespace(namespace: string | undefined): void {
  if (namespace !== 'ecs')
    throw invalid(`The service namespace ${namespace} is not emulated by the local cloud, only ecs is.`);
}

function checkNamed({ ServiceNamespace, ResourceId, ScalableDimension }: Named): void {
  checkNamespace(ServiceNamespace);
  if (ScalableDimension !== DIMENSION)
    throw invalid(`Unsupported service namespace, resource type or scalable dimension: ${ScalableDimension}`);
  if (!/^service\/[^/]+\/[^/]+$/.test(ResourceId ?? ''))
    throw invalid(`Invalid resource ID: ${ResourceId}, it must be service/<cluster>/<service>`);
}

function pageFor<T>(
  all: readonly T[],
  { NextToken, MaxResults }: { NextToken?: string | undefined; MaxResults?: number | undefined },
) {
  const page = pageOf(all, Math.min(PAGE_MAX, MaxResults ?? PAGE_MAX), NextToken);
  if (page === null) throw new ServiceError('InvalidNextTokenException', 'The next token is invalid');
  return page;
}

const wireTarget = (target: ScalableTarget): WireTarget => ({
  ServiceNamespace: 'ecs',
  ResourceId: target.resourceId,
  ScalableDimension: DIMENSION,
  MinCapacity: target.minimum,
  MaxCapacity: target.maximum,
  RoleARN:
    'arn:aws:iam::aws:role/aws-service-role/ecs.application-autoscaling.amazonaws.com/' +
    'AWSServiceRoleForApplicationAutoScaling_ECSService',
  CreationTime: new Date(target.createdMs),
  SuspendedState: { ...target.suspended },
  ScalableTargetARN: target.arn,
});

const wirePolicy = (policy: ScalingPolicy) => ({
  PolicyARN: policy.arn,
  PolicyName: policy.name,
  ServiceNamespace: 'ecs',
  ResourceId: policy.target.resourceId,
  ScalableDimension: DIMENSION,
  PolicyType: 'TargetTrackingScaling',
  TargetTrackingScalingPolicyConfiguration: policy.tracking,
  Alarms: [],
  CreationTime: new Date(policy.createdMs),
});

const invalid = (message: string): ServiceError => new ServiceError('ValidationException', message);
