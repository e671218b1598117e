/** A decision that the event store did not take in time is appended from the queue that kept it. */
import type { ServiceSettings } from '../core/config/settings.ts';
import type { Command } from '../core/rollout/commands.ts';
import { type FollowingWorld, followDecision } from './followDecision.ts';
import { hearFireExit } from './hearMark.ts';
import { type Cause, type Known, known, record } from './record.ts';
import { takeOffDependents } from './takeOffDependents.ts';

export type Intent = {
  readonly service: string;
  readonly commandId: string;
  readonly correlationId: string;
  readonly command: { readonly type: string; readonly now: number };
};

/** Safe to repeat: the command id lets it be appended once, however late it comes again. */
export async function recordIntent(
  world: FollowingWorld,
  intent: Intent,
  services: readonly ServiceSettings[],
): Promise<void> {
  const { service, correlationId } = intent;
  const cause = { correlationId, actor: 'switchback' };
  // Its own record may be behind this one in the queue.
  const from = await hearFireExit(world, service, await known(world, service));
  const recorded = (await stands(world, intent, from))
    ? from
    : await append(world, intent, from, services, cause);
  await followDecision(world, service, recorded, cause);
}

/** Who depends on a service that goes back goes back before it, as when the store had been there. */
async function append(
  world: FollowingWorld,
  { service, commandId, command: kept }: Intent,
  from: Known,
  services: readonly ServiceSettings[],
  cause: Cause,
): Promise<Known> {
  const whole = await takeOffDependents(world, service, from.state, kept as Command, services, cause);
  return record(world, service, whole, cause, { from, commandId });
}

/**
 * Does a record of the fire exit stand already, so far back that the store has forgotten its id? Said once
 * more it would hold whoever has gone on since. Only one that is not newer than the newest can stand, so the
 * history is hardly ever read.
 */
async function stands(
  { store }: Pick<FollowingWorld, 'store'>,
  { commandId, command }: Intent,
  { head, state }: Known,
): Promise<boolean> {
  if (command.type !== 'RecordFallBack' || command.now > (state.fellBackAt ?? 0)) return false;
  for await (const recorded of store.read(head.stream)) if (recorded.commandId === commandId) return true;
  return false;
}
