/**
 * The life of one task: ports and secrets, its containers as child processes, their health, its end. Every
 * change of `lastStatus` is told once, in order.
 */
import type { ContainerDefinition, TaskStopCode } from '@aws-sdk/client-ecs';
import type { Clock } from '../../asl/clock.ts';
import { watchHealth } from './containerHealth.ts';
import { type ContainerProcess, startProcess } from './containerProcess.ts';
import type { ContainerRecord, TaskRecord, TaskStatus } from './ecsState.ts';
import { HostPorts } from './hostPorts.ts';

export type RunnerWorld = {
  readonly clock: Clock;
  /** What every container finds in its environment besides its own: endpoint, region, credentials. */
  readonly environment: Readonly<Record<string, string>>;
  readonly directory: string;
  /** The value of a container's secret, by its `valueFrom`. */
  readonly secret: (valueFrom: string) => Promise<string>;
  /** Called when a task has begun to run, before anybody is told. */
  readonly join: (task: TaskRecord) => void;
  /** Resolves when nobody sends the task anything any more. */
  readonly leave: (task: TaskRecord) => Promise<void>;
  readonly onChange: (task: TaskRecord) => void;
};

/** ECS reference, `ContainerDefinition.stopTimeout`. */
const STOP_TIMEOUT_SECONDS = 30;

export class TaskRunner {
  readonly #world: RunnerWorld;
  readonly #ports = new HostPorts();
  readonly #processes = new Map<ContainerRecord, ContainerProcess>();
  readonly #watches = new Map<ContainerRecord, () => void>();
  readonly #endings = new Map<TaskRecord, Promise<void>>();
  #closed = false;

  constructor(world: RunnerWorld) {
    this.#world = world;
  }

