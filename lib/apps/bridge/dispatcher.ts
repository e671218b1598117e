/**
 * Brings one target its messages: batches from its queue, several under way, at its pace, again and again
 * until each entry is delivered or refused for good. What an answer means is decided in
 * lib/core/bridge/judgement.ts.
 */
import { type BatchQueue, batchQueue } from '../../core/bridge/batchQueue.ts';
import { Circuit } from '../../core/bridge/circuit.ts';
import { backoffMs } from '../../core/bridge/failure.ts';
import { type Judgement, judge, triesOf } from '../../core/bridge/judgement.ts';
import { Pace } from '../../core/bridge/pace.ts';
import type { Answer } from '../../core/bridge/ports.ts';
import type { TargetSpec } from '../../core/bridge/target.ts';
import type { DispatcherDeps, DispatcherEvents, Parcel } from './parcel.ts';
import { Sleepers } from './sleepers.ts';

export class Dispatcher<P extends Parcel> {
  readonly spec: TargetSpec;
  readonly #deps: DispatcherDeps;
  readonly #events: DispatcherEvents<P>;
  readonly #queue: BatchQueue<P>;
  readonly #pace: Pace;
  readonly #circuit = new Circuit();
  readonly #sleepers: Sleepers;
  #underWay = 0;
  #flushing = false;
  #held = false;
  #abandoned = false;
  #servedAtMs = 0;
  #cancelLinger: (() => void) | null = null;
  #idle: (() => void)[] = [];

  constructor(spec: TargetSpec, deps: DispatcherDeps, events: DispatcherEvents<P>) {
    this.spec = spec;
    this.#deps = deps;
    this.#events = events;
    this.#queue = batchQueue<P>(spec.order, spec.batch);
    this.#sleepers = new Sleepers(deps.timers);
    this.#pace = new Pace(spec.limits.ratePerSec, deps.timers.now());
  }

  /** Why nothing is sent at the moment; null when it is. */
  get circuitReason(): string | null {
    return this.#circuit.reason;
  }

