/** When a rollout ends, the one that waited behind it is requested, as if its requester asked again. */
import type { ServiceState } from '../core/rollout/state.ts';
import type { Requests } from '../ports.ts';

export async function startQueued(
  world: { readonly requests: Requests },
  service: string,
  { queued }: ServiceState,
): Promise<void> {
  if (queued !== null) await world.requests.send({ service, ...queued });
}
