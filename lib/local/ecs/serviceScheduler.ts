/**
 * Keeps services as they should be: after every change it compares tasks with what is wanted (`rollingPlan`),
 * stops and starts, and follows each deployment to completion or failure.
 */
import type { Clock } from '../../asl/clock.ts';
import type { Publish } from '../cloudEvent.ts';
import { breakerThreshold, restartDelayMs } from './circuitBreaker.ts';
import { complete, fail, newDeployment, rollBackTo } from './deployments.ts';
import { deploymentStateChange, serviceAction } from './ecsEvents.ts';
import type { Definition, DeploymentRecord, EcsState, ServiceRecord, TaskRecord } from './ecsState.ts';
import { shortId } from './ids.ts';
import { type PlanTask, planRolling } from './rollingPlan.ts';
import { createTask } from './taskCreation.ts';
import { readinessOf } from './taskReadiness.ts';
import type { TaskRunner } from './taskRunner.ts';
import type { TaskTargets } from './taskTargets.ts';

export type SchedulerWorld = {
  readonly clock: Clock;
  readonly state: EcsState;
  readonly runner: TaskRunner;
  readonly targets: TaskTargets;
  readonly publish: Publish;
  /**
   * A task without any health check counts as healthy this long after it began to run. On AWS it does at
   * once, but starting takes it long enough for a crash loop to show; here it starts in milliseconds.
   */
  readonly settleSeconds: number;
};

/** A task that ran this long before it ended did not fail to start. */
const SOON_MS = 10_000;
const IMPAIRED_AFTER = 3;
const EVENTS_MAX = 100;

type Care = { failures: number; notBeforeMs: number; steady: boolean; queued: boolean };

export class ServiceScheduler {
  readonly #world: SchedulerWorld;
  readonly #care = new Map<ServiceRecord, Care>();
  readonly #timers = new Set<() => void>();
  readonly #counted = new WeakSet<TaskRecord>();
  readonly #wereHealthy = new WeakSet<TaskRecord>();
  #closed = false;

  constructor(world: SchedulerWorld) {
    this.#world = world;
  }

  /** Makes `definition` the service's newest deployment. */
  deploy(service: ServiceRecord, definition: Definition): void {
    this.#begin(service, newDeployment(service, definition, this.#world.clock.now()));
  }

