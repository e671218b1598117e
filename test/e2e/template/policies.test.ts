/** The compiled policies, asked who may do what: pairs that must be allowed, and pairs that must not. */
import { beforeAll, describe, expect, it } from 'vitest';
import { roleId } from '../../../lib/apps/deploy/cloudFormation.ts';
import { eventBusResources } from '../../../lib/apps/deploy/eventBus.ts';
import { packaged, packagingMs, type Template } from './packaged.ts';
import { decide, type Request, type Statement } from './policy.ts';
import { account, region, resolved } from './resolved.ts';

let template: Template;
beforeAll(async () => {
  ({ template } = await packaged('prod', 'mistersmith'));
}, packagingMs);

const arn = (service: string, resource: string) => `arn:aws:${service}:${region}:${account}:${resource}`;
const table = arn('dynamodb', 'table/switchback-prod-events');
const listener = 'arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener-rule/app/mistersmith';
const rule = `${listener}/50dc6c495c0c9188/f2f7dc8efc522ab2/9683b2d02a6cabe1`;
const machine = (name: string) => arn('states', `stateMachine:switchback-prod-${name}`);
const orchestrator = arn('ecs', 'service/mistersmith/orchestrator-blue');
const task = 'arn:aws:iam::123456789012:role/mistersmith-task';

function role(id: string): readonly Statement[] {
  const policies = resolved(template, template.Resources[id]?.Properties.Policies) as {
    PolicyDocument: { Statement: Statement[] };
  }[];
  return policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
}

