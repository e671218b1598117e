/** API Gateway behind a real endpoint, with small HTTP servers as backends. */
import {
  APIGatewayClient,
  CreateDeploymentCommand,
  CreateResourceCommand,
  CreateRestApiCommand,
  GetStageCommand,
  type PatchOperation,
  PutIntegrationCommand,
  PutMethodCommand,
  UpdateStageCommand,
} from '@aws-sdk/client-api-gateway';
import { VirtualClock } from '../../../lib/asl/clock.ts';
import { apiGatewayService } from '../../../lib/local/apigateway/apiGatewayService.ts';
import type { MetricPoint } from '../../../lib/local/cloudwatch/metricStore.ts';
import { startEndpoint } from '../../../lib/local/endpoint.ts';
import { elbDesk, get as httpGet } from './elbDesk.ts';

export type Given = {
  type: 'HTTP_PROXY' | 'AWS_PROXY' | 'MOCK';
  uri?: string;
  integrationHttpMethod?: string;
};

export async function apiDesk() {
  const clock = new VirtualClock();
  const metrics: MetricPoint[] = [];
  const invoked: { arn: string; event: Record<string, unknown> }[] = [];
  const gateway = apiGatewayService({
    clock,
    seed: 3,
    putMetric: (point) => void metrics.push(point),
    invoke: async (arn, payload) => {
      invoked.push({ arn, event: JSON.parse(payload) });
      if (arn.endsWith(':broken')) throw new Error('it broke');
      return JSON.stringify({ statusCode: 201, headers: { 'x-by': 'function' }, body: 'made' });
    },
  });
  const endpoint = await startEndpoint({ services: [gateway] });
  const client = new APIGatewayClient({
    endpoint: endpoint.url,
    region: 'eu-west-1',
    maxAttempts: 1,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  const backends = elbDesk();
  const at = { api: '', root: '' };

  /** The API that the other calls mean. */
  const create = async (name: string) => {
    const made = await client.send(new CreateRestApiCommand({ name }));
    at.api = made.id ?? '';
    at.root = made.rootResourceId ?? '';
  };
  const route = async (pathPart: string, integration: Given, httpMethod = 'ANY', parentId = at.root) => {
    const restApiId = at.api;
    const { id = '' } = await client.send(new CreateResourceCommand({ restApiId, parentId, pathPart }));
    const method = { restApiId, resourceId: id, httpMethod };
    await client.send(new PutMethodCommand({ ...method, authorizationType: 'NONE' }));
    await client.send(new PutIntegrationCommand({ ...method, ...integration }));
    return id;
  };
  const deploy = (more: Record<string, unknown> = {}) =>
    client.send(new CreateDeploymentCommand({ restApiId: at.api, stageName: 'prod', ...more }));
  const patch = (...patchOperations: PatchOperation[]) =>
    client.send(new UpdateStageCommand({ restApiId: at.api, stageName: 'prod', patchOperations }));
  const stage = () => client.send(new GetStageCommand({ restApiId: at.api, stageName: 'prod' }));
  /** Where the stage is called. */
  const address = async () => {
    const { port, pathname } = new URL(await gateway.urlOf(at.api, 'prod'));
    return { port: Number(port), path: pathname };
  };
  const get = async (path: string, more: Record<string, unknown> = {}) => {
    const { port, path: base } = await address();
    return httpGet(port, { path: `${base}${path}`, ...more });
  };

  /** `/{proxy+}` to `http://${stageVariables.backend}/{proxy}`, deployed to phase1. */
  const twoPhases = async () => {
    const backend = async (name: string) =>
      `127.0.0.1:${await backends.target((request, response) => response.end(`${name} ${request.url}`))}`;
    const [phase1, phase2] = [await backend('one'), await backend('two')];
    await create('shop');
    const uri = `http://${variable('backend')}/{proxy}`;
    await route('{proxy+}', { type: 'HTTP_PROXY', uri, integrationHttpMethod: 'ANY' });
    await deploy({ variables: { backend: phase1 } });
    return { phase1, phase2 };
  };

  const close = async () => {
    await endpoint.close();
    await backends.close();
  };
  return {
    url: endpoint.url,
    client,
    clock,
    metrics,
    invoked,
    backends,
    at,
    create,
    route,
    deploy,
    patch,
    stage,
    address,
    get,
    twoPhases,
    close,
  };
}

export type ApiTestDesk = Awaited<ReturnType<typeof apiDesk>>;

/** `${stageVariables.name}`, as an integration's URI has it. */
export const variable = (name: string): string => `\${stageVariables.${name}}`;
