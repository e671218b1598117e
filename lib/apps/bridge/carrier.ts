/**
 * Takes messages from sources to targets by the rules of the plan in force, and tells each source how its
 * message ended: done when every rule that took it has delivered (or dropped) it, dead when one had to put it
 * aside.
 */
import type { DeadLetterSpec } from '../../core/bridge/deadLetter.ts';
import type { Draft, Refused } from '../../core/bridge/draft.ts';
import type { Plan, Rule } from '../../core/bridge/plan.ts';
import type { Incoming, MessageSource, Sender, Timers } from '../../core/bridge/ports.ts';
import { rulesFor } from '../../core/bridge/selection.ts';
import type { TargetSpec } from '../../core/bridge/target.ts';
import type { DeadLetterOffice } from './deadLetterOffice.ts';
import { Dispatcher } from './dispatcher.ts';
import type { BridgeMetrics } from './metrics.ts';
import type { Parcel } from './parcel.ts';

/** A message under way to one or more targets. */
type Flight = {
  readonly source: MessageSource;
  readonly message: Incoming;
  /** Deliveries not ended yet. */
  left: number;
  dead: boolean;
  /** Some delivery was cut short: the message has to come again. */
  abandoned: boolean;
};

type Shipment = Parcel & { readonly flight: Flight; readonly rule: Rule };

export type CarrierDeps = {
  readonly sender: Sender;
  readonly office: DeadLetterOffice;
  readonly timers: Timers;
  readonly chance: () => number;
  readonly metrics: BridgeMetrics;
  readonly log: (message: string) => void;
  /** Whether some target refuses us altogether: sources are to be paused meanwhile. */
  readonly blocked: (blocked: boolean) => void;
};

export class Carrier {
  readonly #deps: CarrierDeps;
  readonly #dispatchers = new Map<string, Dispatcher<Shipment>>();
  /** Dispatchers of an earlier plan that still have work. */
  readonly #leaving = new Set<Dispatcher<Shipment>>();
  #plan: Plan;

  constructor(plan: Plan, deps: CarrierDeps) {
    this.#deps = deps;
    this.#plan = plan;
    this.adopt(plan);
  }

  get plan(): Plan {
    return this.#plan;
  }

