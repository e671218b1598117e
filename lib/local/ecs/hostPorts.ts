/**
 * Free ports for containers, below the range the kernel hands out to outgoing connections (32768 on Linux),
 * so that no client takes a port between its choice here and the container's `listen`.
 */
import { createServer } from 'node:net';

const FIRST = 20_000;
const COUNT = 12_000;

export class HostPorts {
  readonly #taken = new Set<number>();
  /** Processes begin at different places, so that two local clouds rarely try the same port. */
  #next = (process.pid * 97) % COUNT;

  /** A port nobody listens on and nobody was given. */
  async take(): Promise<number> {
    for (let tried = 0; tried < COUNT; tried++) {
      const port = FIRST + this.#next;
      this.#next = (this.#next + 1) % COUNT;
      if (this.#taken.has(port)) continue;
      this.#taken.add(port);
      if (await isFree(port)) return port;
      this.#taken.delete(port);
    }
    throw new Error(`no port from ${FIRST} to ${FIRST + COUNT - 1} is free`);
  }

  give(port: number): void {
    this.#taken.delete(port);
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
