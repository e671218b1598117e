/**
 * One configured source while the bridge runs: started, paused, restarted when its lease is lost, and left.
 */
import type { SourceConfig } from '../../core/bridge/config.ts';
import type { Incoming, MessageSource, SourceState, Timers } from '../../core/bridge/ports.ts';
import { CoreSource } from '../../nats/coreSource.ts';
import { JetStreamSource } from '../../nats/jetstreamSource.ts';
import { Lease } from '../../nats/lease.ts';
import type { NatsLink } from '../../nats/natsLink.ts';
import type { Register } from '../../nats/register.ts';

export type IntakeDeps = {
  readonly link: NatsLink;
  readonly register: Register;
  readonly timers: Timers;
  /** Unique to this process. */
  readonly owner: string;
  readonly leaseMs: number;
  readonly log: (message: string) => void;
  readonly receive: (source: MessageSource, message: Incoming, deliveriesMax: number) => void;
};

export type IntakeSpec = {
  readonly config: SourceConfig;
  readonly credits: number;
  readonly ordered: boolean;
};

const RESTART_MS = 1_000;

export class Intake {
  readonly spec: IntakeSpec;
  readonly #deps: IntakeDeps;
  #source: MessageSource | null = null;
  #lease: Lease | null = null;
  #paused = false;
  #left = false;
  #waiting: string | null = null;

  constructor(spec: IntakeSpec, deps: IntakeDeps) {
    this.spec = spec;
    this.#deps = deps;
  }

  get state(): SourceState {
    if (this.#source !== null) return this.#source.state;
    const { config } = this.spec;
    const name = 'core' in config ? `core ${config.core}` : `${config.stream}/${config.durable}`;
    const idle = { open: 0, pending: 0, oldestMs: 0, redelivered: 0, dropped: 0 };
    return { name, connected: this.#deps.link.connected, ...idle, holding: this.#waiting };
  }

  /** Resolves when messages may come; with a single owner, when this task waits for its turn. */
  async start(): Promise<void> {
    const { config } = this.spec;
    if ('core' in config || config.owner === 'shared') return this.#open();
    const { register, timers, owner, leaseMs } = this.#deps;
    await register.ensure();
    this.#lease = new Lease(register, timers, { key: `${config.stream}/${config.durable}`, owner, leaseMs });
    this.#waiting = 'another task owns it';
    void this.#own(this.#lease);
  }

  pause(): void {
    this.#paused = true;
    this.#source?.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#source?.resume();
  }

  /** Takes nothing more. Messages in hand can still be settled until `leave`. */
  async retire(): Promise<void> {
    this.#left = true;
    await this.#source?.retire();
  }

  /** Lets go of source and lease. */
  async leave(): Promise<void> {
    this.#left = true;
    await this.#source?.stop();
    await this.#lease?.release();
  }

  async #own(lease: Lease): Promise<void> {
    const { log, timers } = this.#deps;
    let lost: () => void = () => {};
    const loss = new Promise<void>((resolve) => {
      lost = resolve;
    });
    if (!(await lease.acquire(lost)) || this.#left) return;
    this.#waiting = 'starting';
    while (!this.#left) {
      try {
        await this.#open();
        this.#waiting = null;
        break;
      } catch (error) {
        // The first start checked nothing yet: the stream may still be in the making.
        log(`${this.state.name}: ${(error as Error).message}`);
        this.#waiting = (error as Error).message;
        await new Promise<void>((resolve) => timers.schedule(RESTART_MS, resolve));
      }
    }
    await loss;
    if (this.#left) return;
    log(`${this.state.name}: the lease was lost; another task takes over`);
    await this.#source?.stop();
    this.#source = null;
    this.#waiting = 'another task owns it';
    void this.#own(lease);
  }

  async #open(): Promise<void> {
    const { config, credits, ordered } = this.spec;
    const { link, timers, log, receive } = this.#deps;
    const source: MessageSource =
      'core' in config
        ? new CoreSource(link, timers, config)
        : new JetStreamSource(link, timers, { config, credits, ordered, log });
    const deliveriesMax = 'core' in config ? 0 : config.maxDeliver;
    await source.start((message) => receive(source, message, deliveriesMax));
    this.#source = source;
    if (this.#left) await source.retire();
    else if (this.#paused) source.pause();
  }
}
