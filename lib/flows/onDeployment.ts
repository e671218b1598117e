/**
 * What ECS and CodeDeploy say of tasks and deployments leads to the same decision as an alarm: recorded,
 * judged, driven.
 */
import type {
  DeploymentGroupName,
  DeploymentTrouble,
  EcsServiceName,
} from '../../events/aws/deploymentTrouble.ts';
import type { Slot } from '../../events/target.ts';
import type { ServiceSettings } from '../core/config/settings.ts';
import type { CommandOf } from '../core/rollout/commands.ts';
import { type FollowingWorld, followDecision } from './followDecision.ts';
import { hearFireExit } from './hearMark.ts';
import { type Cause, known, record } from './record.ts';
import { takeOffDependents } from './takeOffDependents.ts';

/** @returns the service's phase afterwards; null when it is nobody's who is configured */
export async function onDeployment(
  world: FollowingWorld,
  trouble: DeploymentTrouble,
  services: readonly ServiceSettings[],
): Promise<string | null> {
  const owner = ownerOf(trouble, services);
  if (owner === null) return null;
  const { settings, slot } = owner;
  const { service } = settings;
  const cause: Cause = { correlationId: trouble.eventId, actor: 'switchback' };
  const from = await hearFireExit(world, service, await known(world, service));
  const { rollout } = from.state;
  if (rollout.phase === 'none') return rollout.phase;
  const side = slot === null || slot === rollout.canarySlot ? 'canary' : 'stable';
  const command = commandFor(trouble, side, settings, world.clock.now());
  const commandId = `deployment:${trouble.eventId}`;
  const whole = await takeOffDependents(world, service, from.state, command, services, cause);
  const judged = await record(world, service, whole, cause, { from, commandId });
  const overridden = judged.outcome === 'refused' && judged.reason === 'overridden';
  const recorded = overridden
    ? await record(world, service, counted(trouble, side, settings, world.clock.now()), cause, { commandId })
    : judged;
  return (await followDecision(world, service, recorded, cause)).state.rollout.phase;
}

/** A deployment of the canary that was given up is final; everything else is counted. */
const commandFor = (
  trouble: DeploymentTrouble,
  side: 'canary' | 'stable',
  settings: ServiceSettings,
  now: number,
): CommandOf<'RollBack' | 'FailHealth'> =>
  trouble.kind === 'deployment' && side === 'canary'
    ? {
        ...{ type: 'RollBack', trigger: 'deployment', by: 'switchback' },
        ...{ reason: trouble.what, changedAt: trouble.changedAt, now },
      }
    : counted(trouble, side, settings, now);

/** Also what an override keeps from taking the canary back stands in its record. */
const counted = (
  { what, changedAt }: DeploymentTrouble,
  side: 'canary' | 'stable',
  settings: ServiceSettings,
  now: number,
): CommandOf<'FailHealth'> => ({ type: 'FailHealth', side, what, changedAt, settings, now });

type Owner = {
  readonly settings: ServiceSettings;
  /** null: the canary's, whichever that is. */
  readonly slot: Slot | null;
};

function ownerOf({ of }: DeploymentTrouble, services: readonly ServiceSettings[]): Owner | null {
  for (const settings of services) {
    const slot = 'application' in of ? groupSlot(of, settings) : serviceSlot(of, settings);
    if (slot !== undefined) return { settings, slot };
  }
  return null;
}

/** The slot that a deployment group deploys to; undefined where it is not this service's. */
const groupSlot = (
  { application, deploymentGroup }: DeploymentGroupName,
  { codeDeploy }: ServiceSettings,
): Slot | null | undefined =>
  codeDeploy.find((group) => group.application === application && group.deploymentGroup === deploymentGroup)
    ?.slot;

/** The slot an ECS service is; undefined where it is none of this service's. */
function serviceSlot({ cluster, ecsService }: EcsServiceName, { target }: ServiceSettings): Slot | undefined {
  if (target.kind !== 'ecs-alb' || target.cluster.split('/').at(-1) !== cluster) return undefined;
  return (['blue', 'green'] as const).find((slot) => target.services[slot] === ecsService);
}