describe('a role', () => {
  const viaDynamo = { 'kms:ViaService': `dynamodb.${region}.amazonaws.com` };
  const key = arn('kms', 'key/ControllerKey');

  it.each<[verb: string, action: string, resource: string, context?: Record<string, string>]>([
    ['on-alarm', 'elasticloadbalancing:ModifyRule', rule],
    ['on-alarm', 'dynamodb:PutItem', table],
    ['on-alarm', 'kms:Decrypt', key, viaDynamo],
    ['on-alarm', 'states:StartExecution', machine('rollback')],
    ['on-alarm', 'sqs:SendMessage', arn('sqs', 'switchback-prod-intents.fifo')],
    ['on-alarm', 'sqs:DeleteMessage', arn('sqs', 'switchback-prod-alarms')],
    ['reconcile', 'dynamodb:Query', `${table}/index/active`],
    ['fall-back', 'elasticloadbalancing:ModifyRule', rule],
    ['fall-back', 'ecs:UpdateService', orchestrator],
    ['prepare-canary', 'iam:PassRole', task, { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' }],
    ['publish-events', 'sns:Publish', arn('sns', 'switchback-prod-notifications')],
    ['roll-back', 'events:PutEvents', arn('events', 'event-bus/switchback-prod')],
    ['start-rollout', 'ssm:GetParametersByPath', arn('ssm', 'parameter/switchback/prod/orchestrator')],
  ])('of %s allows %s on %s', (verb, action, resource, context = {}) => {
    expect(decide(role(roleId(verb)), { action, resource, context })).toBe('allowed');
  });

  it.each<[verb: string, action: string, resource: string, context?: Record<string, string>]>([
    // Nobody deletes or rewrites the record.
    ['on-alarm', 'dynamodb:DeleteItem', table],
    ['reconcile', 'dynamodb:DeleteTable', table],
    ['record-intents', 'dynamodb:PutItem', arn('dynamodb', 'table/users')],
    // The key only through the services that use it.
    ['on-alarm', 'kms:Decrypt', key],
    ['on-alarm', 'kms:Decrypt', key, { 'kms:ViaService': `sns.${region}.amazonaws.com` }],
    // Only the configured rules, services and roles.
    ['on-alarm', 'elasticloadbalancing:ModifyRule', rule.replace('9683b2d02a6cabe1', '0000000000000000')],
    ['shift-traffic', 'ecs:UpdateService', arn('ecs', 'service/mistersmith/payments')],
    ['shift-traffic', 'ecs:UpdateService', arn('ecs', 'service/elsewhere/orchestrator-blue')],
    [
      'prepare-canary',
      'iam:PassRole',
      'arn:aws:iam::123456789012:role/admin',
      { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' },
    ],
    ['prepare-canary', 'iam:PassRole', task, { 'iam:PassedToService': 'ec2.amazonaws.com' }],
    ['prepare-canary', 'ecs:DeleteService', orchestrator],
    // The fire exit does not pass through the lobby.
    ['fall-back', 'dynamodb:GetItem', table],
    ['fall-back', 'states:StartExecution', machine('rollback')],
    ['fall-back', 'events:PutEvents', arn('events', 'event-bus/switchback-prod')],
    ['fall-back', 'ssm:GetParameter', arn('ssm', 'parameter/switchback/prod/orchestrator')],
    // Configuration of this stage, and nobody's secrets.
    ['start-rollout', 'ssm:GetParametersByPath', arn('ssm', 'parameter/switchback/dev/orchestrator')],
    ['start-rollout', 'kms:Decrypt', key, { 'kms:ViaService': `ssm.${region}.amazonaws.com` }],
    ['on-alarm', 'ssm:GetParametersByPath', arn('ssm', 'parameter/switchback/prod/orchestrator')],
    // Who steps does not start; who starts does not answer for a person.
    ['shift-traffic', 'states:StartExecution', machine('rollout')],
    ['on-alarm', 'states:SendTaskSuccess', '*'],
    ['on-alarm', 'states:StartExecution', machine('rollout')],
    ['on-alarm', 'states:StopExecution', machine('rollout')],
    ['publish-events', 'elasticloadbalancing:ModifyRule', rule],
    ['publish-events', 'sns:Publish', arn('sns', 'switchback-prod-alarms')],
  ])('of %s does not allow %s on %s', (verb, action, resource, context = {}) => {
    expect(decide(role(roleId(verb)), { action, resource, context })).not.toBe('allowed');
  });

  it('of a machine runs its own functions and no other', () => {
    const run = (verb: string) =>
      decide(role('RollbackMachineRole'), {
        action: 'lambda:InvokeFunction',
        resource: arn('lambda', `function:switchback-prod-${verb}`),
      });
    expect(run('roll-back')).toBe('allowed');
    expect(run('start-rollout')).toBe('not allowed');
  });

  it('is assumed by Lambda, and a machine’s only on behalf of this account', () => {
    const trust = (id: string, service: string, source?: string) =>
      decide(
        resolved(template, template.Resources[id]?.Properties.AssumeRolePolicyDocument.Statement).map(
          (statement: Statement) => ({ ...statement, Resource: '*' }),
        ),
        {
          action: 'sts:AssumeRole',
          resource: '*',
          principal: { Service: service },
          ...(source === undefined ? {} : { context: { 'aws:SourceAccount': source } }),
        },
      );
    expect(trust('OnAlarmRole', 'lambda.amazonaws.com')).toBe('allowed');
    expect(trust('OnAlarmRole', 'ec2.amazonaws.com')).toBe('not allowed');
    expect(trust('RolloutMachineRole', 'states.amazonaws.com', account)).toBe('allowed');
    expect(trust('RolloutMachineRole', 'states.amazonaws.com', '999999999999')).toBe('not allowed');
  });
});

const policyOf = (id: string): readonly Statement[] =>
  resolved(template, template.Resources[id]?.Properties.PolicyDocument.Statement);

const byService = (
  Service: string,
  context: Record<string, string>,
): Omit<Request, 'action' | 'resource'> => ({
  principal: { Service },
  context: { 'aws:PrincipalIsAWSService': 'true', 'aws:SecureTransport': 'true', ...context },
});
const byRole = (name: string): Omit<Request, 'action' | 'resource'> => {
  const principal = `arn:aws:iam::${account}:role/${name}`;
  return {
    principal: { AWS: principal },
    context: {
      'aws:PrincipalIsAWSService': 'false',
      'aws:PrincipalArn': principal,
      'aws:SecureTransport': 'true',
    },
  };
};

describe('the alarm topic', () => {
  const publish = (request: Omit<Request, 'action' | 'resource'>) =>
    decide(policyOf('AlarmTopicPolicy'), {
      action: 'sns:Publish',
      resource: arn('sns', 'switchback-prod-alarms'),
      ...request,
    });
  const alarm = arn('cloudwatch', 'alarm:orchestrator-blue-4xx');

  it('takes alarms of CloudWatch in this account', () => {
    const context = { 'aws:SourceAccount': account, 'aws:SourceArn': alarm };
    expect(publish(byService('cloudwatch.amazonaws.com', context))).toBe('allowed');
  });

  it('refuses alarms of another account, of another service, and those that a person makes up', () => {
    const elsewhere = {
      'aws:SourceAccount': '999999999999',
      'aws:SourceArn': alarm.replace(account, '999999999999'),
    };
    expect(publish(byService('cloudwatch.amazonaws.com', elsewhere))).toBe('not allowed');
    const context = { 'aws:SourceAccount': account, 'aws:SourceArn': alarm };
    expect(publish(byService('s3.amazonaws.com', context))).toBe('not allowed');
    expect(publish(byRole('admin'))).toBe('denied');
  });
});

describe('the notification topic', () => {
  const publish = (request: Omit<Request, 'action' | 'resource'>) =>
    decide(policyOf('NotificationTopicPolicy'), {
      action: 'sns:Publish',
      resource: arn('sns', 'switchback-prod-notifications'),
      ...request,
    });

  it('takes messages of publish-events and the controller’s own alarms, and nobody else’s', () => {
    expect(publish(byRole('PublishEventsRole'))).toBe('allowed');
    expect(publish(byRole('OnAlarmRole'))).toBe('denied');
    const own = {
      'aws:SourceAccount': account,
      'aws:SourceArn': arn('cloudwatch', 'alarm:switchback-prod-dead-letters'),
    };
    expect(publish(byService('cloudwatch.amazonaws.com', own))).toBe('allowed');
    const other = { ...own, 'aws:SourceArn': arn('cloudwatch', 'alarm:orchestrator-blue-4xx') };
    expect(publish(byService('cloudwatch.amazonaws.com', other))).toBe('not allowed');
  });
});

describe('a queue', () => {
  const send = (policy: string, queue: string, request: Omit<Request, 'action' | 'resource'>) =>
    decide(policyOf(policy), { action: 'sqs:SendMessage', resource: arn('sqs', queue), ...request });

  it('for alarms takes them from the alarm rules and the alarm topic only', () => {
    const from = (service: string, source: string) =>
      send('AlarmQueuePolicy', 'switchback-prod-alarms', byService(service, { 'aws:SourceArn': source }));
    expect(from('events.amazonaws.com', arn('events', 'rule/switchback-prod-alarms-1'))).toBe('allowed');
    expect(from('events.amazonaws.com', arn('events', 'rule/somebody-elses'))).toBe('not allowed');
    expect(from('sns.amazonaws.com', arn('sns', 'switchback-prod-alarms'))).toBe('allowed');
    expect(from('sns.amazonaws.com', arn('sns', 'somebody-elses'))).toBe('not allowed');
  });

  it('for dead letters takes them from the rules of this stage, on both buses', () => {
    const from = (source: string) =>
      send(
        'DeadLettersPolicy',
        'switchback-prod-dead-letters',
        byService('events.amazonaws.com', { 'aws:SourceArn': source }),
      );
    expect(from(arn('events', 'rule/switchback-prod-reconcile'))).toBe('allowed');
    expect(from(arn('events', 'rule/switchback-prod/switchback-prod-operate'))).toBe('allowed');
    expect(from(arn('events', 'rule/switchback-dev-reconcile'))).toBe('not allowed');
  });

  it.each([
    ['AlarmQueuePolicy', 'switchback-prod-alarms'],
    ['DeploymentQueuePolicy', 'switchback-prod-deployments'],
    ['IntentQueuePolicy', 'switchback-prod-intents.fifo'],
    ['DeadLettersPolicy', 'switchback-prod-dead-letters'],
  ])('speaks TLS only: %s', (policy, queue) => {
    const plain = { context: { 'aws:SecureTransport': 'false' }, principal: { AWS: 'anybody' } };
    expect(send(policy, queue, plain)).toBe('denied');
  });
});

describe('the bus with named requesters', () => {
  const pipeline = `arn:aws:iam::${account}:role/shop-pipeline`;
  const resources = eventBusResources({
    stage: {
      name: 'prod',
      account: null,
      region: 'eu-west-1',
      logRetentionDays: 30,
      alarmConcurrency: null,
      deletionProtection: true,
      requesters: { 'shop.pipeline': pipeline },
    },
    configuration: { services: [], deployment: { notifications: [], services: {} } },
    dist: 'dist',
    variables: {},
  });
  const own = resources as Template['Resources'];
  const statements = () =>
    Object.values(own).flatMap(({ Type, Properties }) =>
      Type === 'AWS::Events::EventBusPolicy'
        ? [
            resolved(
              { ...template, Resources: { ...template.Resources, ...own } },
              Properties.Statement,
            ) as Statement,
          ]
        : [],
    );
  const put = (principal: string, source: string, detailType = 'Switchback Rollout Requested') =>
    decide(statements(), {
      action: 'events:PutEvents',
      resource: arn('events', 'event-bus/switchback-prod'),
      principal: { AWS: principal },
      context: { 'events:source': source, 'events:detail-type': detailType, 'aws:PrincipalArn': principal },
    });

  it('takes requests of the principal that owns the source', () => {
    expect(put(pipeline, 'shop.pipeline')).toBe('allowed');
  });

  it('refuses the source in another’s mouth, and requests under a source that nobody owns', () => {
    const admin = `arn:aws:iam::${account}:role/admin`;
    expect(put(admin, 'shop.pipeline')).toBe('denied');
    expect(put(admin, 'made.up')).toBe('denied');
    expect(put(pipeline, 'made.up')).toBe('denied');
  });

  it('takes what Switchback says from its own functions alone', () => {
    const rollBack = `arn:aws:iam::${account}:role/RollBackRole`;
    // Not denied: the role's own policy allows it.
    expect(put(rollBack, 'switchback.request')).toBe('not allowed');
    expect(put(rollBack, 'switchback', 'RolloutPromoted')).toBe('not allowed');
    const admin = `arn:aws:iam::${account}:role/admin`;
    expect(put(admin, 'switchback.request')).toBe('denied');
    expect(put(admin, 'switchback', 'RolloutPromoted')).toBe('denied');
  });
});