  /** Starts the task's containers; a failure to start ends the task. */
  async start(task: TaskRecord): Promise<void> {
    this.#become(task, 'PENDING');
    for (const container of task.containers) {
      try {
        await this.#startContainer(task, container);
      } catch (error) {
        const said = error instanceof Error ? error.message : String(error);
        container.reason = `CannotStartContainerError: ${said}`;
        await this.stop(task, 'TaskFailedToStart', container.reason);
        return;
      }
      if (this.#unwanted(task)) return;
    }
    task.startedMs = this.#world.clock.now();
    this.#world.join(task);
    this.#become(task, 'RUNNING');
    if (this.#overByItself(task)) await this.stop(task, 'EssentialContainerExited', ESSENTIAL);
  }

  /** Ends the task; the first reason given stands. Resolves once it is STOPPED. */
  stop(task: TaskRecord, code: TaskStopCode, reason: string): Promise<void> {
    const ending = this.#endings.get(task) ?? this.#end(task, code, reason);
    this.#endings.set(task, ending);
    return ending;
  }

  /** Ends every process at once. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const stopWatch of this.#watches.values()) stopWatch();
    const all = [...this.#processes.values()];
    for (const running of all) running.stop(this.#world.clock, 0);
    await Promise.all(all.map(({ ended }) => ended));
  }

  async #startContainer(task: TaskRecord, container: ContainerRecord): Promise<void> {
    const { definition } = container;
    const override = task.overrides.containerOverrides?.find(({ name }) => name === definition.name);
    const command = [...(definition.entryPoint ?? []), ...(override?.command ?? definition.command ?? [])];
    if (command.length === 0)
      throw new Error(
        `the container ${definition.name} has neither entryPoint nor command, and images are not run here`,
      );
    container.bindings = await this.#bind(definition);
    const environment = {
      ...this.#world.environment,
      ...portVariables(container),
      ...variables(definition.environment),
      ...(await this.#secrets(definition)),
      ...variables(override?.environment),
    };
    const onOutput = (stream: 'stdout' | 'stderr', piece: string) =>
      task.output.write(definition.name ?? '', stream, piece, this.#world.clock.now());
    const plan = {
      command,
      environment,
      directory: definition.workingDirectory ?? this.#world.directory,
      onOutput,
    };
    if (this.#unwanted(task)) return;
    const running = await startProcess(plan);
    this.#processes.set(container, running);
    container.lastStatus = 'RUNNING';
    if (this.#unwanted(task)) running.stop(this.#world.clock, 0);
    void running.ended.then((exitCode) => this.#exited(task, container, exitCode));
    const { healthCheck: check } = definition;
    if (!check) return;
    const onHealth = (health: 'HEALTHY' | 'UNHEALTHY') => {
      if (container.health === health) return;
      container.health = health;
      this.#world.onChange(task);
    };
    this.#watches.set(
      container,
      watchHealth(this.#world.clock, { check, environment, directory: plan.directory, onHealth }),
    );
  }

  /** Somebody stopped it while it was starting. */
  #unwanted(task: TaskRecord): boolean {
    return this.#closed || task.desiredStatus === 'STOPPED';
  }

  async #bind(definition: ContainerDefinition): Promise<ContainerRecord['bindings']> {
    const bindings = [];
    for (const { containerPort, protocol = 'tcp' } of definition.portMappings ?? [])
      bindings.push({ bindIP: '127.0.0.1', containerPort, hostPort: await this.#ports.take(), protocol });
    return bindings;
  }

  async #secrets(definition: ContainerDefinition): Promise<Record<string, string>> {
    const found: Record<string, string> = {};
    for (const { name = '', valueFrom = '' } of definition.secrets ?? [])
      found[name] = await this.#world.secret(valueFrom);
    return found;
  }

  #exited(task: TaskRecord, container: ContainerRecord, exitCode: number): void {
    container.lastStatus = 'STOPPED';
    container.exitCode = exitCode;
    this.#watches.get(container)?.();
    this.#watches.delete(container);
    this.#processes.delete(container);
    for (const { hostPort = 0 } of container.bindings) this.#ports.give(hostPort);
    if (this.#closed || task.lastStatus !== 'RUNNING') return;
    if (this.#overByItself(task)) void this.stop(task, 'EssentialContainerExited', ESSENTIAL);
  }

  #overByItself({ containers }: TaskRecord): boolean {
    const gone = containers.filter(({ lastStatus }) => lastStatus === 'STOPPED');
    return gone.length === containers.length || gone.some(({ definition }) => definition.essential !== false);
  }

  async #end(task: TaskRecord, code: TaskStopCode, reason: string): Promise<void> {
    const { clock, leave } = this.#world;
    task.desiredStatus = 'STOPPED';
    task.stopCode = code;
    task.stoppedReason = reason;
    task.stoppingMs = clock.now();
    const served = task.lastStatus === 'RUNNING';
    if (served) this.#become(task, 'DEACTIVATING');
    const left = served ? leave(task) : Promise.resolve();
    // A task that died has nobody left to wait for.
    if (!this.#overByItself(task)) await left;
    this.#become(task, 'STOPPING');
    const running = task.containers.flatMap((container) => {
      const found = this.#processes.get(container);
      return found ? [{ found, seconds: container.definition.stopTimeout ?? STOP_TIMEOUT_SECONDS }] : [];
    });
    for (const { found, seconds } of running) found.stop(clock, seconds * 1000);
    await Promise.all(running.map(({ found }) => found.ended));
    if (this.#closed) return;
    task.stoppedMs = clock.now();
    this.#become(task, 'STOPPED');
    this.#endings.delete(task);
  }

  #become(task: TaskRecord, status: TaskStatus): void {
    task.lastStatus = status;
    task.version += 1;
    if (!this.#closed) this.#world.onChange(task);
  }
}

const ESSENTIAL = 'Essential container in task exited';

const variables = (list: readonly { name?: string | undefined; value?: string | undefined }[] | undefined) =>
  Object.fromEntries((list ?? []).map(({ name = '', value = '' }) => [name, value]));

/** PORT is the first container port's; PORT_<containerPort> each one's. */
function portVariables({ bindings }: ContainerRecord): Record<string, string> {
  const first = bindings[0];
  return {
    ...(first && { PORT: `${first.hostPort}` }),
    ...Object.fromEntries(
      bindings.map(({ containerPort, hostPort }) => [`PORT_${containerPort}`, `${hostPort}`]),
    ),
  };
}
