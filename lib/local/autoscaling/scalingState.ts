/** Scalable targets, their policies, and what was done. */
import type {
  ScalingActivity,
  SuspendedState,
  TargetTrackingScalingPolicyConfiguration,
} from '@aws-sdk/client-application-auto-scaling';
import { ServiceError } from '../service.ts';

export type ScalableTarget = {
  readonly arn: string;
  /** `service/<cluster>/<service>`. */
  readonly resourceId: string;
  readonly cluster: string;
  readonly service: string;
  readonly createdMs: number;
  minimum: number;
  maximum: number;
  suspended: Required<SuspendedState>;
  tags: Record<string, string>;
};

export type ScalingPolicy = {
  readonly arn: string;
  readonly name: string;
  readonly target: ScalableTarget;
  readonly createdMs: number;
  tracking: TargetTrackingScalingPolicyConfiguration;
};

export class ScalingState {
  readonly targets = new Map<string, ScalableTarget>();
  readonly policies = new Map<string, ScalingPolicy>();
  /** Newest first. */
  activities: ScalingActivity[] = [];

  /** @throws ServiceError `ObjectNotFoundException` */
  target(resourceId: string | undefined): ScalableTarget {
    const found = this.targets.get(resourceId ?? '');
    if (!found)
      throw new ServiceError(
        'ObjectNotFoundException',
        `No scalable target found for service namespace: ecs, resource ID: ${resourceId}, ` +
          'scalable dimension: ecs:service:DesiredCount',
      );
    return found;
  }

  policiesOf(target: ScalableTarget): readonly ScalingPolicy[] {
    return [...this.policies.values()].filter((policy) => policy.target === target);
  }
}

export const policyKey = (resourceId: string, name: string): string => `${resourceId} ${name}`;
