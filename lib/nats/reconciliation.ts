/**
 * After deliveries were lost on the way: waits until the server counts no more unacknowledged messages than
 * we have. It delivers the lost ones again when ackWait has passed, and then before anything new.
 */
import type { JetStreamSourceConfig } from '../core/bridge/config.ts';
import type { Timers } from '../core/bridge/ports.ts';
import type { NatsLink } from './natsLink.ts';

export type Reconciliation = {
  readonly config: JetStreamSourceConfig;
  /** True when the connection broke again: another reconciliation has begun. */
  readonly overtaken: () => boolean;
  /** Messages we have that the server does not know to be settled. */
  readonly ours: () => number;
  /** Asks for so many messages. */
  readonly ask: (missing: number) => void;
  readonly log: (message: string) => void;
};

const POLL_MS_MIN = 50;
const POLL_MS_MAX = 1_000;

/** False when it was overtaken. */
export async function reconciled(link: NatsLink, timers: Timers, what: Reconciliation): Promise<boolean> {
  const { ackWait } = what.config;
  const lostAtMs = timers.now();
  while (!what.overtaken()) {
    const missing = await countMissing(link, what);
    if (what.overtaken()) return false;
    if (missing === 0) return true;
    if (missing !== null && timers.now() - lostAtMs > ackWait) what.ask(missing);
    const pollMs = Math.max(POLL_MS_MIN, Math.min(POLL_MS_MAX, ackWait / 20));
    await new Promise<void>((resolve) => timers.schedule(pollMs, resolve));
  }
  return false;
}

/**
 * Messages that the server waits for and we do not have; null when it cannot be asked. Acknowledgements that
 * it has not worked off yet make it too many, never too few.
 */
async function countMissing(link: NatsLink, what: Reconciliation): Promise<number | null> {
  const { stream, durable } = what.config;
  const ours = what.ours();
  try {
    const info = await link.api.consumers.info(stream, durable);
    return Math.max(0, info.num_ack_pending - ours);
  } catch (error) {
    what.log(`${stream}/${durable}: ${(error as Error).message}`);
    return null;
  }
}
