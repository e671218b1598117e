/**
 * The bridge as a whole: one connection to NATS, one sender to AWS, intakes, carrier and reverse routes, all
 * made from a plan that may be replaced while it runs.
 */
import { patternsOf } from '../../core/bridge/checks.ts';
import type { SourceConfig } from '../../core/bridge/config.ts';
import type { Plan } from '../../core/bridge/plan.ts';
import type { Publisher, Sender, Timers } from '../../core/bridge/ports.ts';
import { overlaps, tokensOf } from '../../core/bridge/subject.ts';
import type { NatsLink } from '../../nats/natsLink.ts';
import type { Register } from '../../nats/register.ts';
import { Carrier } from './carrier.ts';
import { DeadLetterOffice } from './deadLetterOffice.ts';
import { Intake, type IntakeSpec } from './intake.ts';
import type { BridgeMetrics } from './metrics.ts';

export type BridgeDeps = {
  readonly link: NatsLink;
  readonly register: Register;
  readonly sender: Sender;
  readonly publisher: Publisher;
  readonly timers: Timers;
  readonly metrics: BridgeMetrics;
  readonly log: (message: string) => void;
  /** In [0, 1). */
  readonly chance: () => number;
  /** Unique to this process. */
  readonly owner: string;
};

export type Phase = 'starting' | 'running' | 'draining' | 'stopped';

/** Messages in our hands per request under way: enough to fill the next ones while these are on the wire. */
const CREDITS_PER_REQUEST = 40;
const CREDITS_MIN = 2_000;
const POLL_MS = 20;

export class Bridge {
  readonly carrier: Carrier;
  readonly office: DeadLetterOffice;
  readonly #deps: BridgeDeps;
  #intakes: Intake[] = [];
  #phase: Phase = 'starting';
  /** Changes of plan wait for each other. */
  #changing: Promise<void> = Promise.resolve();

  constructor(plan: Plan, deps: BridgeDeps) {
    this.#deps = deps;
    this.office = new DeadLetterOffice(deps);
    this.carrier = new Carrier(plan, {
      ...deps,
      office: this.office,
      blocked: (blocked) => this.#block(blocked),
    });
  }

  get phase(): Phase {
    return this.#phase;
  }

  get plan(): Plan {
    return this.carrier.plan;
  }

  get intakes(): readonly Intake[] {
    return this.#intakes;
  }

  /** Messages in hand, over all sources. */
  get open(): number {
    return this.#intakes.reduce((sum, { state }) => sum + state.open, 0);
  }

  /** @throws what keeps a source from starting: a stream that is missing, a consumer that does not fit. */
  async start(): Promise<void> {
    this.#intakes = specsOf(this.plan).map((spec) => this.#intake(spec));
    for (const intake of this.#intakes) await intake.start();
    this.#phase = 'running';
  }

  /**
   * Goes over to another plan: sources that stay go on without a pause, those that change are left when what
   * they gave has ended and start anew. No message is lost, none is sent twice for it.
   */
  adopt(plan: Plan): Promise<void> {
    this.#changing = this.#changing.then(() => this.#adopt(plan));
    return this.#changing;
  }

  async #adopt(plan: Plan): Promise<void> {
    if (this.#phase !== 'running') return;
    const wanted = specsOf(plan);
    const kept = this.#intakes.filter(({ spec }) => wanted.some((other) => same(spec, other)));
    const leaving = this.#intakes.filter((intake) => !kept.includes(intake));
    await Promise.all(leaving.map((intake) => intake.retire()));
    this.carrier.adopt(plan);
    await this.#emptied(leaving, this.#deps.timers.now() + plan.config.drain);
    for (const intake of leaving) await intake.leave();
    const fresh = wanted.filter((spec) => !kept.some((intake) => same(intake.spec, spec)));
    const added = fresh.map((spec) => this.#intake(spec));
    this.#intakes = [...kept, ...added];
    for (const intake of added) await intake.start();
    if (this.carrier.blockedBy.length > 0) this.#block(true);
    this.#deps.metrics.reloads++;
  }

  /**
   * Stops within the time given: takes nothing more, sends what it has, gives the rest back. Resolves with
   * the number of messages given back; they will be delivered again.
   */
  async drain(withinMs: number): Promise<number> {
    this.#phase = 'draining';
    const deadlineMs = this.#deps.timers.now() + withinMs;
    this.carrier.flush();
    await Promise.all(this.#intakes.map((intake) => intake.retire()));
    await this.#emptied(this.#intakes, deadlineMs);
    const before = this.#deps.metrics.givenBack;
    this.carrier.abandon();
    await this.carrier.whenIdle();
    for (const intake of this.#intakes) await intake.leave();
    this.#phase = 'stopped';
    return this.#deps.metrics.givenBack - before;
  }

  #intake(spec: IntakeSpec): Intake {
    const { carrier } = this;
    return new Intake(spec, {
      ...this.#deps,
      leaseMs: carrier.plan.config.lease,
      receive: (source, message, deliveriesMax) => carrier.receive(source, message, deliveriesMax),
    });
  }

  /** A target refuses us altogether: taking more messages would only fill our hands. */
  #block(blocked: boolean): void {
    for (const intake of this.#intakes) {
      if (blocked) intake.pause();
      else intake.resume();
    }
  }

  async #emptied(intakes: readonly Intake[], deadlineMs: number): Promise<void> {
    const { timers } = this.#deps;
    while (intakes.some(({ state }) => state.open > 0) && timers.now() < deadlineMs) {
      await new Promise<void>((resolve) => timers.schedule(POLL_MS, resolve));
    }
  }
}

const same = (one: IntakeSpec, other: IntakeSpec) => JSON.stringify(one) === JSON.stringify(other);

function specsOf(plan: Plan): readonly IntakeSpec[] {
  const underWay = plan.targets.reduce(
    (sum, { limits, batch }) => sum + limits.inFlight * (batch.max / 10),
    0,
  );
  const credits = Math.max(CREDITS_MIN, Math.ceil(underWay * CREDITS_PER_REQUEST));
  return plan.config.sources.map((config) => ({ config, credits, ordered: keepsOrder(plan, config) }));
}

/** Whether a rule that keeps order may get messages from this source. */
function keepsOrder(plan: Plan, config: SourceConfig): boolean {
  return plan.rules.some(({ match, target }) => {
    if (target === null || target.order === 'none') return false;
    return patternsOf(config).some((pattern) => overlaps(tokensOf(pattern), tokensOf(match)));
  });
}
