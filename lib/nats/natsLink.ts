/**
 * The bridge's connection to NATS: it reconnects for as long as it takes, tells who wants to know, and counts
 * what servers refuse.
 */
import { readFile } from 'node:fs/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import { credsAuthenticator, type NatsConnection } from '@nats-io/nats-core';
import { connect, type NodeConnectionOptions } from '@nats-io/transport-node';
import type { BridgeConfig } from '../core/bridge/config.ts';

/** Streams and consumers as JetStream's API manages them. */
export type JetStreamApi = Awaited<ReturnType<typeof jetstreamManager>>;

export type Environment = Readonly<Record<string, string | undefined>>;

/** The configuration names an environment variable that is not set. */
class SecretMissing extends Error {
  override readonly name = 'SecretMissing';
}

const RECONNECT_MS = 250;
/** A dead peer is noticed after this long twice. */
const PING_MS = 10_000;
const FLUSH_MS_MAX = 5_000;

export class NatsLink {
  readonly nats: NatsConnection;
  readonly api: JetStreamApi;
  #connected = true;
  #reconnects = 0;
  #lastError: string | null = null;
  readonly #listeners = new Set<() => void>();

  private constructor(nats: NatsConnection, api: JetStreamApi) {
    this.nats = nats;
    this.api = api;
    void this.#watch();
  }

  /** Resolves once connected: it waits for the first connection as patiently as for any later one. */
  static async open(config: BridgeConfig['nats'], environment: Environment): Promise<NatsLink> {
    const nats = await connect(await connectionOptions(config, environment));
    // The client's own check would fail while JetStream is still starting; sources ask for what they need.
    return new NatsLink(nats, await jetstreamManager(nats, { checkAPI: false, timeout: 5_000 }));
  }

  get connected(): boolean {
    return this.#connected && !this.nats.isClosed();
  }

  get reconnects(): number {
    return this.#reconnects;
  }

  /** The last thing the server refused: a permission, mostly. */
  get lastError(): string | null {
    return this.#lastError;
  }

  get version(): string {
    return this.nats.info?.version ?? '';
  }

  get server(): string {
    return this.nats.getServer();
  }

  /** Calls back after every reconnection; the returned function ends that. */
  onReconnect(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What was published before is at the server; gives up after a few seconds or without a connection. */
  async flush(): Promise<void> {
    if (!this.connected) return;
    const timer = AbortSignal.timeout(FLUSH_MS_MAX);
    const late = new Promise<void>((resolve) => timer.addEventListener('abort', () => resolve()));
    await Promise.race([this.nats.flush().catch(() => undefined), late]);
  }

  async close(): Promise<void> {
    if (this.nats.isClosed()) return;
    if (this.connected) await this.nats.drain().catch(() => this.nats.close());
    else await this.nats.close();
  }

  async #watch(): Promise<void> {
    for await (const status of this.nats.status()) {
      if (status.type === 'disconnect') this.#connected = false;
      else if (status.type === 'error') this.#lastError = status.error.message;
      else if (status.type === 'reconnect') {
        this.#connected = true;
        this.#reconnects++;
        for (const listener of this.#listeners) listener();
      }
    }
    this.#connected = false;
  }
}

async function connectionOptions(
  config: BridgeConfig['nats'],
  environment: Environment,
): Promise<NodeConnectionOptions> {
  const { auth, tls } = config;
  const secret = (name: string) => {
    const value = environment[name];
    if (value === undefined || value === '')
      throw new SecretMissing(`the environment variable ${name} is not set`);
    return value;
  };
  const options: NodeConnectionOptions = {
    servers: [...config.servers],
    name: config.name,
    maxReconnectAttempts: -1,
    reconnectTimeWait: RECONNECT_MS,
    waitOnFirstConnect: true,
    pingInterval: PING_MS,
    maxPingOut: 2,
    // A rotated secret is wrong for a while on one side: that is no reason to give up.
    ignoreAuthErrorAbort: true,
    noAsyncTraces: true,
  };
  if (auth?.userEnv !== undefined) options.user = secret(auth.userEnv);
  if (auth?.passwordEnv !== undefined) options.pass = secret(auth.passwordEnv);
  if (auth?.tokenEnv !== undefined) options.token = secret(auth.tokenEnv);
  if (auth?.credsEnv !== undefined) {
    options.authenticator = credsAuthenticator(new TextEncoder().encode(secret(auth.credsEnv)));
  }
  if (tls !== undefined) {
    const read = (file: string | undefined) => (file === undefined ? undefined : readFile(file, 'utf8'));
    const [ca, cert, key] = await Promise.all([read(tls.caFile), read(tls.certFile), read(tls.keyFile)]);
    options.tls = {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    };
  }
  return options;
}
