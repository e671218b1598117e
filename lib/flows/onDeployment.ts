/**
 * What ECS says of tasks and deployments leads to the same decision as an alarm: recorded, judged, driven.
 */
import type { DeploymentTrouble } from '../../events/aws/ecs.ts';
import type { Slot } from '../../events/target.ts';
import type { ServiceSettings } from '../core/config/settings.ts';
import type { Command } from '../core/rollout/commands.ts';
import { type FollowingWorld, followDecision } from './followDecision.ts';
import { type Cause, known, record } from './record.ts';

/** @returns the service's phase afterwards; null when the tasks are nobody's who is configured */
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
  const from = await known(world, service);
  const { rollout } = from.state;
  if (rollout.phase === 'none') return rollout.phase;
  const side = slot === rollout.canarySlot ? 'canary' : 'stable';
  const command = commandFor(trouble, side, settings, world.clock.now());
  const commandId = `deployment:${trouble.eventId}`;
  const recorded = await record(world, service, command, cause, { from, commandId });
  return (await followDecision(world, service, recorded, cause)).state.rollout.phase;
}

/** A deployment that ECS gave up on the canary is final; everything else is counted. */
function commandFor(
  { kind, what }: DeploymentTrouble,
  side: 'canary' | 'stable',
  settings: ServiceSettings,
  now: number,
): Command {
  return kind === 'deployment' && side === 'canary'
    ? { type: 'RollBack', trigger: 'deployment', reason: what, by: 'switchback', now }
    : { type: 'FailHealth', side, what, settings, now };
}

function ownerOf(
  { cluster, ecsService }: DeploymentTrouble,
  services: readonly ServiceSettings[],
): { readonly settings: ServiceSettings; readonly slot: Slot } | null {
  for (const settings of services) {
    const { target } = settings;
    if (target.kind !== 'ecs-alb' || target.cluster.split('/').at(-1) !== cluster) continue;
    for (const slot of ['blue', 'green'] as const) {
      if (target.services[slot] === ecsService) return { settings, slot };
    }
  }
  return null;
}
