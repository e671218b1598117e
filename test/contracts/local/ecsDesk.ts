/** ECS over real load balancers, on the real clock, with containers that are small Node programs. */
import { type Clock, realClock } from '../../../lib/asl/clock.ts';
import type { CloudEvent } from '../../../lib/local/cloudEvent.ts';
import { type EcsDeps, ecsService } from '../../../lib/local/ecs/ecsService.ts';
import { ask, place } from './cloudwatchDesk.ts';
import { elbDesk, until } from './elbDesk.ts';

/** Answers HTTP with its own name; ends well on SIGTERM. */
export const serving = (name: string): string =>
  `const s=require('node:http').createServer((q,r)=>` +
  `r.end('${name}')).listen(process.env.PORT);process.on('SIGTERM',()=>{console.log('bye');` +
  `s.close();s.closeAllConnections();process.exit(0)});console.log('up')`;

/** Runs until it is told to end. */
export const idling = `setInterval(()=>{},1e6);console.log('up')`;

type Task = {
  taskArn: string;
  lastStatus: string;
  desiredStatus: string;
  stoppedReason?: string;
  stopCode?: string;
  startedBy?: string;
  group?: string;
  healthStatus?: string;
  taskDefinitionArn: string;
  containers: {
    exitCode?: number;
    lastStatus: string;
    reason?: string;
    networkBindings: { hostPort: number; containerPort: number }[];
  }[];
};
type Service = {
  status: string;
  desiredCount: number;
  runningCount: number;
  pendingCount: number;
  taskDefinition: string;
  deployments: {
    id: string;
    status: string;
    taskDefinition: string;
    rolloutState: string;
    rolloutStateReason: string;
    failedTasks: number;
    runningCount: number;
  }[];
  events: { message: string }[];
};

export function ecsDesk(options: { clock?: Clock } & Partial<Omit<EcsDeps, 'clock'>> = {}) {
  const { clock = realClock, ...deps } = options;
  const elb = elbDesk({ clock });
  const events: CloudEvent[] = [];
  const service = ecsService({
    clock,
    place,
    publish: (event) => void events.push(event),
    targets: elb.service.targets,
    settleSeconds: 0.2,
    ...deps,
  });
  const call = (operation: string, input: Record<string, unknown> = {}) => ask(service, operation, input);

  /** Registers a one-container definition that runs `script`; answers `family:revision`. */
  const definition = async (script: string, container: Record<string, unknown> = {}, family = 'web') => {
    const { taskDefinition } = await call('RegisterTaskDefinition', {
      family,
      containerDefinitions: [
        {
          name: 'app',
          image: 'shop/app:1',
          entryPoint: ['node', '-e'],
          command: [script],
          portMappings: [{ containerPort: 8080 }],
          ...container,
        },
      ],
    });
    return `${family}:${taskDefinition.revision}`;
  };

  const task = async (arn: string): Promise<Task> => (await call('DescribeTasks', { tasks: [arn] })).tasks[0];
  const run = async (taskDefinition: string, more: Record<string, unknown> = {}): Promise<string> =>
    (await call('RunTask', { taskDefinition, ...more })).tasks[0].taskArn;
  const reached = async (arn: string, status: string): Promise<Task> => {
    await until(async () => (await task(arn)).lastStatus === status, `the task is ${status}`);
    return task(arn);
  };

  const described = async (name = 'web'): Promise<Service> =>
    (await call('DescribeServices', { services: [name] })).services[0];
  const create = (taskDefinition: string, more: Record<string, unknown> = {}) =>
    call('CreateService', { serviceName: 'web', taskDefinition, desiredCount: 1, ...more });
  const update = (more: Record<string, unknown>) => call('UpdateService', { service: 'web', ...more });
  /** Waits until the newest deployment is in `state` and the only one. */
  const settled = async (state = 'COMPLETED'): Promise<Service> => {
    const done = async () => {
      const { deployments } = await described();
      return deployments.length === 1 && deployments[0]?.rolloutState === state;
    };
    await until(done, `the deployment is ${state}`).catch(async ({ message }: Error) => {
      throw new Error(`${message}: ${JSON.stringify([await described(), await tasksOf()])}`);
    });
    return described();
  };
  const tasksOf = async (name = 'web'): Promise<Task[]> => {
    const { taskArns } = await call('ListTasks', { serviceName: name });
    return Promise.all(taskArns.map(task));
  };

  /** A target group behind a listener, for a service to register in. */
  const balanced = async (name = 'web') => {
    const group = await elb.group(name);
    await elb.call('ModifyTargetGroupAttributes', {
      TargetGroupArn: group,
      Attributes: [{ Key: 'deregistration_delay.timeout_seconds', Value: '5' }],
    });
    const { port } = await elb.listener(await elb.balancer(`lb-${name}`), { [group]: 1 });
    return {
      group,
      port,
      loadBalancers: [{ targetGroupArn: group, containerName: 'app', containerPort: 8080 }],
    };
  };

  const told = (detailType: string) => events.filter((event) => event.detailType === detailType);
  const ready = call('CreateCluster', { clusterName: 'default' });
  const close = async () => {
    await ready;
    await service.close?.();
    await elb.close();
  };
  return {
    service,
    elb,
    events,
    told,
    call,
    definition,
    task,
    run,
    reached,
    described,
    create,
    update,
    settled,
    tasksOf,
    balanced,
    close,
  };
}

export type EcsTestDesk = ReturnType<typeof ecsDesk>;
