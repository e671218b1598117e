/**
 * What UpdateStage may change, as JSON-Patch-like operations. Paths and what each allows: API Gateway
 * reference, "Patch operations", Stage; promotion by `copy`: developer guide, "Promote a canary release".
 */
import type { PatchOperation } from '@aws-sdk/client-api-gateway';
import { badRequest, type Canary, type StageSettings } from './apiState.ts';

/** The settings after all `operations`; nothing is changed when one is refused. @throws ServiceError */
export function patchStage(before: StageSettings, operations: readonly PatchOperation[]): StageSettings {
  return operations.reduce(patchOnce, before);
}

/** @throws ServiceError `BadRequestException` */
export function checkVariables(
  variables: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  for (const [name, value] of Object.entries(variables)) {
    if (!/^\w+$/.test(name))
      throw badRequest(`Stage variable name ${name} may only use letters, digits and underscores`);
    if (!/^[\w\-.~:/?#&=,]+$/.test(value))
      throw badRequest(`Stage variable value of ${name} has characters it may not use`);
  }
  return variables;
}

/** @throws ServiceError `BadRequestException` */
export function checkPercent(percent: number): number {
  if (!(percent >= 0 && percent <= 100)) throw badRequest('Percent traffic must be between 0.0 and 100.0');
  return percent;
}

function patchOnce(settings: StageSettings, operation: PatchOperation): StageSettings {
  const { op, path = '', value, from } = operation;
  const [, first, second, third] = path
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  if (first === 'canarySettings')
    return { ...settings, canary: patchCanary(settings, operation, second, third) };
  if (op === 'copy') return copy(settings, from, path);
  if (first === 'variables' && second) {
    const { [second]: _, ...rest } = settings.variables;
    if (op === 'remove') return { ...settings, variables: rest };
    if (op === 'replace' || op === 'add')
      return { ...settings, variables: checkVariables({ ...settings.variables, [second]: value ?? '' }) };
  }
  if (op === 'replace' && path === '/description') return { ...settings, description: value };
  if (op === 'replace' && path === '/deploymentId' && value) return { ...settings, deploymentId: value };
  throw badRequest(
    `Invalid patch path '${path}' for the operation ${op} specified for op: must be one of ` +
      `the stage's settings`,
  );
}

/** Promotion: the stage takes what the canary has. */
function copy(settings: StageSettings, from: string | undefined, path: string): StageSettings {
  const { canary } = settings;
  if (!canary) throw badRequest('The stage has no canary settings to copy from');
  if (from === '/canarySettings/deploymentId' && path === '/deploymentId')
    return { ...settings, deploymentId: canary.deploymentId };
  if (from === '/canarySettings/stageVariableOverrides' && path === '/variables')
    return { ...settings, variables: { ...settings.variables, ...canary.stageVariableOverrides } };
  throw badRequest(`Invalid copy from '${from}' to '${path}'`);
}

function patchCanary(
  settings: StageSettings,
  { op, path = '', value }: PatchOperation,
  field: string | undefined,
  name: string | undefined,
): Canary | null {
  if (op === 'remove' && field === undefined) return null;
  const canary: Canary = settings.canary ?? {
    percentTraffic: 0,
    deploymentId: settings.deploymentId,
    stageVariableOverrides: {},
    useStageCache: false,
  };
  const sets = op === 'replace' || op === 'add';
  if (field === 'stageVariableOverrides' && name) {
    const { [name]: _, ...rest } = canary.stageVariableOverrides;
    if (op === 'remove') return { ...canary, stageVariableOverrides: rest };
    if (sets) return { ...canary, stageVariableOverrides: checkVariables({ ...rest, [name]: value ?? '' }) };
  }
  if (sets && field === 'percentTraffic')
    return { ...canary, percentTraffic: checkPercent(value ? Number(value) : Number.NaN) };
  if (sets && field === 'deploymentId' && value) return { ...canary, deploymentId: value };
  if (sets && field === 'useStageCache') return { ...canary, useStageCache: value === 'true' };
  throw badRequest(`Invalid patch path '${path}' for the operation ${op}`);
}
