/**
 * The life of a target: registered, checked while its group is in use, draining after deregistration, gone.
 * ECS registers its tasks here too.
 */

import { type ElbState, type Health, type Target, type TargetGroup, targetKey } from './elbState.ts';
import { type CheckWorld, startChecks } from './healthChecks.ts';

export type TargetAddress = { readonly id: string; readonly port: number };

/** What a scheduler of tasks needs from a balancer. */
export interface TargetRegistry {
  exists(targetGroupArn: string): boolean;
  /** Whether some listener or rule forwards to it, at whatever weight. */
  inUse(targetGroupArn: string): boolean;
  register(targetGroupArn: string, target: TargetAddress): void;
  /**
   * Resolves once the target gets no more requests and those under way are answered, or the delay is over.
   */
  deregister(targetGroupArn: string, target: TargetAddress): Promise<void>;
  /** null when it is not registered. */
  health(targetGroupArn: string, target: TargetAddress): Health | null;
  /** Calls `listener` after any target's health changed. */
  onHealthChange(listener: () => void): void;
}

const unused: Health = {
  state: 'unused',
  reason: 'Target.NotInUse',
  description: 'Target group is not configured to receive traffic from the load balancer',
};

export class Targets implements TargetRegistry {
  readonly #state: ElbState;
  readonly #world: CheckWorld;
  readonly #listeners: (() => void)[] = [];
  /** What ends the wait for a draining target early: its last answer. */
  readonly #drained = new Map<Target, () => void>();

  constructor(state: ElbState, world: Omit<CheckWorld, 'onChange'>) {
    this.#state = state;
    this.#world = { ...world, onChange: () => this.#changed() };
  }

  exists(targetGroupArn: string): boolean {
    return this.#state.targetGroups.has(targetGroupArn);
  }

  inUse(targetGroupArn: string): boolean {
    return this.#state.balancersOf(this.#state.targetGroup(targetGroupArn)).length > 0;
  }

  register(targetGroupArn: string, { id, port }: TargetAddress): void {
    const group = this.#state.targetGroup(targetGroupArn);
    const key = targetKey(id, port);
    const known = group.targets.get(key);
    if (known && known.health.state !== 'draining') return;
    if (known) this.#gone(group, known);
    const target: Target = { id, port, health: unused, inFlight: 0, stop: () => undefined };
    group.targets.set(key, target);
    this.#begin(group, target);
  }

  deregister(targetGroupArn: string, { id, port }: TargetAddress): Promise<void> {
    const group = this.#state.targetGroups.get(targetGroupArn);
    const target = group?.targets.get(targetKey(id, port));
    if (!group || !target || target.health.state === 'draining') return Promise.resolve();
    target.stop();
    target.health = {
      state: 'draining',
      reason: 'Target.DeregistrationInProgress',
      description: 'Target deregistration is in progress',
    };
    const delaySeconds = Number(group.attributes.get('deregistration_delay.timeout_seconds') ?? 300);
    const drained = new Promise<void>((resolve) => {
      const done = () => {
        this.#gone(group, target);
        resolve();
      };
      target.stop = this.#world.clock.schedule(delaySeconds * 1000, done);
      this.#drained.set(target, done);
    });
    this.answered(target);
    this.#changed();
    return drained;
  }

  health(targetGroupArn: string, { id, port }: TargetAddress): Health | null {
    return this.#state.targetGroups.get(targetGroupArn)?.targets.get(targetKey(id, port))?.health ?? null;
  }

  onHealthChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** A draining target with nothing left to answer is done before its delay (ELB user guide). */
  answered(target: Target): void {
    if (target.inFlight === 0) this.#drained.get(target)?.();
  }

  /** Starts checks in groups that came into use and ends them in those that went out of it. */
  refreshUse(): void {
    for (const group of this.#state.targetGroups.values()) {
      const used = this.#state.balancersOf(group).length > 0;
      for (const target of group.targets.values()) {
        if (used && target.health.state === 'unused') this.#begin(group, target);
        if (!used && target.health.state !== 'unused' && target.health.state !== 'draining') {
          target.stop();
          target.health = unused;
        }
      }
    }
  }

  /** The settings of the group's checks changed: every loop begins anew, keeping what is known. */
  restartChecks(group: TargetGroup): void {
    for (const target of group.targets.values()) {
      if (target.health.state === 'draining' || target.health.state === 'unused') continue;
      const { health } = target;
      target.stop();
      this.#begin(group, target);
      if (group.check.enabled && health.state !== 'unavailable') target.health = health;
    }
  }

  close(): void {
    for (const group of this.#state.targetGroups.values())
      for (const target of group.targets.values()) target.stop();
  }

  #begin(group: TargetGroup, target: Target): void {
    if (this.#state.balancersOf(group).length === 0) return;
    if (group.check.enabled) {
      startChecks(this.#world, group, target);
      return;
    }
    target.health = {
      state: 'unavailable',
      reason: 'Target.HealthCheckDisabled',
      description: 'Health checks are disabled',
    };
    this.#changed();
  }

  #gone(group: TargetGroup, target: Target): void {
    target.stop();
    this.#drained.delete(target);
    group.targets.delete(targetKey(target.id, target.port));
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}
