/**
 * What a function may do, by port: whoever builds a port's adapter needs the rights listed for it here, and
 * no others. A resource is `*` only where AWS knows no resource for the action, and then `why` says so.
 *
 * The actions follow from the adapters in lib/aws: a test reads each bundle's SDK commands and refuses a role
 * that allows more or less.
 */
import type { Target } from '../../../events/target.ts';
import type { Configuration } from '../../core/config/configuration.ts';
import { type MetricsSource, sourceOf } from '../../core/config/metricsSource.ts';
import { att, type Cfn, localArn, ref } from './cloudFormation.ts';
import { type Deployment, machineName } from './deployment.ts';
import {
  apiStageArns,
  balancerArns,
  ecsServiceArns,
  fallbackPlacesOf,
  fallbackTargets,
  hostedZoneArns,
  passedRoles,
  rolloutTargets,
  tokenParameterArns,
  workspaceArns,
} from './targets.ts';

export type Grant = {
  readonly actions: readonly string[];
  /** An empty list grants nothing: nothing of the kind is configured. */
  readonly resources: readonly Cfn[] | '*';
  /** Required with `*`. */
  readonly why?: string;
  readonly condition?: { readonly [operator: string]: Cfn };
};

export type Right = (deployment: Deployment) => readonly Grant[];

/**
 * The key of the event table and of the notification topic, through the service that uses it and not
 * directly.
 */
const key = (actions: readonly string[], service: string): Grant => ({
  actions,
  resources: [att('ControllerKey', 'Arn')],
  condition: {
    StringEquals: { 'kms:ViaService': { 'Fn::Sub': `${service}.\${AWS::Region}.amazonaws.com` } },
  },
});

const balancerReads = 'Elastic Load Balancing has no resources for what it describes';

/** None where no target is behind a balancer: a bundle then holds nothing that asks one. */
function balancerGrants(targets: readonly Target[]): readonly Grant[] {
  const { listenerRules, listeners, targetGroups } = balancerArns(targets);
  if (targetGroups.length === 0) return [];
  const reads = ['Listeners', 'Rules', 'Tags'].map((what) => `elasticloadbalancing:Describe${what}`);
  return [
    { actions: reads, resources: '*', why: balancerReads },
    { actions: ['elasticloadbalancing:ModifyRule'], resources: listenerRules },
    { actions: ['elasticloadbalancing:ModifyListener'], resources: listeners },
    { actions: ['elasticloadbalancing:AddTags'], resources: targetGroups },
  ];
}

const ecsTargets = (configuration: Configuration): readonly Target[] =>
  rolloutTargets(configuration).filter(({ kind }) => kind === 'ecs-alb');

const traffic: Right = ({ configuration }) => balancerGrants(ecsTargets(configuration));

/** What a rollout writes down of places to fall back to, and compares after it was taken back. */
const fallbackPlaces: Right = ({ configuration }) => {
  const places = fallbackPlacesOf(configuration);
  const balanced = balancerArns(places).targetGroups.length > 0;
  const reads = ['Listeners', 'Rules'].map((what) => `elasticloadbalancing:Describe${what}`);
  return [
    ...(balanced ? [{ actions: reads, resources: '*' as const, why: balancerReads }] : []),
    { actions: ['apigateway:GET'], resources: apiStageArns(places) },
    { actions: ['route53:ListResourceRecordSets'], resources: hostedZoneArns(places) },
  ];
};

/** The fire exit: every kind of place, and the tasks of the side that failed. */
const fallback: Right = ({ configuration }) => {
  const targets = fallbackTargets(configuration);
  return [
    ...balancerGrants(targets),
    { actions: ['apigateway:GET', 'apigateway:PATCH'], resources: apiStageArns(targets) },
    {
      actions: ['route53:ListResourceRecordSets', 'route53:ChangeResourceRecordSets'],
      resources: hostedZoneArns(targets),
    },
    { actions: ['ecs:DescribeServices', 'ecs:UpdateService'], resources: ecsServiceArns(targets) },
  ];
};

