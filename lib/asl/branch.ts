/**
 * A thread of states: the machine itself, a branch of a Parallel, or one iteration of a Map. It knows where
 * it is, what it has assigned, and what it waits for. When it is cancelled its waits are dropped and nothing
 * that it awaits ever answers: a cancelled branch simply stops where it stands.
 */
import type { Variables } from './evaluationFrame.ts';
import type { ExecutionCore } from './executionCore.ts';
import type { HistoryDetails, HistoryEventType } from './history.ts';
import { isLargerThan, type Json, PAYLOAD_BYTES_MAX } from './json.ts';
import type { State, StateScope } from './machine.ts';

export type MapItem = { readonly Index: number; readonly Value: Json };

export class Branch {
  readonly execution: ExecutionCore;
  readonly scope: StateScope;
  readonly variables: Variables;
  /** True for a branch of a Parallel and an iteration of a Map. */
  readonly nested: boolean;
  /** The item of the Map iteration this branch runs in. */
  readonly item: MapItem | undefined;
  /** The event that the branch's next one follows. */
  lastEventId: number;
  /** The state the branch is in. */
  state: State | undefined;
  /** The last value that was measured and found to fit. */
  #fitting: Json | undefined;
  #cancelled = false;
  readonly #parent: Branch | undefined;
  readonly #children = new Set<Branch>();
  readonly #drops = new Set<() => void>();

  constructor(execution: ExecutionCore, scope: StateScope, parent?: Branch, item?: MapItem) {
    this.execution = execution;
    this.scope = scope;
    this.variables = Object.create(parent?.variables ?? null);
    this.nested = parent !== undefined;
    this.item = item ?? parent?.item;
    this.lastEventId = parent?.lastEventId ?? 0;
    this.#parent = parent;
    if (parent !== undefined) parent.#children.add(this);
  }

  /** Appends the branch's next event. */
  publish(type: HistoryEventType, details?: HistoryDetails): number {
    this.lastEventId = this.execution.publish(type, this.lastEventId, details);
    return this.lastEventId;
  }

  /** Appends an event that follows the branch's last one, but that the next one does not follow. */
  publishAside(type: HistoryEventType, details?: HistoryDetails): number {
    return this.execution.publish(type, this.lastEventId, details);
  }

  /** Whether the value may move between states. What is passed on as it came is not measured again. */
  fits(value: Json): boolean {
    if (value === this.#fitting) return true;
    if (isLargerThan(value, PAYLOAD_BYTES_MAX)) return false;
    this.#fitting = value;
    return true;
  }

  /** The promise's answer, unless the branch is cancelled meanwhile. */
  unlessCancelled<T>(promise: Promise<T>): Promise<T> {
    return this.wait((resolve, reject) => {
      promise.then(resolve, reject);
      return () => undefined;
    });
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.#cancelled) return;
      const drop = this.execution.clock.schedule(ms, () => {
        this.#drops.delete(drop);
        resolve();
      });
      this.#drops.add(drop);
    });
  }

  /**
   * Waits for the first answer. `begin` starts the waiting and returns what ends it: called once, when there
   * is an answer or when the branch is cancelled.
   */
  wait<T>(begin: (resolve: (value: T) => void, reject: (error: unknown) => void) => () => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#cancelled) return;
      let end: (() => void) | undefined;
      let open = true;
      const drop = () => {
        if (!open) return false;
        open = false;
        this.#drops.delete(drop);
        end?.();
        return true;
      };
      this.#drops.add(drop);
      end = begin(
        (value) => {
          if (drop()) resolve(value);
        },
        (error) => {
          if (drop()) reject(error);
        },
      );
      if (!open) end();
    });
  }

  /** Called when the branch has come to its end. */
  leave(): void {
    if (this.#parent !== undefined) this.#parent.#children.delete(this);
  }

  cancel(): void {
    this.#cancelled = true;
    for (const drop of [...this.#drops]) drop();
    for (const child of [...this.#children]) child.cancel();
    this.leave();
  }
}
