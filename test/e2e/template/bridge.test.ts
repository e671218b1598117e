/** The bridge in the compiled template of MisterSmith: what its tasks may do, and how they run. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bridgeDeployment } from '../../../lib/apps/deploy/bridgeDeployment.ts';
import { BridgeFile } from '../../../lib/core/config/bridgeFile.ts';
import { packaged, packagingMs, type Template } from './packaged.ts';
import { decide, type Statement } from './policy.ts';
import { account, region, resolved } from './resolved.ts';

let template: Template;
beforeAll(async () => {
  ({ template } = await packaged('prod', 'mistersmith'));
}, packagingMs);

const properties = (id: string) => resolved(template, template.Resources[id]?.Properties);
const role = (id: string): readonly Statement[] =>
  properties(id).Policies.flatMap(
    ({ PolicyDocument }: { PolicyDocument: { Statement: Statement[] } }) => PolicyDocument.Statement,
  );
const arn = (service: string, resource: string) => `arn:aws:${service}:${region}:${account}:${resource}`;
const topic = 'arn:aws:sns:eu-west-1:123456789012:mistersmith-urgent';
const secret = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:mistersmith/nats-AbCdEf';
const image = 'arn:aws:ecr:eu-west-1:123456789012:repository/switchback-bridge';

describe('the task of the bridge', () => {
  it.each([
    ['events:PutEvents', arn('events', 'event-bus/mistersmith')],
    ['sns:Publish', topic],
    ['sqs:SendMessage', arn('sqs', 'mistersmith-orders.fifo')],
    ['sqs:SendMessage', arn('sqs', 'mistersmith-bridge-dlq')],
    ['sqs:GetQueueUrl', arn('sqs', 'mistersmith-orders.fifo')],
    ['sqs:ReceiveMessage', arn('sqs', 'mistersmith-commands.fifo')],
    ['sqs:DeleteMessage', arn('sqs', 'mistersmith-migration-events')],
    ['dynamodb:BatchWriteItem', arn('dynamodb', 'table/MisterSmithDiscoveryCache')],
  ])('may %s on %s, as its rules want', (action, resource) => {
    expect(decide(role('BridgeTaskRole'), { action, resource })).toBe('allowed');
  });

  it.each([
    ['events:PutEvents', arn('events', 'event-bus/default')],
    ['events:PutEvents', arn('events', 'event-bus/switchback-prod')],
    ['sqs:ReceiveMessage', arn('sqs', 'mistersmith-orders.fifo')],
    ['sqs:SendMessage', arn('sqs', 'mistersmith-commands.fifo')],
    ['sqs:SendMessage', arn('sqs', 'switchback-prod-alarms')],
    ['sns:Publish', arn('sns', 'switchback-prod-notifications')],
    ['dynamodb:BatchWriteItem', arn('dynamodb', 'table/switchback-prod-events')],
    ['dynamodb:GetItem', arn('dynamodb', 'table/MisterSmithDiscoveryCache')],
    ['secretsmanager:GetSecretValue', secret],
    ['elasticloadbalancing:ModifyRule', '*'],
  ])('may not %s on %s', (action, resource) => {
    expect(decide(role('BridgeTaskRole'), { action, resource })).toBe('not allowed');
  });

  it('is started by a role that fetches its image and its secret, writes its log, and does nothing else', () => {
    const may = (action: string, resource: string) =>
      decide(role('BridgeExecutionRole'), { action, resource });
    expect(may('secretsmanager:GetSecretValue', secret)).toBe('allowed');
    expect(may('ecr:BatchGetImage', image)).toBe('allowed');
    expect(may('secretsmanager:GetSecretValue', secret.replace('nats', 'bank'))).toBe('not allowed');
    expect(may('ecr:BatchGetImage', image.replace('bridge', 'other'))).toBe('not allowed');
    expect(may('events:PutEvents', arn('events', 'event-bus/mistersmith'))).toBe('not allowed');
  });

  it('runs as nobody, writes nowhere, drains for two minutes, and is asked how it is', () => {
    const { ContainerDefinitions, Cpu, NetworkMode, RequiresCompatibilities } = properties('BridgeTask');
    expect({ Cpu, NetworkMode, RequiresCompatibilities }).toEqual({
      Cpu: '1024',
      NetworkMode: 'awsvpc',
      RequiresCompatibilities: ['FARGATE'],
    });
    const [container] = ContainerDefinitions;
    expect(container).toMatchObject({
      User: '65532',
      ReadonlyRootFilesystem: true,
      LinuxParameters: { Capabilities: { Drop: ['ALL'] } },
      StopTimeout: 120,
      Secrets: [
        { Name: 'NATS_USER', ValueFrom: `${secret}:user::` },
        { Name: 'NATS_PASSWORD', ValueFrom: `${secret}:password::` },
      ],
    });
    expect(container.HealthCheck.Command.join(' ')).toContain('http://127.0.0.1:8080/live');
    const document = container.Environment.find(
      ({ Name }: { Name: string }) => Name === 'BRIDGE_DOCUMENT',
    )?.Value;
    expect(JSON.parse(document).rules.map(({ name }: { name: string }) => name)).toEqual([
      'urgent',
      'discoveries',
      'orders',
      'heartbeats',
    ]);
  });

  it('has no public address and lets nobody in', () => {
    const { AwsvpcConfiguration } = properties('BridgeService').NetworkConfiguration;
    expect(AwsvpcConfiguration.AssignPublicIp).toBe('DISABLED');
    const { SecurityGroupIngress, SecurityGroupEgress } = properties('BridgeSecurityGroup');
    expect(SecurityGroupIngress).toBeUndefined();
    expect(SecurityGroupEgress.map(({ FromPort }: { FromPort: number }) => FromPort)).toEqual([443, 4222]);
  });

  it('is one of two to ten, by the messages that wait per task', () => {
    expect(properties('BridgeScaling')).toMatchObject({ MinCapacity: 2, MaxCapacity: 10 });
    expect(template.Resources.BridgeService?.Properties.DesiredCount).toBeUndefined();
    const { TargetValue, CustomizedMetricSpecification } =
      properties('BridgeScalingPolicy').TargetTrackingScalingPolicyConfiguration;
    expect(TargetValue).toBe(10_000);
    const [lag, , perTask] = CustomizedMetricSpecification.Metrics;
    expect(lag.MetricStat.Metric).toEqual({
      Namespace: 'Switchback/Bridge',
      MetricName: 'Lag',
      Dimensions: [{ Name: 'Bridge', Value: 'mistersmith-bridge' }],
    });
    expect(perTask).toMatchObject({ Expression: 'lag / tasks', ReturnData: true });
  });
});

describe('a bridge that cannot be deployed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bridge-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const settings = (changes: object = {}) =>
    BridgeFile.parse({
      image: 'example.org/bridge:1',
      vpc: 'vpc-01234567',
      subnets: ['subnet-01234567'],
      ...changes,
    });
  const base = {
    version: 1,
    nats: { servers: ['nats://n:4222'], auth: { tokenEnv: 'NATS_TOKEN' } },
    sources: [{ stream: 'S', durable: 'd' }],
    rules: [{ match: 's.>', to: 'drop' }],
    unmatched: 'drop',
  };
  const refusal = async (document: object | string, changes: object = {}) => {
    const text = typeof document === 'string' ? document : JSON.stringify(document);
    writeFileSync(join(folder, 'bridge.yml'), text);
    const deployed = bridgeDeployment(settings(changes), join(folder, 'switchback.yml'));
    return deployed.then(
      () => 'nothing',
      (error: Error) => `${error.name}: ${error.message}`,
    );
  };
  const token = { secrets: { NATS_TOKEN: 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:t-AbCdEf' } };

  it('is refused with the reason: a secret without an ARN, a drain too long, an endpoint, a rule of no use', async () => {
    expect(await refusal(base, token)).toBe('nothing');
    expect(await refusal(base)).toMatch(/bridge\.yml: NATS_TOKEN has no secret: name its ARN/);
    expect(await refusal({ ...base, drain: '3m' }, token)).toMatch(/drain is 180 s.*at most 115s/);
    expect(await refusal({ ...base, aws: { endpoint: 'http://localhost:4566' } }, token)).toContain(
      'aws.endpoint',
    );
    const rules = 'rules:\n  - match: a..b\n    to: drop\n';
    expect(await refusal(`version: 1\nnats: { servers: [n] }\n${rules}`)).toMatch(
      /^ConfigurationRefused: .*bridge\.yml:4: rules\.0\.match: 'a\.\.b' has an empty token/,
    );
  });

  it('is refused by its settings: no tag, no memory that Fargate has, fewer tasks at most than at least', () => {
    const faults = (changes: object) => {
      const result = BridgeFile.safeParse({
        image: 'example.org/bridge:1',
        vpc: 'vpc-01234567',
        subnets: ['subnet-01234567'],
        ...changes,
      });
      return result.error?.issues.map(({ message }) => message) ?? [];
    };
    expect(faults({})).toEqual([]);
    expect(faults({ image: `example.org:5000/bridge@sha256:${'a'.repeat(64)}` })).toEqual([]);
    expect(faults({ image: 'example.org/bridge' })).toEqual([expect.stringContaining('tag or digest')]);
    expect(faults({ cpu: 256, memoryMb: 4_096 })).toEqual([expect.stringContaining('512 to 2048')]);
    expect(faults({ tasks: { min: 5, max: 2 } })).toEqual([expect.stringContaining('at most its max')]);
    expect(faults({ secrets: { NATS_TOKEN: 'nats' } })).toEqual([expect.stringContaining('whole ARN')]);
  });
});
