/** Deployments and stages, with canaries. */
import type {
  CreateDeploymentCommandInput,
  CreateStageCommandInput,
  UpdateStageCommandInput,
  Stage as WireStage,
} from '@aws-sdk/client-api-gateway';
import type { Clock } from '../../asl/clock.ts';
import type { Operation } from '../service.ts';
import {
  type ApiState,
  badRequest,
  conflict,
  type Deployment,
  newId,
  type RestApi,
  type Stage,
} from './apiState.ts';
import { checkPercent, checkVariables, patchStage } from './stagePatch.ts';

type Named = { restApiId?: string; stageName?: string; deploymentId?: string };

export function stageOperations(state: ApiState, clock: Clock): Readonly<Record<string, Operation>> {
  return {
    CreateDeployment: (input: CreateDeploymentCommandInput) => createDeployment(state, clock, input),
    GetDeployment: ({ restApiId, deploymentId }: Named) =>
      wireDeployment(state.deployment(state.api(restApiId), deploymentId)),
    GetDeployments: ({ restApiId }: Named) => ({
      items: [...state.api(restApiId).deployments.values()].map(wireDeployment),
    }),
    DeleteDeployment: ({ restApiId, deploymentId }: Named) => {
      const api = state.api(restApiId);
      const { id } = state.deployment(api, deploymentId);
      const used = [...api.stages.values()].some(
        ({ settings }) => settings.deploymentId === id || settings.canary?.deploymentId === id,
      );
      if (used) throw badRequest('Active stages pointing to this deployment must be moved or deleted');
      api.deployments.delete(id);
      return {};
    },
    CreateStage: (input: CreateStageCommandInput) => wireStage(createStage(state, clock, input)),
    GetStage: ({ restApiId, stageName }: Named) => wireStage(state.stage(restApiId, stageName)),
    GetStages: ({ restApiId, deploymentId }: Named) => ({
      item: [...state.api(restApiId).stages.values()]
        .filter(({ settings }) => deploymentId === undefined || settings.deploymentId === deploymentId)
        .map(wireStage),
    }),
    UpdateStage: ({ restApiId, stageName, patchOperations }: UpdateStageCommandInput) => {
      const api = state.api(restApiId);
      const stage = state.stage(restApiId, stageName);
      const settings = patchStage(stage.settings, patchOperations ?? []);
      state.deployment(api, settings.deploymentId);
      if (settings.canary) state.deployment(api, settings.canary.deploymentId);
      stage.settings = settings;
      stage.updatedMs = clock.now();
      return wireStage(stage);
    },
    DeleteStage: ({ restApiId, stageName }: Named) => {
      state.api(restApiId).stages.delete(state.stage(restApiId, stageName).name);
      return {};
    },
  };
}

/**
 * A snapshot of the API; put on the stage when one is named, as its canary when canary settings are given.
 */
function createDeployment(state: ApiState, clock: Clock, input: CreateDeploymentCommandInput) {
  const api = state.api(input.restApiId);
  const stage = api.stages.get(input.stageName ?? '');
  const canary = input.canarySettings;
  if (canary && !stage) throw badRequest('Deployment canary settings need an existing stage');
  if (!canary && stage?.settings.canary)
    throw badRequest('The stage has a canary: deploy with canary settings, or remove the canary first');
  const percentTraffic = checkPercent(canary?.percentTraffic ?? 0);
  const stageVariableOverrides = checkVariables(canary?.stageVariableOverrides ?? {});
  const variables = checkVariables({ ...stage?.settings.variables, ...input.variables });
  const deployment = snapshot(api, input.description, clock.now());
  api.deployments.set(deployment.id, deployment);
  if (stage && canary) {
    const useStageCache = canary.useStageCache ?? false;
    const made = { deploymentId: deployment.id, percentTraffic, stageVariableOverrides, useStageCache };
    stage.settings = { ...stage.settings, canary: made };
    stage.updatedMs = clock.now();
  } else if (stage) {
    stage.settings = { ...stage.settings, deploymentId: deployment.id, variables };
    stage.updatedMs = clock.now();
  } else if (input.stageName !== undefined) {
    const description = input.stageDescription;
    createStage(state, clock, {
      restApiId: api.id,
      stageName: input.stageName,
      deploymentId: deployment.id,
      description,
      variables,
    });
  }
  return wireDeployment(deployment);
}

function createStage(state: ApiState, clock: Clock, input: CreateStageCommandInput): Stage {
  const api = state.api(input.restApiId);
  const name = input.stageName ?? '';
  if (!/^[\w-]{1,128}$/.test(name)) throw badRequest('Stage name only allows a-zA-Z0-9-_');
  if (api.stages.has(name)) throw conflict('Stage already exists');
  const { id } = state.deployment(api, input.deploymentId);
  const canary = input.canarySettings;
  const stage: Stage = {
    name,
    createdMs: clock.now(),
    updatedMs: clock.now(),
    settings: {
      deploymentId: id,
      description: input.description,
      variables: checkVariables(input.variables ?? {}),
      canary: canary
        ? {
            percentTraffic: checkPercent(canary.percentTraffic ?? 0),
            deploymentId: state.deployment(api, canary.deploymentId ?? id).id,
            stageVariableOverrides: checkVariables(canary.stageVariableOverrides ?? {}),
            useStageCache: canary.useStageCache ?? false,
          }
        : null,
    },
    tags: input.tags ?? {},
  };
  api.stages.set(name, stage);
  return stage;
}

function snapshot(api: RestApi, description: string | undefined, nowMs: number): Deployment {
  const routes = [...api.resources.values()].flatMap(({ path, methods }) =>
    [...methods].map(([method, { integration }]) => {
      if (!integration) throw badRequest('No integration defined for method');
      return { path, method, integration };
    }),
  );
  if (routes.length === 0) throw badRequest("The REST API doesn't contain any methods");
  return { id: newId(), description, createdMs: nowMs, routes };
}

const wireDeployment = ({ id, description, createdMs }: Deployment) => ({
  id,
  description,
  createdDate: new Date(createdMs),
});

const wireStage = ({ name, settings, createdMs, updatedMs, tags }: Stage): WireStage => ({
  stageName: name,
  deploymentId: settings.deploymentId,
  description: settings.description,
  variables: { ...settings.variables },
  ...(settings.canary && {
    canarySettings: {
      ...settings.canary,
      stageVariableOverrides: { ...settings.canary.stageVariableOverrides },
    },
  }),
  cacheClusterEnabled: false,
  cacheClusterStatus: 'NOT_AVAILABLE',
  methodSettings: {},
  tracingEnabled: false,
  tags,
  createdDate: new Date(createdMs),
  lastUpdatedDate: new Date(updatedMs),
});