const workload: Right = ({ configuration }) => {
  const services = ecsServiceArns(rolloutTargets(configuration));
  if (services.length === 0) return [];
  return [
    { actions: ['ecs:DescribeServices', 'ecs:UpdateService'], resources: services },
    {
      actions: ['iam:PassRole'],
      resources: passedRoles(configuration),
      condition: { StringEquals: { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' } },
    },
    { actions: ['elasticloadbalancing:DescribeTargetHealth'], resources: '*', why: balancerReads },
  ];
};

/** Stable's bounds while a rollout may need it: pinned by who prepares, released by who ends. */
const scaling: Right = ({ configuration }) => {
  if (ecsServiceArns(rolloutTargets(configuration)).length === 0) return [];
  return [
    {
      actions: ['application-autoscaling:DescribeScalableTargets'],
      resources: '*',
      why: 'Application Auto Scaling has no resources for what it describes',
    },
    {
      actions: ['application-autoscaling:RegisterScalableTarget'],
      // The id in a scalable target's ARN is AWS's own; the condition says which ones are meant.
      resources: [localArn('application-autoscaling', 'scalable-target/*')],
      condition: {
        StringEquals: {
          'application-autoscaling:service-namespace': 'ecs',
          'application-autoscaling:scalable-dimension': 'ecs:service:DesiredCount',
        },
      },
    },
  ];
};

const machine = (deployment: Deployment, name: string): Cfn =>
  localArn('states', `stateMachine:${machineName(deployment, name)}`);

/** A version or an alias is authorised by the machine's own ARN. */
const startMachine =
  (...machines: readonly string[]): Right =>
  (deployment) => [
    { actions: ['states:StartExecution'], resources: machines.map((name) => machine(deployment, name)) },
  ];

const listExecutions =
  (...machines: readonly string[]): Right =>
  (deployment) => [
    { actions: ['states:ListExecutions'], resources: machines.map((name) => machine(deployment, name)) },
  ];

const eventStore: Right = () => [
  {
    actions: ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query'],
    resources: [att('EventTable', 'Arn')],
  },
  {
    actions: ['dynamodb:Query'],
    resources: [{ 'Fn::Sub': '${EventTable.Arn}/index/active' }],
  },
  key(['kms:Decrypt'], 'dynamodb'),
];

/** Consumers' checkpoints, task tokens and effects: small items beside the streams, written in place. */
const checkpoints: Right = () => [
  { actions: ['dynamodb:UpdateItem'], resources: [att('EventTable', 'Arn')] },
];

/** One per service: its own metrics, or those of its target. */
const sources = ({ services }: Configuration): readonly MetricsSource[] =>
  services.flatMap(({ target, metrics: given }) => sourceOf(target, given) ?? []);

/** CloudWatch for most kinds; a Prometheus of Amazon's, or the token of another, as they are configured. */
const metrics: Right = ({ configuration }) => [
  ...(sources(configuration).every(({ kind }) => kind === 'prometheus')
    ? []
    : [
        {
          actions: ['cloudwatch:GetMetricData'],
          resources: '*' as const,
          why: 'CloudWatch has no resources for metrics',
        },
      ]),
  { actions: ['aps:QueryMetrics'], resources: workspaceArns(sources(configuration)) },
  { actions: ['ssm:GetParameter'], resources: tokenParameterArns(sources(configuration)) },
];

/** Configuration above the file; SecureStrings stay closed, because no key is opened for it. */
const layers: Right = ({ stage }) => [
  {
    actions: ['ssm:GetParametersByPath'],
    resources: [localArn('ssm', `parameter/switchback/${stage.name}/*`)],
  },
];

const alarms: Right = () => [
  {
    actions: ['cloudwatch:DescribeAlarms'],
    resources: '*',
    why: 'CloudWatch shows composite alarms only to who may describe all alarms',
  },
];

const resumeExecutions: Right = () => [
  {
    actions: ['states:SendTaskSuccess'],
    resources: '*',
    why: 'the task token is the right: Step Functions has no resources for it',
  },
];

const eventBus: Right = () => [{ actions: ['events:PutEvents'], resources: [att('EventBus', 'Arn')] }];

const intentQueue: Right = () => [{ actions: ['sqs:SendMessage'], resources: [att('IntentQueue', 'Arn')] }];

const notifications: Right = () => [
  { actions: ['sns:Publish'], resources: [ref('NotificationTopic')] },
  key(['kms:Decrypt', 'kms:GenerateDataKey'], 'sns'),
];

export const rights = {
  alarms,
  checkpoints,
  eventBus,
  eventStore,
  fallback,
  fallbackPlaces,
  intentQueue,
  layers,
  listExecutions,
  metrics,
  notifications,
  resumeExecutions,
  scaling,
  startMachine,
  traffic,
  workload,
} as const;
