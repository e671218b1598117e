/**
 * One role per function and per state machine, from the table in functions.ts. Nobody else's rights are in
 * it.
 */
import {
  att,
  type Cfn,
  functionArn,
  functionId,
  localArn,
  type Resources,
  ref,
  roleId,
} from './cloudFormation.ts';
import { type Deployment, machineName } from './deployment.ts';
import { type DeployedFunction, deployedFunctions, type Trigger } from './functions.ts';
import { type Machine, machines } from './machines.ts';
import type { Grant } from './rights.ts';

/** @throws Error where the table asks for every resource without saying why */
export function roles(deployment: Deployment): Resources {
  const ofFunctions = Object.entries(deployedFunctions).map(([verb, deployed]) => [
    roleId(verb),
    role('lambda.amazonaws.com', grantsOf(verb, deployed, deployment)),
  ]);
  const ofMachines = machines.map((machine) => [
    roleId(`${machine.name}-machine`),
    role('states.amazonaws.com', machineGrants(machine, deployment)),
  ]);
  return Object.fromEntries([...ofFunctions, ...ofMachines]);
}

/** Everything a function may do: its ports, its triggers, and to say what it did. */
function grantsOf(verb: string, deployed: DeployedFunction, deployment: Deployment): readonly Grant[] {
  return [
    {
      actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
      resources: [att(`${functionId(verb)}LogGroup`, 'Arn')],
    },
    {
      actions: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'],
      resources: '*',
      why: 'X-Ray has no resources for traces',
    },
    ...deployed.triggers.flatMap(triggerGrants),
    ...deployed.rights.flatMap((right) => right(deployment)),
  ];
}

/** What was tried often enough goes to the dead letters, with the function's own role. */
const keepsFailures: Grant = { actions: ['sqs:SendMessage'], resources: [att('DeadLetters', 'Arn')] };

/** Lambda reads queues and streams with the function's own role. */
function triggerGrants(trigger: Trigger): readonly Grant[] {
  switch (trigger.from) {
    case 'queue':
      return [
        {
          actions: ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'],
          resources: [att(trigger.queue, 'Arn')],
        },
      ];
    case 'event-table':
      return [
        {
          actions: ['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator'],
          resources: [att('EventTable', 'StreamArn')],
        },
        {
          actions: ['dynamodb:ListStreams'],
          resources: '*',
          why: 'DynamoDB has no resource for the list of streams',
        },
        keepsFailures,
      ];
    case 'bus':
    case 'clock':
      return [keepsFailures];
    case 'person':
      return [];
  }
}

function machineGrants({ name, functions, startsItself }: Machine, deployment: Deployment): readonly Grant[] {
  const itself = localArn('states', `stateMachine:${machineName(deployment, name)}`);
  return [
    { actions: ['lambda:InvokeFunction'], resources: functions.map(functionArn) },
    ...(startsItself ? [{ actions: ['states:StartExecution'], resources: [itself] }] : []),
    {
      actions: [
        'logs:CreateLogDelivery',
        'logs:GetLogDelivery',
        'logs:UpdateLogDelivery',
        'logs:DeleteLogDelivery',
        'logs:ListLogDeliveries',
        'logs:PutResourcePolicy',
        'logs:DescribeResourcePolicies',
        'logs:DescribeLogGroups',
      ],
      resources: '*',
      why: 'CloudWatch Logs has no resources for log deliveries (Step Functions developer guide, “Logging”)',
    },
    {
      actions: [
        'xray:PutTraceSegments',
        'xray:PutTelemetryRecords',
        'xray:GetSamplingRules',
        'xray:GetSamplingTargets',
      ],
      resources: '*',
      why: 'X-Ray has no resources for traces and sampling',
    },
  ];
}

/**
 * A role for one AWS service, with these rights. @throws Error where a grant names every resource without
 * saying why
 */
export function role(service: string, grants: readonly Grant[]) {
  return {
    Type: 'AWS::IAM::Role',
    Properties: {
      AssumeRolePolicyDocument: {
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Principal: { Service: service },
            Action: 'sts:AssumeRole',
            // Step Functions and ECS say for whom they act; Lambda does not.
            ...(service !== 'lambda.amazonaws.com'
              ? { Condition: { StringEquals: { 'aws:SourceAccount': ref('AWS::AccountId') } } }
              : {}),
          },
        ],
      },
      Policies: [
        {
          PolicyName: 'least-privilege',
          PolicyDocument: { Version: '2012-10-17', Statement: statements(grants) },
        },
      ],
    },
  };
}

/** Grants with the same resources and condition become one statement; empty ones none. */
function statements(grants: readonly Grant[]): Cfn[] {
  const byTarget = new Map<string, { readonly grant: Grant; readonly actions: Set<string> }>();
  for (const grant of grants) {
    if (grant.resources.length === 0) continue;
    if (grant.resources === '*' && grant.why === undefined) {
      throw new Error(`${grant.actions.join(', ')} on every resource: say why, or name the resources`);
    }
    const target = JSON.stringify([grant.resources, grant.condition]);
    const found = byTarget.get(target) ?? { grant, actions: new Set() };
    for (const action of grant.actions) found.actions.add(action);
    byTarget.set(target, found);
  }
  return [...byTarget.values()].map(({ grant, actions }) => ({
    Effect: 'Allow',
    Action: [...actions].sort(),
    Resource: grant.resources === '*' ? '*' : [...grant.resources],
    ...(grant.condition === undefined ? {} : { Condition: grant.condition }),
  }));
}
