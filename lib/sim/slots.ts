/**
 * What runs in a target's two slots: tasks that take time to start, die, are scaled, and are kept from it.
 */
import type { Slot, Target } from '../../events/target.ts';
import type { Bounds, SlotReading, Workload } from '../ports.ts';
import type { Behaviours } from './behaviour.ts';
import { type Instance, isAutomatic } from './instance.ts';
import type { SimClock } from './simClock.ts';
import type { Wire } from './wire.ts';

/** A task that never passes its health check has `healthyAt` Infinity. */
type Task = { readonly runsAt: number; readonly healthyAt: number };

export type SlotChange = {
  readonly at: number;
  readonly revision: string;
  readonly desired: number;
  readonly by: string;
  readonly automatic: boolean;
};

/** From the order to a running task, and to one that the balancer calls healthy. */
const runsAfterMs = 8_000;
const healthyAfterMs = 20_000;
/** A task that does not become healthy is stopped and another one started. */
const givenUpAfterMs = 90_000;

export class SlotState {
  readonly changes: SlotChange[] = [];
  bounds: Bounds | null;
  suspended = false;
  #revision: string;
  #desired = 0;
  #tasks: Task[] = [];
  readonly #clock: SimClock;
  readonly #behaviours: Behaviours;
  readonly #failed: (revision: string) => void;

  /** @param failed told of each task that ended by itself */
  constructor(
    clock: SimClock,
    behaviours: Behaviours,
    revision: string,
    tasks: number,
    bounds: Bounds | null,
    failed: (revision: string) => void,
  ) {
    this.#clock = clock;
    this.#failed = failed;
    this.#behaviours = behaviours;
    this.#revision = revision;
    this.bounds = bounds;
    const now = clock.now();
    this.#desired = tasks;
    this.#tasks = Array.from({ length: tasks }, () => ({ runsAt: now, healthyAt: now }));
    this.#note('the beginning', false);
  }

  get revision(): string {
    return this.#revision;
  }

  get desired(): number {
    return this.#desired;
  }

  get healthy(): number {
    const now = this.#clock.now();
    let healthy = 0;
    for (const task of this.#tasks) if (task.healthyAt <= now) healthy++;
    return healthy;
  }

  read(): SlotReading {
    const now = this.#clock.now();
    const running = this.#tasks.filter(({ runsAt }) => runsAt <= now).length;
    return { revision: this.#revision, desired: this.#desired, running, healthy: this.healthy };
  }

  place(revision: string, tasks: number, by: string, automatic: boolean): void {
    if (revision !== this.#revision) this.#tasks = [];
    this.#revision = revision;
    this.scale(tasks, by, automatic);
  }

  scale(tasks: number, by: string, automatic: boolean): void {
    this.#desired = tasks;
    this.#tasks = this.#tasks.slice(0, tasks);
    this.#start(tasks - this.#tasks.length);
    this.#note(by, automatic);
  }

  /** Tasks that end by themselves are started again, as ECS does. */
  lose(tasks: number): void {
    const lost = Math.min(tasks, this.#tasks.length);
    this.#tasks.splice(0, lost);
    for (let nth = 0; nth < lost; nth++) this.#failed(this.#revision);
    this.#start(lost);
  }

  /** What Application Auto Scaling does when the load says so. */
  autoscale(tasks: number): void {
    // Nothing runs, so nothing is measured that it could act on.
    if (this.bounds === null || this.suspended || this.#desired === 0) return;
    const wanted = Math.min(this.bounds.max, Math.max(this.bounds.min, tasks));
    if (wanted !== this.#desired) this.scale(wanted, 'autoscaling', false);
  }

  /** A minimum above what runs is made true at once. */
  bound(bounds: Bounds, suspended: boolean, by: string): void {
    this.bounds = bounds;
    this.suspended = suspended;
    if (this.#desired < bounds.min) this.scale(bounds.min, by, true);
  }

  /** Two requests on AWS, a look and a change; one here. */
  release(bounds: Bounds, by: string): void {
    const isReleased = !this.suspended && this.bounds?.min === bounds.min && this.bounds.max === bounds.max;
    if (!isReleased) this.bound(bounds, false, by);
  }

  #start(tasks: number): void {
    const now = this.#clock.now();
    const starts = this.#behaviours.of(this.#revision).starts !== false;
    for (let nth = 0; nth < tasks; nth++) {
      const task = {
        runsAt: now + runsAfterMs,
        healthyAt: starts ? now + healthyAfterMs : Number.POSITIVE_INFINITY,
      };
      this.#tasks.push(task);
      if (!starts) this.#clock.schedule(givenUpAfterMs, () => this.#giveUp(task));
    }
  }

  #giveUp(task: Task): void {
    const at = this.#tasks.indexOf(task);
    if (at < 0) return;
    this.#tasks.splice(at, 1);
    this.#failed(this.#revision);
    this.#start(1);
  }

  #note(by: string, automatic: boolean): void {
    this.changes.push({
      at: this.#clock.now(),
      revision: this.#revision,
      desired: this.#desired,
      by,
      automatic,
    });
  }
}

export function simWorkload(
  wire: Wire,
  who: Instance,
  slotOf: (target: Target, slot: Slot) => SlotState,
): Workload {
  const by = `${who.functionName}#${who.number}`;
  const automatic = isAutomatic(who);
  return {
    read: (target, slot) => wire.question(who, 'workload.read', () => slotOf(target, slot).read()),
    place: (target, slot, revision, tasks) =>
      wire.call(who, 'workload.place', () => slotOf(target, slot).place(revision, tasks, by, automatic)),
    scale: (target, slot, tasks) =>
      wire.call(who, 'workload.scale', () => slotOf(target, slot).scale(tasks, by, automatic)),
    bounds: (target, slot) => wire.question(who, 'workload.bounds', () => slotOf(target, slot).bounds),
    pin: (target, slot, tasks) =>
      wire.call(who, 'workload.pin', () => {
        const state = slotOf(target, slot);
        state.bound({ min: tasks, max: Math.max(tasks, state.bounds?.max ?? tasks) }, true, by);
      }),
    release: (target, slot, bounds) =>
      wire.call(who, 'workload.release', () => slotOf(target, slot).release(bounds, by)),
  };
}
