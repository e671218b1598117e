/** What is asked of a server that may be away: asked again until it answers. */
import type { Timers } from '../core/bridge/ports.ts';

export type Patience = {
  readonly timers: Timers;
  readonly stopped: () => boolean;
  /** Something an operator should know. */
  readonly log: (line: string) => void;
};

const AGAIN_MS = 500;
/** The client's names for "nobody answered": the connection is broken, or JetStream is still starting. */
const SILENCE = new Set(['TimeoutError', 'NoResponders', 'ConnectionError']);
/** JetStream's own "not now": no leader yet. */
const UNAVAILABLE = 503;

/** @throws what the server answers; when stopped, the last silence */
export async function answered<T>(ask: () => Promise<T>, { timers, stopped, log }: Patience): Promise<T> {
  for (let times = 1; ; times++) {
    try {
      return await ask();
    } catch (error) {
      if (stopped() || !isSilence(error)) throw error;
      if (times === 1) log(`waiting for NATS: ${error.message}`);
      await new Promise<void>((resolve) => timers.schedule(AGAIN_MS, resolve));
    }
  }
}

function isSilence(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  const { status, cause } = error as { status?: unknown; cause?: unknown };
  return status === UNAVAILABLE || SILENCE.has(error.name) || (error !== cause && isSilence(cause));
}