  /** Batches under way, entries waiting, and requests per second allowed (Infinity for no limit). */
  get load(): { readonly underWay: number; readonly waiting: number; readonly ratePerSec: number } {
    return { underWay: this.#underWay, waiting: this.#queue.size, ratePerSec: this.#pace.ratePerSec };
  }

  push(parcel: P): void {
    this.#queue.push(parcel);
    this.#pump();
  }

  /** From now on nothing lingers. */
  flush(): void {
    this.#flushing = true;
    this.#pump();
  }

  /** Sends none until `release`: an earlier dispatcher of the same target is still at work. */
  hold(): void {
    this.#held = true;
  }

  release(): void {
    this.#held = false;
    this.#pump();
  }

  /** Resolves when nothing waits and nothing is under way. */
  whenIdle(): Promise<void> {
    if (this.#underWay === 0 && this.#queue.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  /** Gives up: what waits is abandoned now, what is under way when its request has ended. */
  abandon(): void {
    this.#abandoned = true;
    this.#cancelLinger?.();
    for (const parcel of this.#queue.clear()) this.#events.abandoned(parcel);
    this.#sleepers.wakeAll();
    this.#settleIdle();
  }

  #pump(): void {
    if (this.#held || this.#abandoned) return;
    const now = this.#deps.timers.now();
    while (this.#underWay < this.spec.limits.inFlight) {
      const batch = this.#queue.take(now, this.#flushing);
      if (batch === null) break;
      this.#underWay++;
      void this.#carry(batch);
    }
    this.#linger(now);
  }

  #linger(now: number): void {
    if (this.#cancelLinger !== null || this.#underWay >= this.spec.limits.inFlight) return;
    const due = this.#queue.dueAtMs();
    if (due === null) return;
    this.#cancelLinger = this.#deps.timers.schedule(Math.max(1, due - now), () => {
      this.#cancelLinger = null;
      this.#pump();
    });
  }

  async #carry(batch: P[]): Promise<void> {
    await this.#deliver(batch, []);
    this.#underWay--;
    this.#pump();
    this.#settleIdle();
  }

  #settleIdle(): void {
    if (this.#underWay > 0 || this.#queue.size > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  /**
   * Sends until every parcel is delivered, refused or abandoned.
   * @param rest of the same batch, to be sent after these: their lanes are not free yet
   */
  async #deliver(batch: P[], rest: P[]): Promise<void> {
    let left = batch;
    const startedAtMs = this.#deps.timers.now();
    for (let round = 1; left.length > 0; round++) {
      if (!(await this.#admitted())) {
        this.#free(left, rest);
        for (const parcel of left) this.#events.abandoned(parcel);
        return;
      }
      const answer = await this.#send(left);
      if (answer.kind === 'taken' && answer.failed === null) {
        this.#served();
        this.#free(left, rest);
        const now = this.#deps.timers.now();
        for (const parcel of left) this.#delivered(parcel, now);
        return;
      }
      const othersServed = this.#servedAtMs > startedAtMs;
      const tries = triesOf(left, { round, othersServed, nowMs: this.#deps.timers.now() });
      const judgement = judge(answer, tries, this.spec.retry);
      this.#heed(answer, judgement, left);
      if (judgement.split) return this.#deliverHalves(left, rest);
      left = this.#settle(left, judgement, rest);
      if (left.length === 0) return;
      this.#deps.metrics.retried += left.length;
      const { baseMs, capMs } = this.spec.retry;
      await this.#sleepers.sleep(backoffMs(round, baseMs, capMs, this.#deps.chance()));
    }
  }

  async #deliverHalves(left: P[], rest: P[]): Promise<void> {
    const half = left.length >> 1;
    const later = left.slice(half);
    await this.#deliver(left.slice(0, half), [...later, ...rest]);
    await this.#deliver(later, rest);
  }

  async #send(parcels: readonly P[]): Promise<Answer> {
    const { sender, timers, metrics } = this.#deps;
    const sentAtMs = timers.now();
    metrics.requests++;
    metrics.fill.add(parcels.length);
    const entries = parcels.map(({ entry }) => entry);
    const answer = await sender.send(this.spec, entries);
    metrics.requestMs.add(timers.now() - sentAtMs);
    return answer;
  }

  /** Pace, circuit and counters. */
  #heed(answer: Answer, { served, denied, throttled, suspects }: Judgement, left: readonly P[]): void {
    const { metrics, timers } = this.#deps;
    const now = timers.now();
    for (const position of suspects) (left[position] as P).suspectSinceMs ||= now;
    if (answer.kind === 'failed') metrics.failed(answer.failure.code);
    else for (const { code } of answer.failed?.values() ?? []) metrics.failed(code);
    if (throttled > 0) {
      metrics.throttled += answer.kind === 'failed' ? left.length : throttled;
      this.#pace.throttled(now);
    }
    if (denied !== null) {
      if (this.#circuit.denied(denied, now)) this.#events.circuit(denied);
    } else if (served) this.#served();
    else this.#circuit.unanswered(now);
  }

  /** Ends what has ended; answers with what is to be sent again. */
  #settle(left: readonly P[], { again, refused, failedAlone }: Judgement, rest: readonly P[]): P[] {
    for (const position of failedAlone) (left[position] as P).attempts++;
    const kept = again.map((position) => left[position] as P);
    const open = new Set(again);
    const now = this.#deps.timers.now();
    this.#free(left, [...kept, ...rest]);
    for (const [position, parcel] of left.entries()) {
      const failure = refused.get(position);
      if (failure !== undefined) {
        this.#deps.metrics.refused++;
        this.#events.refused(parcel, failure);
      } else if (!open.has(position)) this.#delivered(parcel, now);
    }
    return kept;
  }

  /** Frees these parcels' lanes, unless others are to be sent in them yet; what waits there goes at once. */
  #free(parcels: readonly P[], others: readonly P[]): void {
    if (this.spec.order === 'none') return;
    const kept = new Set(others.map(({ lane }) => lane));
    const freed = kept.size === 0 ? parcels : parcels.filter(({ lane }) => !kept.has(lane));
    this.#queue.release(freed, this.#deps.timers.now());
    this.#pump();
  }

  #delivered(parcel: P, now: number): void {
    const { metrics } = this.#deps;
    metrics.delivered++;
    metrics.bytes += parcel.bytes;
    metrics.addedMs.add(now - parcel.receivedAtMs);
    this.#events.delivered(parcel);
  }

  #served(): void {
    this.#servedAtMs = this.#deps.timers.now();
    if (this.#circuit.succeeded()) this.#events.circuit(null);
  }

  /** Waits for the pace and the circuit; false when the dispatcher was told to give up meanwhile. */
  async #admitted(): Promise<boolean> {
    const wait = this.#pace.take(this.#deps.timers.now());
    if (wait > 0) await this.#sleepers.sleep(wait);
    for (;;) {
      if (this.#abandoned) return false;
      const ms = this.#circuit.admit(this.#deps.timers.now());
      if (ms === 0) return true;
      await this.#sleepers.sleep(ms);
    }
  }
}
