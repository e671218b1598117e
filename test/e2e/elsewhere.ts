/**
 * Old worlds to fall back to that are no slot of the service: an API stage, a DNS name, a rule to fixed
 * addresses.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  APIGatewayClient,
  CreateDeploymentCommand,
  CreateResourceCommand,
  CreateRestApiCommand,
  PutIntegrationCommand,
  PutMethodCommand,
} from '@aws-sdk/client-api-gateway';
import {
  CreateListenerCommand,
  CreateLoadBalancerCommand,
  CreateTargetGroupCommand,
  ElasticLoadBalancingV2Client,
  RegisterTargetsCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import {
  ChangeResourceRecordSetsCommand,
  CreateHostedZoneCommand,
  Route53Client,
} from '@aws-sdk/client-route-53';
import type { AlbTarget, ApiStageTarget, DnsTarget } from '../../events/target.ts';
import { type Endpoint, given } from '../../lib/apps/demo/account.ts';

/** A server on this machine that answers its name. */
export async function container(name: string) {
  const server = createServer((_request, response) => response.end(name));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, close: () => void server.close() };
}

type Ports = { readonly phase1: number; readonly phase2: number };

/** An API whose stage variable says which phase answers; phase 2 does. */
export async function phasedApi(at: Endpoint, { phase1, phase2 }: Ports): Promise<ApiStageTarget> {
  const client = new APIGatewayClient(at);
  const { id: restApiId, rootResourceId: parentId } = await client.send(
    new CreateRestApiCommand({ name: 'books' }),
  );
  const resource = await client.send(
    new CreateResourceCommand({ restApiId, parentId, pathPart: '{proxy+}' }),
  );
  const method = { restApiId, resourceId: resource.id, httpMethod: 'ANY' };
  await client.send(new PutMethodCommand({ ...method, authorizationType: 'NONE' }));
  const uri = 'http://127.0.0.1:$' + '{stageVariables.environment}/{proxy}';
  await client.send(
    new PutIntegrationCommand({ ...method, type: 'HTTP_PROXY', uri, integrationHttpMethod: 'ANY' }),
  );
  await client.send(
    new CreateDeploymentCommand({
      restApiId,
      stageName: 'live',
      variables: { environment: String(phase2) },
    }),
  );
  const values = { blue: String(phase1), green: String(phase2) };
  return {
    kind: 'api-stage',
    restApiId: given(restApiId),
    stage: 'live',
    variable: { name: 'environment', values },
  };
}

/** A name with two weighted records; everybody is sent to the new world. */
export async function weightedName(at: Endpoint, ttlSeconds: number): Promise<DnsTarget> {
  const client = new Route53Client(at);
  const zone = await client.send(
    new CreateHostedZoneCommand({ Name: 'shop.example', CallerReference: 'one' }),
  );
  const HostedZoneId = given(zone.HostedZone?.Id).split('/').at(-1);
  const record = (SetIdentifier: string, Weight: number, Value: string) => ({
    Action: 'UPSERT' as const,
    ResourceRecordSet: {
      ...{ Name: 'www.shop.example', Type: 'CNAME' as const, SetIdentifier, Weight, TTL: ttlSeconds },
      ResourceRecords: [{ Value }],
    },
  });
  const Changes = [record('local', 0, 'old.example'), record('aws', 100, 'new.example')];
  await client.send(new ChangeResourceRecordSetsCommand({ HostedZoneId, ChangeBatch: { Changes } }));
  return {
    kind: 'dns',
    hostedZoneId: given(HostedZoneId),
    name: 'www.shop.example',
    recordType: 'CNAME',
    setIdentifiers: { blue: 'local', green: 'aws' },
    ttlSeconds,
  };
}

/** A listener on `port` before two groups of fixed addresses; the new one gets everything. */
export async function fixedAddresses(
  at: Endpoint,
  port: number,
  { phase1, phase2 }: Ports,
): Promise<AlbTarget> {
  const client = new ElasticLoadBalancingV2Client(at);
  const { LoadBalancers } = await client.send(
    new CreateLoadBalancerCommand({ Name: 'fixed', Type: 'application', Subnets: ['subnet-a', 'subnet-b'] }),
  );
  const group = async (Name: string, targetPort: number) => {
    const made = await client.send(
      new CreateTargetGroupCommand({
        ...{ Name, Protocol: 'HTTP', Port: 80, VpcId: 'vpc-fixed', TargetType: 'ip' },
        ...{ HealthCheckIntervalSeconds: 1, HealthCheckTimeoutSeconds: 1, HealthyThresholdCount: 2 },
      }),
    );
    const TargetGroupArn = given(made.TargetGroups?.[0]?.TargetGroupArn);
    const Targets = [{ Id: '127.0.0.1', Port: targetPort }];
    await client.send(new RegisterTargetsCommand({ TargetGroupArn, Targets }));
    return TargetGroupArn;
  };
  const targetGroups = { blue: await group('fixed-local', phase1), green: await group('fixed-aws', phase2) };
  const TargetGroups = [
    { TargetGroupArn: targetGroups.blue, Weight: 0 },
    { TargetGroupArn: targetGroups.green, Weight: 100 },
  ];
  const { Listeners } = await client.send(
    new CreateListenerCommand({
      LoadBalancerArn: given(LoadBalancers?.[0]?.LoadBalancerArn),
      ...{ Port: port, Protocol: 'HTTP' },
      DefaultActions: [{ Type: 'forward', ForwardConfig: { TargetGroups } }],
    }),
  );
  return { kind: 'alb', targetGroups, ruleArn: given(Listeners?.[0]?.ListenerArn) };
}
