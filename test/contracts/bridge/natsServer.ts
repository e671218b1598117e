/**
 * A real nats-server for tests: on a free port, with JetStream in a directory of its own, killed and
 * restarted at will.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect as dial } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectionOptions, connect, type NatsConnection } from '@nats-io/transport-node';
import { freePort } from '../../../lib/local/freePort.ts';

const BINARY = process.env.NATS_SERVER ?? 'nats-server';

export class NatsServer {
  readonly port: number;
  readonly #directory: string;
  readonly #extra: string;
  #child: ChildProcess | null = null;
  readonly #connections: NatsConnection[] = [];

  private constructor(port: number, directory: string, extra: string) {
    this.port = port;
    this.#directory = directory;
    this.#extra = extra;
  }

  /** @param extra lines for the server's configuration file */
  static async start(extra = ''): Promise<NatsServer> {
    const server = new NatsServer(await freePort(), await mkdtemp(join(tmpdir(), 'nats-')), extra);
    await server.up();
    return server;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  async up(): Promise<void> {
    const file = join(this.#directory, 'server.conf');
    await writeFile(
      file,
      `listen: 127.0.0.1:${this.port}\n` +
        `jetstream { store_dir: "${join(this.#directory, 'js')}" }\n${this.#extra}\n`,
    );
    this.#child = spawn(BINARY, ['-c', file], { stdio: ['ignore', 'ignore', 'pipe'] });
    let log = '';
    this.#child.stderr?.on('data', (chunk) => {
      log = (log + chunk).slice(-4000);
    });
    const child = this.#child;
    await eventually(async () => {
      if (child.exitCode !== null) throw new Error(`nats-server ended: ${log}`);
      return answers(this.port);
    }, `nats-server answers on ${this.port}`);
  }

  /** @param signal SIGKILL loses what was not written; SIGTERM does not */
  async down(signal: 'SIGKILL' | 'SIGTERM' = 'SIGTERM'): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await gone;
  }

  async connect(options: ConnectionOptions = {}): Promise<NatsConnection> {
    const connection = await connect({
      servers: this.url,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 50,
      ...options,
    });
    this.#connections.push(connection);
    return connection;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#connections.map((connection) => connection.close()));
    await this.down('SIGKILL');
    await rm(this.#directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = dial(port, '127.0.0.1');
    const end = (open: boolean) => {
      socket.destroy();
      resolve(open);
    };
    // The server greets with INFO only when it is ready for clients.
    socket.once('data', () => end(true));
    socket.once('error', () => end(false));
  });
}

/** Polls until a condition holds; fails with `what` after the deadline. */
export async function eventually(
  holds: () => boolean | Promise<boolean>,
  what: string,
  withinMs = 20_000,
): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
