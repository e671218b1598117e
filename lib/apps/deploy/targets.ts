/** What of the account each configured target touches, as ARNs: roles name these and nothing else. */
import type { Target } from '../../../events/target.ts';
import type { Configuration } from '../../core/config/configuration.ts';
import type { MetricsSource } from '../../core/config/metricsSource.ts';
import { type Cfn, localArn, sub } from './cloudFormation.ts';

/** Where rollouts move traffic. */
export const rolloutTargets = ({ services }: Configuration): readonly Target[] =>
  services.map(({ target }) => target);

/** Where the fire exit may move traffic: also to the old world. */
export const fallbackTargets = ({ services }: Configuration): readonly Target[] =>
  services.flatMap(({ target, fallback }) =>
    fallback.target === null ? [target] : [target, fallback.target],
  );

/** Beside the services' own targets. */
export const fallbackPlacesOf = ({ services }: Configuration): readonly Target[] =>
  services.flatMap(({ fallback }) => fallback.target ?? []);

export type BalancerArns = {
  readonly listenerRules: readonly string[];
  readonly listeners: readonly string[];
  readonly targetGroups: readonly string[];
};

export function balancerArns(targets: readonly Target[]): BalancerArns {
  const balanced = targets.flatMap((target) =>
    target.kind === 'ecs-alb' || target.kind === 'alb' ? [target] : [],
  );
  const rules = unique(balanced.map(({ ruleArn }) => ruleArn));
  const isListener = (arn: string): boolean => arn.includes(':listener/');
  return {
    listenerRules: rules.filter((arn) => !isListener(arn)),
    listeners: rules.filter(isListener),
    targetGroups: unique(balanced.flatMap(({ targetGroups }) => [targetGroups.blue, targetGroups.green])),
  };
}

/** API Gateway's ARNs name no account. */
const apiGateway = 'arn:${AWS::Partition}:apigateway:${AWS::Region}';

export const apiStageArns = (targets: readonly Target[]): readonly Cfn[] =>
  unique(
    targets.flatMap((target) =>
      target.kind === 'api-stage' ? [`/restapis/${target.restApiId}/stages/${target.stage}`] : [],
    ),
  ).map((stage) => sub(`${apiGateway}::${stage}`));

export const hostedZoneArns = (targets: readonly Target[]): readonly Cfn[] =>
  unique(targets.flatMap((target) => (target.kind === 'dns' ? [target.hostedZoneId] : []))).map((zone) =>
    sub(`arn:\${AWS::Partition}:route53:::hostedzone/${zone}`),
  );

export const ecsServiceArns = (targets: readonly Target[]): readonly Cfn[] =>
  targets.flatMap(ecsServices).map(({ cluster, name }) => localArn('ecs', `service/${cluster}/${name}`));

/** The ECS services behind a target, one per slot; none where nothing of ECS is. */
export function ecsServices(target: Target): readonly { readonly cluster: string; readonly name: string }[] {
  if (target.kind !== 'ecs-alb') return [];
  // A cluster is given by name or by ARN.
  const cluster = target.cluster.split('/').at(-1) ?? target.cluster;
  return [target.services.blue, target.services.green].map((name) => ({ cluster, name }));
}

/** Workspaces of Amazon Managed Prometheus: the id is a part of the address that queries go to. */
export const workspaceArns = (sources: readonly MetricsSource[]): readonly Cfn[] =>
  unique(sources.flatMap((source) => (source.kind === 'prometheus' ? workspaceIn(source) : []))).map((path) =>
    sub(`arn:\${AWS::Partition}:aps:${path}`),
  );

function workspaceIn({ url, region }: Extract<MetricsSource, { kind: 'prometheus' }>): readonly string[] {
  if (region === undefined) return [];
  const [, id = '*'] = /\/workspaces\/([\w-]+)/.exec(url) ?? [];
  return [`${region}:\${AWS::AccountId}:workspace/${id}`];
}

/** Bearer tokens are kept by Parameter Store, under its own key. */
export const tokenParameterArns = (sources: readonly MetricsSource[]): readonly Cfn[] =>
  unique(
    sources.flatMap((source) =>
      source.kind === 'prometheus' && source.bearerTokenParameter !== undefined
        ? [source.bearerTokenParameter]
        : [],
    ),
  ).map((name) => localArn('ssm', `parameter${name}`));

/** Roles of task definitions, which a change of the task definition hands to ECS. */
export const passedRoles = ({ deployment }: Configuration): readonly string[] =>
  unique(Object.values(deployment.services).flatMap(({ passRoles }) => passRoles));

const unique = (values: readonly string[]): readonly string[] => [...new Set(values)];
