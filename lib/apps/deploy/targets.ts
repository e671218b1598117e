/** What of the account each configured service touches, as ARNs: roles name these and nothing else. */
import type { Target } from '../../../events/target.ts';
import type { Configuration } from '../../core/config/configuration.ts';
import { type Cfn, localArn } from './cloudFormation.ts';

export type TargetArns = {
  readonly listenerRules: readonly Cfn[];
  readonly listeners: readonly Cfn[];
  readonly targetGroups: readonly Cfn[];
  readonly ecsServices: readonly Cfn[];
  /** Roles of task definitions, which a change of the task definition hands to ECS. */
  readonly passedRoles: readonly Cfn[];
};

export function targetArns({ services, deployment }: Configuration): TargetArns {
  const targets = services.map(({ target }) => target);
  const rules = [
    ...new Set(targets.flatMap((target) => (target.kind === 'ecs-alb' ? [target.ruleArn] : []))),
  ];
  return {
    listenerRules: rules.filter((arn) => !isListener(arn)),
    listeners: rules.filter(isListener),
    targetGroups: targets.flatMap((target) =>
      target.kind === 'ecs-alb' ? [target.targetGroups.blue, target.targetGroups.green] : [],
    ),
    ecsServices: targets.flatMap(ecsServiceArns),
    passedRoles: [...new Set(Object.values(deployment.services).flatMap(({ passRoles }) => passRoles))],
  };
}

const isListener = (arn: string): boolean => arn.includes(':listener/');

function ecsServiceArns(target: Target): readonly Cfn[] {
  if (target.kind !== 'ecs-alb') return [];
  const { blue, green } = target.services;
  return [blue, green].map((service) => localArn('ecs', `service/${clusterName(target.cluster)}/${service}`));
}

/** A cluster is given by name or by ARN. */
const clusterName = (cluster: string): string => cluster.split('/').at(-1) ?? cluster;
