/** The bridge that a deployment runs: its settings from `switchback.yml`, and bridge.yml compiled. */
import { readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { parse } from 'yaml';
import type { Plan } from '../../core/bridge/plan.ts';
import type { BridgeSettings } from '../../core/config/bridgeFile.ts';
import { ConfigRefused, loadPlan } from '../bridge/loadConfig.ts';
import { ConfigurationRefused } from '../configure/yamlFile.ts';

export type BridgeDeployment = {
  readonly settings: BridgeSettings;
  readonly plan: Plan;
  /** bridge.yml as one line of JSON: how the tasks get it. */
  readonly document: string;
};

/** ECS ends a task this long after SIGTERM; Fargate has no longer (ECS API, `stopTimeout`). */
export const stopTimeoutSeconds = 120;
/** To close connections after the drain. */
const closingMs = 5_000;
/** A task definition holds 64 KB; the rest of ours is far below 8. */
const documentBytesMax = 56 * 1024;

/**
 * @param configuration the path of switchback.yml
 * @throws ConfigurationRefused where bridge.yml cannot be used, or not by these settings
 */
export async function bridgeDeployment(
  settings: BridgeSettings,
  configuration: string,
): Promise<BridgeDeployment> {
  const path = resolve(dirname(configuration), settings.config);
  const name = relative(process.cwd(), path);
  const plan = await loadPlan(path).catch((error: unknown) => {
    if (error instanceof ConfigRefused) throw new ConfigurationRefused(error.message.replaceAll(path, name));
    throw error;
  });
  const document = JSON.stringify(parse(readFileSync(path, 'utf8')));
  const refusals = refusalsOf(settings, plan, document);
  if (refusals.length > 0)
    throw new ConfigurationRefused(refusals.map((why) => `${name}: ${why}`).join('\n'));
  return { settings, plan, document };
}

function refusalsOf({ secrets }: BridgeSettings, { config }: Plan, document: string): readonly string[] {
  const { auth = {} } = config.nats;
  const missing = Object.values(auth).filter((name) => name !== undefined && !(name in secrets));
  const drainMsMax = stopTimeoutSeconds * 1000 - closingMs;
  return [
    ...missing.map((name) => `${name} has no secret: name its ARN in switchback.yml, bridge.secrets.${name}`),
    ...(config.drain > drainMsMax
      ? [
          `drain is ${config.drain / 1000} s, and ECS ends a task after ${stopTimeoutSeconds}: at most ${drainMsMax / 1000}s`,
        ]
      : []),
    ...(config.aws.endpoint === undefined ? [] : ['aws.endpoint is for trying things out: leave it away']),
    ...(Buffer.byteLength(document) > documentBytesMax
      ? [
          `is ${Buffer.byteLength(document)} bytes long as JSON, and a task definition takes ${documentBytesMax}`,
        ]
      : []),
  ];
}
