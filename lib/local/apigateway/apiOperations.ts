/** REST APIs, their resources, methods and integrations: what is edited before it is deployed. */
import type {
  CreateResourceCommandInput,
  CreateRestApiCommandInput,
  PutIntegrationCommandInput,
  PutMethodCommandInput,
} from '@aws-sdk/client-api-gateway';
import type { Clock } from '../../asl/clock.ts';
import type { Operation } from '../service.ts';
import {
  type ApiState,
  badRequest,
  conflict,
  type Integration,
  newId,
  type Resource,
  type RestApi,
} from './apiState.ts';

type Named = { restApiId?: string; resourceId?: string; httpMethod?: string };

/** API Gateway's quota for REST APIs: an integration answers within 29 s. */
const TIMEOUT_MS = 29_000;

export function apiOperations(state: ApiState, clock: Clock): Readonly<Record<string, Operation>> {
  return {
    CreateRestApi: (input: CreateRestApiCommandInput) => {
      if (!input.name) throw badRequest('The API needs a name');
      const root: Resource = {
        id: newId(),
        parentId: undefined,
        pathPart: undefined,
        path: '/',
        methods: new Map(),
      };
      const api: RestApi = {
        id: newId(),
        name: input.name,
        description: input.description,
        createdMs: clock.now(),
        resources: new Map([[root.id, root]]),
        deployments: new Map(),
        stages: new Map(),
        rootResourceId: root.id,
      };
      state.apis.set(api.id, api);
      return wireApi(api);
    },
    GetRestApi: ({ restApiId }: Named) => wireApi(state.api(restApiId)),
    GetRestApis: () => ({ items: [...state.apis.values()].map(wireApi) }),
    DeleteRestApi: ({ restApiId }: Named) => {
      state.apis.delete(state.api(restApiId).id);
      return {};
    },
    ...resourceOperations(state),
  };
}

function resourceOperations(state: ApiState): Readonly<Record<string, Operation>> {
  return {
    CreateResource: (input: CreateResourceCommandInput) => {
      const api = state.api(input.restApiId);
      const parent = state.resource(api, input.parentId);
      const part = input.pathPart ?? '';
      if (!/^(\{\w+\+?\}|[\w.:~-]+)$/.test(part))
        throw badRequest(`Resource's path part ${part} is not a name or a {parameter}`);
      const path = `${parent.path === '/' ? '' : parent.path}/${part}`;
      if ([...api.resources.values()].some((resource) => resource.path === path))
        throw conflict('Another resource with the same parent already has this name');
      const resource: Resource = {
        id: newId(),
        parentId: parent.id,
        pathPart: part,
        path,
        methods: new Map(),
      };
      api.resources.set(resource.id, resource);
      return wireResource(resource);
    },
    GetResources: ({ restApiId }: Named) => ({
      items: [...state.api(restApiId).resources.values()].map(wireResource),
    }),
    DeleteResource: ({ restApiId, resourceId }: Named) => {
      const api = state.api(restApiId);
      const { path } = state.resource(api, resourceId);
      for (const [id, resource] of api.resources)
        if (resource.path === path || resource.path.startsWith(`${path}/`)) api.resources.delete(id);
      return {};
    },
    PutMethod: (input: PutMethodCommandInput) => {
      const resource = state.resource(state.api(input.restApiId), input.resourceId);
      if ((input.authorizationType ?? 'NONE') !== 'NONE' || input.apiKeyRequired)
        throw badRequest('Authorization and API keys are not emulated by the local cloud');
      resource.methods.set(input.httpMethod ?? 'ANY', { authorizationType: 'NONE', integration: null });
      return { httpMethod: input.httpMethod, authorizationType: 'NONE', apiKeyRequired: false };
    },
    PutIntegration: (input: PutIntegrationCommandInput) => {
      const method = state.method(state.api(input.restApiId), input.resourceId, input.httpMethod);
      method.integration = integrationOf(input);
      return wireIntegration(method.integration);
    },
    GetIntegration: ({ restApiId, resourceId, httpMethod }: Named) => {
      const { integration } = state.method(state.api(restApiId), resourceId, httpMethod);
      if (!integration) throw badRequest('No integration defined for method');
      return wireIntegration(integration);
    },
  };
}

function integrationOf(input: PutIntegrationCommandInput): Integration {
  const { type, uri = '', timeoutInMillis = TIMEOUT_MS } = input;
  if (type !== 'HTTP_PROXY' && type !== 'AWS_PROXY' && type !== 'MOCK')
    throw badRequest(`Integrations of type ${type} are not emulated by the local cloud`);
  if (type === 'HTTP_PROXY' && !/^(https?:\/\/|\$\{stageVariables\.)/.test(uri))
    throw badRequest('Invalid HTTP endpoint specified for URI');
  if (type === 'AWS_PROXY' && !/:lambda:path\/2015-03-31\/functions\/.+\/invocations$/.test(uri))
    throw badRequest('AWS ARN for integration contains invalid path');
  if (timeoutInMillis < 50 || timeoutInMillis > TIMEOUT_MS)
    throw badRequest('Timeout should be between 50 ms and 29000 ms');
  return {
    type,
    uri,
    httpMethod: input.integrationHttpMethod ?? 'ANY',
    requestParameters: input.requestParameters ?? {},
    timeoutMs: timeoutInMillis,
  };
}

const wireApi = (api: RestApi) => ({
  id: api.id,
  name: api.name,
  description: api.description,
  createdDate: new Date(api.createdMs),
  rootResourceId: api.rootResourceId,
  apiKeySource: 'HEADER',
  endpointConfiguration: { types: ['REGIONAL'] },
  disableExecuteApiEndpoint: false,
});

const wireResource = ({ id, parentId, pathPart, path, methods }: Resource) => ({
  id,
  parentId,
  pathPart,
  path,
  ...(methods.size > 0 && {
    resourceMethods: Object.fromEntries(
      [...methods].map(([httpMethod, { authorizationType, integration }]) => [
        httpMethod,
        {
          httpMethod,
          authorizationType,
          methodIntegration: integration ? wireIntegration(integration) : undefined,
        },
      ]),
    ),
  }),
});

const wireIntegration = ({ type, uri, httpMethod, requestParameters, timeoutMs }: Integration) => ({
  type,
  uri,
  httpMethod,
  requestParameters,
  timeoutInMillis: timeoutMs,
  passthroughBehavior: 'WHEN_NO_MATCH',
});
