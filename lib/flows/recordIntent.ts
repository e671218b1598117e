/** A decision that the event store did not take in time is appended from the queue that kept it. */
import type { Command } from '../core/rollout/commands.ts';
import { type FollowingWorld, followDecision } from './followDecision.ts';
import { known, record } from './record.ts';

export type Intent = {
  readonly service: string;
  readonly commandId: string;
  readonly correlationId: string;
  readonly command: { readonly type: string; readonly now: number };
};

/** Safe to repeat: the command id lets it be appended once. */
export async function recordIntent(world: FollowingWorld, intent: Intent): Promise<void> {
  const { service, commandId, correlationId, command } = intent;
  const cause = { correlationId, actor: 'switchback' };
  const from = await known(world, service);
  const recorded = await record(world, service, command as Command, cause, { from, commandId });
  await followDecision(world, service, recorded, cause);
}
