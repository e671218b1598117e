/** Places to fall back to, read from the local cloud. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { APIGatewayClient } from '@aws-sdk/client-api-gateway';
import { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import { Route53Client } from '@aws-sdk/client-route-53';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Endpoint } from '../../lib/apps/demo/account.ts';
import { hurriedClientSettings } from '../../lib/aws/answered.ts';
import { awsFallbackPlaces } from '../../lib/aws/fallbackPlaces.ts';
import { apiStageTraffic } from '../../lib/aws/traffic/apiStage.ts';
import { type LocalCloud, startLocalCloud } from '../../lib/local/cloud.ts';
import { freePort } from '../../lib/local/freePort.ts';
import { fixedAddresses, phasedApi, weightedName } from '../e2e/elsewhere.ts';

const ports = { phase1: 1, phase2: 2 };
let cloud: LocalCloud;
let at: Endpoint;
beforeAll(async () => {
  cloud = await startLocalCloud({ seed: 1 });
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  at = { endpoint: cloud.url, region: 'eu-west-1', credentials };
});
afterAll(() => cloud.close());

const placesAt = (endpoint: string) => {
  const settings = { ...at, endpoint, ...hurriedClientSettings };
  return awsFallbackPlaces({
    balancer: new ElasticLoadBalancingV2Client(settings),
    apiGateway: new APIGatewayClient(settings),
    route53: new Route53Client(settings),
  });
};

it('a stage holds its variables, the one that switches first, and our own mark is none', async () => {
  const api = await phasedApi(at, ports);
  await apiStageTraffic(new APIGatewayClient(at)).markStable(api, 'green');
  const expected = [{ name: 'stage variable environment', value: '2' }];
  expect(await placesAt(at.endpoint).settings(api)).toEqual(expected);
  const { variable: _, ...canary } = api;
  expect(await placesAt(at.endpoint).settings(canary)).toEqual([
    { name: 'the share of its canary', value: '0 %' },
    ...expected,
  ]);
});

it('a name holds the weight of each record, a rule its shares', async () => {
  const places = placesAt(at.endpoint);
  expect(await places.settings(await weightedName(at, 1))).toEqual([
    { name: 'the weight of record local', value: '0' },
    { name: 'the weight of record aws', value: '100' },
  ]);
  expect(await places.settings(await fixedAddresses(at, await freePort(), ports))).toEqual([
    { name: 'its traffic', value: '100 % to slot green' },
  ]);
});

it('nobody waits for one that does not answer, or is not there', async () => {
  const api = await phasedApi(at, ports);
  const silent = createServer(() => undefined);
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const began = performance.now();
  const { port } = silent.address() as AddressInfo;
  await expect(placesAt(`http://127.0.0.1:${port}`).settings(api)).rejects.toThrow('stage');
  expect(performance.now() - began).toBeLessThan(4000); // 1.5 s, on a machine that does much else
  silent.closeAllConnections();
  silent.close();
  await expect(placesAt(at.endpoint).settings({ ...api, restApiId: 'gone' })).rejects.toThrow('NotFound');
  const alias = { kind: 'lambda-alias', functionName: 'old', alias: 'live' } as const;
  await expect(placesAt(at.endpoint).settings(alias)).rejects.toThrow('no adapter reads');
});