  /** Looks at the service soon; many calls make one look. */
  poke(service: ServiceRecord): void {
    const care = this.#careOf(service);
    if (care.queued || this.#closed) return;
    care.queued = true;
    queueMicrotask(() => {
      care.queued = false;
      if (!this.#closed) this.#reconcile(service);
    });
  }

  pokeAll(): void {
    for (const service of this.#world.state.services.values())
      if (service.status !== 'INACTIVE') this.poke(service);
  }

  taskChanged(task: TaskRecord): void {
    if (!task.owner) return;
    const { service, deployment } = task.owner;
    const byItself = task.stopCode === 'EssentialContainerExited' || task.stopCode === 'TaskFailedToStart';
    if (byItself) this.#countFailure(service, deployment, task);
    if (task.lastStatus === 'RUNNING') this.#pokeAfter(service, this.#world.settleSeconds * 1000);
    this.poke(service);
  }

  say(service: ServiceRecord, message: string): void {
    const createdAt = new Date(this.#world.clock.now());
    service.events = [
      { id: shortId(), createdAt, message: `(service ${service.name}) ${message}` },
      ...service.events,
    ].slice(0, EVENTS_MAX);
  }

  close(): void {
    this.#closed = true;
    for (const cancel of this.#timers) cancel();
  }

  #begin(service: ServiceRecord, deployment: DeploymentRecord): void {
    service.deployments = [deployment, ...service.deployments.filter((other) => other !== deployment)];
    Object.assign(this.#careOf(service), { failures: 0, notBeforeMs: 0, steady: false });
    const nowMs = this.#world.clock.now();
    deployment.updatedMs = nowMs;
    this.#world.publish(deploymentStateChange(service, deployment, 'IN_PROGRESS', nowMs));
    this.poke(service);
  }

  #reconcile(service: ServiceRecord): void {
    const { state } = this.#world;
    if (service.status === 'INACTIVE') return;
    const tasks = state.tasksOf(service).filter(({ lastStatus }) => lastStatus !== 'STOPPED');
    const [primary, ...older] = service.deployments;
    if (!primary) return;
    const used = older.filter((each) => tasks.some((task) => task.owner?.deployment === each));
    service.deployments = [primary, ...used];
    const planned = tasks.map((task) => this.#asPlanned(service, task));
    this.#carryOut(service, primary, planned);
    if (service.status === 'DRAINING') {
      if (tasks.length === 0) Object.assign(service, { status: 'INACTIVE', deployments: [] });
      return;
    }
    const healthy = planned.filter(
      ({ state: now, deployment }) => now === 'healthy' && deployment === primary.id,
    );
    this.#forgiveFailures(service, primary, healthy);
    const settled =
      healthy.length === service.desiredCount &&
      planned.length === healthy.length &&
      service.deployments.length === 1;
    this.#follow(service, primary, settled);
  }

  /** A task that becomes healthy ends the row of failures, unless the breaker says otherwise. */
  #forgiveFailures(service: ServiceRecord, primary: DeploymentRecord, healthy: readonly PlanTask[]): void {
    for (const { id } of healthy) {
      const task = this.#world.state.tasks.get(id);
      if (!task || this.#wereHealthy.has(task)) continue;
      this.#wereHealthy.add(task);
      const { deploymentCircuitBreaker: breaker } = service.settings.deployment;
      if (breaker?.resetOnHealthyTask !== false) primary.failedTasks = 0;
    }
  }

  /** Completion and steadiness, each told once. */
  #follow(service: ServiceRecord, primary: DeploymentRecord, settled: boolean): void {
    const care = this.#careOf(service);
    const nowMs = this.#world.clock.now();
    if (settled && primary.rolloutState === 'IN_PROGRESS') {
      complete(primary, nowMs);
      service.lastCompleted = primary;
      this.say(service, `(deployment ${primary.id}) deployment completed.`);
      this.#world.publish(deploymentStateChange(service, primary, 'COMPLETED', nowMs));
    }
    if (settled && !care.steady) {
      this.say(service, 'has reached a steady state.');
      this.#world.publish(serviceAction(service, 'SERVICE_STEADY_STATE', nowMs));
    }
    care.steady = settled;
  }

  #carryOut(service: ServiceRecord, primary: DeploymentRecord, planned: readonly PlanTask[]): void {
    const { state, runner, clock } = this.#world;
    const care = this.#careOf(service);
    const { minimumHealthyPercent = 100, maximumPercent = 200 } = service.settings.deployment;
    const plan = planRolling({
      desired: service.desiredCount,
      minimumHealthyPercent,
      maximumPercent,
      primary: primary.id,
      tasks: planned,
      mayStart: primary.rolloutState !== 'FAILED' && clock.now() >= care.notBeforeMs,
    });
    for (const { id, why } of plan.stop) {
      const task = state.tasks.get(id);
      if (!task?.owner) continue;
      const reason =
        why === 'unhealthy'
          ? this.#world.targets.sicknessOf(task)
          : `Scaling activity initiated by (deployment ${primary.id})`;
      this.say(service, why === 'unhealthy' ? reason : `has stopped 1 running tasks: (task ${id}).`);
      if (why === 'unhealthy') this.#countFailure(service, task.owner.deployment, task);
      void runner.stop(
        task,
        'ServiceSchedulerInitiated',
        why === 'unhealthy' ? `(service ${service.name}) ${reason}` : reason,
      );
    }
    if (primary.rolloutState === 'FAILED') return;
    for (let i = 0; i < plan.start; i++) {
      const task = createTask(state, {
        cluster: service.cluster,
        definition: primary.definition,
        owner: { service, deployment: primary },
        launchType: service.launchType,
        nowMs: clock.now(),
      });
      this.say(service, `has started 1 tasks: (task ${task.id}).`);
      void runner.start(task);
    }
  }

  #asPlanned(service: ServiceRecord, task: TaskRecord): PlanTask {
    const times = { nowMs: this.#world.clock.now(), settleMs: this.#world.settleSeconds * 1000 };
    const { state, againMs } = readinessOf(service, task, this.#world.targets.stateOf(task).state, times);
    if (againMs !== undefined) this.#pokeAfter(service, againMs);
    return { id: task.id, deployment: task.owner?.deployment.id ?? '', state };
  }

  #countFailure(service: ServiceRecord, deployment: DeploymentRecord, task: TaskRecord): void {
    if (this.#counted.has(task)) return;
    this.#counted.add(task);
    const { clock, publish } = this.#world;
    const care = this.#careOf(service);
    const soon = task.startedMs === undefined || clock.now() - task.startedMs < SOON_MS;
    care.failures = soon ? care.failures + 1 : 1;
    care.notBeforeMs = clock.now() + restartDelayMs(care.failures);
    this.#pokeAfter(service, restartDelayMs(care.failures));
    if (care.failures === IMPAIRED_AFTER) {
      this.say(service, 'is unable to consistently start tasks successfully.');
      publish(serviceAction(service, 'SERVICE_TASK_START_IMPAIRED', clock.now()));
    }
    if (deployment !== service.deployments[0] || deployment.rolloutState !== 'IN_PROGRESS') return;
    deployment.failedTasks += 1;
    const breaker = service.settings.deployment.deploymentCircuitBreaker;
    const threshold = breakerThreshold(breaker, service.desiredCount);
    if (threshold !== null && deployment.failedTasks >= threshold)
      this.#trip(service, deployment, breaker?.rollback === true);
  }

  #trip(service: ServiceRecord, deployment: DeploymentRecord, rollback: boolean): void {
    const nowMs = this.#world.clock.now();
    fail(deployment, nowMs);
    this.say(service, `(deployment ${deployment.id}) deployment failed: tasks failed to start.`);
    this.#world.publish(deploymentStateChange(service, deployment, 'FAILED', nowMs));
    const last = service.lastCompleted;
    if (!rollback || !last) return;
    this.say(service, `rolling back to (deployment ${last.id}).`);
    this.#begin(service, rollBackTo(service, last, nowMs));
  }

  #pokeAfter(service: ServiceRecord, ms: number): void {
    const cancel = this.#world.clock.schedule(ms, () => {
      this.#timers.delete(cancel);
      this.poke(service);
    });
    this.#timers.add(cancel);
  }

  #careOf(service: ServiceRecord): Care {
    const known = this.#care.get(service) ?? { failures: 0, notBeforeMs: 0, steady: false, queued: false };
    this.#care.set(service, known);
    return known;
  }
}
