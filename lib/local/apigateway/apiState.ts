/**
 * REST APIs: resources and methods that are edited, deployments that are snapshots of them, stages that
 * serve.
 */
import { randomBytes } from 'node:crypto';
import { ServiceError } from '../service.ts';

export type Integration = {
  readonly type: 'HTTP_PROXY' | 'AWS_PROXY' | 'MOCK';
  /** May hold `${stageVariables.name}` and, for HTTP, `{parameter}`. */
  readonly uri: string;
  /** The method used towards the backend; the request's own when `ANY`. */
  readonly httpMethod: string;
  readonly requestParameters: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
};

export type Method = { readonly authorizationType: string; integration: Integration | null };

export type Resource = {
  readonly id: string;
  readonly parentId: string | undefined;
  readonly pathPart: string | undefined;
  /** `/`, `/books/{id}`, `/{proxy+}`. */
  readonly path: string;
  readonly methods: Map<string, Method>;
};

export type Route = { readonly path: string; readonly method: string; readonly integration: Integration };

/** Immutable: what was deployed stays what it was. */
export type Deployment = {
  readonly id: string;
  readonly description: string | undefined;
  readonly createdMs: number;
  readonly routes: readonly Route[];
};

export type Canary = {
  readonly percentTraffic: number;
  readonly deploymentId: string;
  readonly stageVariableOverrides: Readonly<Record<string, string>>;
  readonly useStageCache: boolean;
};

/** What patches change. */
export type StageSettings = {
  readonly deploymentId: string;
  readonly description: string | undefined;
  readonly variables: Readonly<Record<string, string>>;
  readonly canary: Canary | null;
};

export type Stage = {
  readonly name: string;
  readonly createdMs: number;
  updatedMs: number;
  settings: StageSettings;
  tags: Record<string, string>;
};

export type RestApi = {
  readonly id: string;
  readonly name: string;
  readonly description: string | undefined;
  readonly createdMs: number;
  readonly resources: Map<string, Resource>;
  readonly deployments: Map<string, Deployment>;
  readonly stages: Map<string, Stage>;
  readonly rootResourceId: string;
};

export class ApiState {
  readonly apis = new Map<string, RestApi>();

  /** @throws ServiceError `NotFoundException` */
  api(id: string | undefined): RestApi {
    return this.apis.get(id ?? '') ?? missing(`Invalid API identifier specified: ${id}`);
  }

  /** @throws ServiceError `NotFoundException` */
  stage(apiId: string | undefined, name: string | undefined): Stage {
    return this.api(apiId).stages.get(name ?? '') ?? missing('Invalid stage identifier specified');
  }

  /** @throws ServiceError `NotFoundException` */
  resource(api: RestApi, id: string | undefined): Resource {
    return api.resources.get(id ?? '') ?? missing('Invalid Resource identifier specified');
  }

  /** @throws ServiceError `NotFoundException` */
  method(api: RestApi, resourceId: string | undefined, name: string | undefined): Method {
    return (
      this.resource(api, resourceId).methods.get(name ?? '') ?? missing('Invalid Method identifier specified')
    );
  }

  /** @throws ServiceError `NotFoundException` */
  deployment(api: RestApi, id: string | undefined): Deployment {
    return api.deployments.get(id ?? '') ?? missing('Invalid Deployment identifier specified');
  }
}

export const badRequest = (message: string): ServiceError => new ServiceError('BadRequestException', message);
export const conflict = (message: string): ServiceError =>
  new ServiceError('ConflictException', message, 409);

/** Ten lower-case letters and digits, as API Gateway's ids are. */
export const newId = (): string => Array.from(randomBytes(10), (byte) => (byte % 36).toString(36)).join('');

function missing(message: string): never {
  throw new ServiceError('NotFoundException', message, 404);
}
