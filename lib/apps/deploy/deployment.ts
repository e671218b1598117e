/**
 * What is deployed: the stage, and the configuration that the bundles carry. Everything generated follows
 * from it.
 */
import type { Configuration } from '../../core/config/configuration.ts';
import type { BridgeDeployment } from './bridgeDeployment.ts';
import type { Stage } from './stage.ts';

export type Deployment = {
  readonly stage: Stage;
  readonly configuration: Configuration;
  /** Folder of the bundles, from the project's root. */
  readonly dist: string;
  /** The NATS–AWS bridge and its rules, where the configuration has a `bridge:` part. */
  readonly bridge?: BridgeDeployment | null;
  /** `SWITCHBACK__…`: configuration above the file, handed to the functions that start rollouts. */
  readonly variables: Readonly<Record<string, string>>;
};

/** Every name in the account begins with it, so that stages live side by side: `switchback-dev`. */
export const prefixOf = ({ stage }: Deployment): string => `switchback-${stage.name}`;

/** Names are built, not referred to, where a reference would close a circle. */
export const machineName = (deployment: Deployment, machine: string): string =>
  `${prefixOf(deployment)}-${machine}`;

/** The alias that executions are started through; it points at the machine's newest version. */
export const liveAlias = 'live';