  get dispatchers(): readonly Dispatcher<Shipment>[] {
    return [...this.#dispatchers.values(), ...this.#leaving];
  }

  /** Targets that refuse us, and why. */
  get blockedBy(): readonly { readonly target: string; readonly reason: string }[] {
    return this.dispatchers.flatMap(({ spec, circuitReason }) =>
      circuitReason === null ? [] : [{ target: spec.key, reason: circuitReason }],
    );
  }

  /** Messages that arrive from now on follow this plan; those under way end by the one they came under. */
  adopt(plan: Plan): void {
    this.#plan = plan;
    const wanted = new Map(plan.targets.map((spec) => [spec.key, spec]));
    for (const [key, dispatcher] of this.#dispatchers) {
      const spec = wanted.get(key);
      if (spec !== undefined && JSON.stringify(spec) === JSON.stringify(dispatcher.spec)) continue;
      this.#dispatchers.delete(key);
      this.#leaving.add(dispatcher);
      dispatcher.flush();
      void dispatcher.whenIdle().then(() => this.#leaving.delete(dispatcher));
    }
    for (const spec of plan.targets) if (!this.#dispatchers.has(spec.key)) this.#open(spec);
  }

  receive(source: MessageSource, message: Incoming, deliveriesMax: number): void {
    const { metrics } = this.#deps;
    metrics.received++;
    metrics.receivedBytes += message.size;
    const rules = rulesFor(this.#plan, message);
    const flight: Flight = {
      source,
      message,
      left: Math.max(1, rules.length),
      dead: false,
      abandoned: false,
    };
    if (rules.length === 0) {
      this.#unmatched(flight);
      return;
    }
    for (const rule of rules) {
      if (deliveriesMax > 0 && message.deliveries > deliveriesMax) {
        const why = `delivered ${message.deliveries} times, ${deliveriesMax} are allowed`;
        this.#bury(flight, rule, { refused: 'DeliveredTooOften', message: why }, 0);
      } else this.#ship(flight, rule);
    }
  }

  /** Sends out what lingers. */
  flush(): void {
    for (const dispatcher of this.dispatchers) dispatcher.flush();
    this.#deps.office.flush();
  }

  async whenIdle(): Promise<void> {
    await Promise.all(this.dispatchers.map((dispatcher) => dispatcher.whenIdle()));
  }

  abandon(): void {
    for (const dispatcher of this.dispatchers) dispatcher.abandon();
    this.#deps.office.abandon();
  }

  #open(spec: TargetSpec): void {
    const { sender, timers, chance, metrics, log, blocked } = this.#deps;
    const before = [...this.#leaving].find((leaving) => leaving.spec.key === spec.key);
    const deps = { sender, timers, chance, metrics: metrics.target(spec.key) };
    const dispatcher = new Dispatcher<Shipment>(spec, deps, {
      delivered: ({ flight }) => this.#ended(flight),
      refused: (shipment, { code, message }) => {
        this.#bury(shipment.flight, shipment.rule, { refused: code, message }, shipment.attempts);
      },
      abandoned: ({ flight }) => {
        flight.abandoned = true;
        this.#ended(flight);
      },
      circuit: (reason) => {
        log(reason === null ? `${spec.key} takes messages again` : `${spec.key} refuses us: ${reason}`);
        blocked(this.blockedBy.length > 0);
      },
    });
    this.#dispatchers.set(spec.key, dispatcher);
    if (before === undefined) return;
    // Order per lane: what the earlier plan queued goes first.
    dispatcher.hold();
    void before.whenIdle().then(() => dispatcher.release());
  }

  #unmatched(flight: Flight): void {
    const { metrics } = this.#deps;
    metrics.unmatched++;
    const { deadLetters, config } = this.#plan;
    if (config.unmatched === 'drop' || deadLetters === null) {
      this.#ended(flight);
      return;
    }
    const why = { refused: 'NoRule', message: 'no rule takes this subject' };
    void this.#keep(flight, deadLetters, { rule: '', target: '' }, why, 0);
  }

  #ship(flight: Flight, rule: Rule): void {
    const { sender, metrics, timers } = this.#deps;
    const counted = metrics.rule(rule.name);
    counted.messages++;
    counted.bytes += flight.message.size;
    if (rule.target === null) {
      counted.dropped++;
      this.#ended(flight);
      return;
    }
    const draft = drafted(rule, flight.message);
    const entry = 'refused' in draft ? draft : sender.entryOf(rule.target, draft);
    if ('refused' in entry) {
      this.#bury(flight, rule, entry, 0);
      return;
    }
    (this.#dispatchers.get(rule.target.key) as Dispatcher<Shipment>).push({
      entry,
      lane: laneOf(draft as Draft),
      bytes: entry.bytes,
      queuedAtMs: timers.now(),
      receivedAtMs: flight.message.receivedAtMs,
      attempts: 0,
      suspectSinceMs: 0,
      flight,
      rule,
    });
  }

  #bury(flight: Flight, rule: Rule, why: Refused, attempts: number): void {
    // `compilePlan` refuses a rule that has no dead-letter target.
    const spec = rule.deadLetters as DeadLetterSpec;
    void this.#keep(flight, spec, { rule: rule.name, target: rule.target?.key ?? '' }, why, attempts);
  }

  async #keep(
    flight: Flight,
    spec: DeadLetterSpec,
    where: { readonly rule: string; readonly target: string },
    why: Refused,
    attempts: number,
  ): Promise<void> {
    const reason = { ...where, code: why.refused, message: why.message, attempts };
    const stored = await this.#deps.office.keep(spec, flight.message, reason);
    if (stored) flight.dead = true;
    else flight.abandoned = true;
    this.#ended(flight);
  }

  #ended(flight: Flight): void {
    if (--flight.left > 0) return;
    const { source, message, dead, abandoned } = flight;
    if (abandoned) {
      this.#deps.metrics.givenBack++;
      source.giveBack(message, 0);
    } else source.settle(message, dead ? 'dead' : 'done');
  }
}

/** A rule that fails on a message must not take the bridge down, nor lose the message. */
function drafted(rule: Rule, message: Incoming): Draft | Refused {
  try {
    return rule.render(message);
  } catch (error) {
    return { refused: 'RenderFailed', message: (error as Error).message };
  }
}

function laneOf(draft: Draft): string {
  switch (draft.kind) {
    case 'eventbridge':
      return '';
    case 'dynamodb':
      return draft.key;
    default:
      return draft.group;
  }
}
