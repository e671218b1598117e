/** Whether the bridge lives, is ready, and how it is: what /live, /ready and /health say. */
import type { Sender, Timers } from '../../core/bridge/ports.ts';
import type { NatsLink } from '../../nats/natsLink.ts';
import type { Bridge } from './bridge.ts';
import type { BridgeMetrics } from './metrics.ts';
import { prometheusText } from './prometheus.ts';
import type { Check, StatusPage } from './statusServer.ts';

export type VitalsDeps = {
  readonly bridge: Bridge;
  readonly link: NatsLink;
  readonly sender: Sender;
  readonly metrics: BridgeMetrics;
  readonly timers: Timers;
  /** This program's version. */
  readonly version: string;
};

/** An event loop later than this is stuck: ECS should replace the task. */
const LOOP_LAG_MS_MAX = 5_000;
const BEAT_MS = 500;
/** Rates are over the last beats: 10 s. */
const BEATS = 20;

type Sample = { readonly atMs: number; readonly received: number; readonly delivered: number };

export class Vitals implements StatusPage {
  readonly #deps: VitalsDeps;
  #loopLagMs = 0;
  #beatAtMs: number;
  #samples: Sample[] = [];
  #cancel: () => void = () => {};

  constructor(deps: VitalsDeps) {
    this.#deps = deps;
    this.#beatAtMs = deps.timers.now();
    this.#beat();
  }

  /** How late the event loop was at the last beat, or is now if the next beat is overdue. */
  get loopLagMs(): number {
    const overdue = this.#deps.timers.now() - this.#beatAtMs - BEAT_MS;
    return Math.max(0, this.#loopLagMs, overdue);
  }

  live(): Check {
    const ok = this.loopLagMs < LOOP_LAG_MS_MAX;
    return { ok, why: ok ? [] : [`the event loop is ${this.loopLagMs} ms late`] };
  }

  ready(): Check {
    const { bridge, link, sender } = this.#deps;
    const why: string[] = [];
    if (bridge.phase !== 'running') why.push(bridge.phase);
    if (!link.connected) why.push('no connection to NATS');
    if (sender.fault !== null) why.push(`no credentials: ${sender.fault}`);
    for (const { target, reason } of bridge.carrier.blockedBy) why.push(`${target} refuses us: ${reason}`);
    const { lagMax } = bridge.plan.config;
    for (const { state } of bridge.intakes) {
      if (state.oldestMs > lagMax) why.push(`${state.name}: a message is ${state.oldestMs} ms in hand`);
    }
    return { ok: why.length === 0, why };
  }

  /** The requirement's form: components, versions and rates. */
  health(): object {
    const { bridge, link, sender, metrics, timers, version } = this.#deps;
    const ready = this.ready();
    const nats = {
      status: link.connected ? 'up' : 'down',
      version: link.version,
      server: link.server,
      reconnects: link.reconnects,
    };
    return {
      status: ready.ok ? 'healthy' : bridge.phase === 'running' ? 'unhealthy' : bridge.phase,
      why: ready.why,
      version,
      uptimeSeconds: Math.round((timers.now() - metrics.startedAtMs) / 1000),
      components: {
        nats,
        credentials: { status: sender.fault === null ? 'up' : 'down' },
        sources: Object.fromEntries(bridge.intakes.map(({ state: { name, ...state } }) => [name, state])),
        targets: Object.fromEntries(
          bridge.carrier.dispatchers.map(({ spec, circuitReason, load }) => {
            const status = circuitReason === null ? 'up' : 'down';
            const limit = Number.isFinite(load.ratePerSec) ? load.ratePerSec : null;
            return [spec.key, { status, reason: circuitReason, ...load, ratePerSec: limit }];
          }),
        ),
      },
      versions: {
        bridge: version,
        node: process.version,
        nats: link.version,
        config: bridge.plan.config.version,
      },
      rates: this.rates(),
    };
  }

  metrics(): string {
    const { bridge, metrics, link } = this.#deps;
    return prometheusText(bridge, metrics, { ready: this.ready().ok, link, loopLagMs: this.loopLagMs });
  }

  /** Messages per second over the last ten seconds. */
  rates(): { readonly receivedPerSec: number; readonly deliveredPerSec: number } {
    const first = this.#samples[0];
    const { metrics, timers } = this.#deps;
    const seconds = first === undefined ? 0 : (timers.now() - first.atMs) / 1000;
    if (first === undefined || seconds <= 0) return { receivedPerSec: 0, deliveredPerSec: 0 };
    return {
      receivedPerSec: Math.round((metrics.received - first.received) / seconds),
      deliveredPerSec: Math.round((metrics.delivered - first.delivered) / seconds),
    };
  }

  stop(): void {
    this.#cancel();
  }

  #beat(): void {
    const { metrics, timers } = this.#deps;
    const now = timers.now();
    this.#loopLagMs = Math.max(0, now - this.#beatAtMs - BEAT_MS);
    this.#beatAtMs = now;
    this.#samples.push({ atMs: now, received: metrics.received, delivered: metrics.delivered });
    if (this.#samples.length > BEATS) this.#samples.shift();
    this.#cancel = timers.schedule(BEAT_MS, () => this.#beat());
  }
}
