/** Waiting for what another process or socket will have done: as long as a busy machine needs. */
import { expect } from 'vitest';

/** `await eventually(() => queue.size).toBe(1)` */
export const eventually = <T>(read: () => T) => expect.poll(read, { timeout: 30_000, interval: 10 });
