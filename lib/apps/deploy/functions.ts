/**
 * THE FUNCTIONS AS DEPLOYED. One entry per folder in functions/, and everything follows from it: the Lambda,
 * its role, its triggers, their rights. To add a function, add its entry.
 */
import { type Right, rights } from './rights.ts';

/** What a function is told by its environment; lib/aws/lambda/environment.ts reads it. */
export type EnvironmentName =
  | 'EVENT_TABLE'
  | 'EVENT_BUS'
  | 'TOPIC'
  | 'INTENT_QUEUE'
  | 'ROLLOUT_MACHINE'
  | 'ROLLBACK_MACHINE'
  | 'MIGRATION_MACHINE'
  | 'STAGE';

/** Queues of ours, by their logical ids in resources/queues.yml. */
export type QueueId = 'AlarmQueue' | 'DeploymentQueue' | 'IntentQueue';

export type Trigger =
  /** Messages of a queue of ours; those that failed come again, the others do not. */
  | { readonly from: 'queue'; readonly queue: QueueId; readonly batchSize: number }
  /** HEAD items of the event table, in order per stream. */
  | { readonly from: 'event-table' }
  /** Events that users and pipelines put on our bus. */
  | { readonly from: 'bus'; readonly detailType: string }
  | { readonly from: 'clock'; readonly rate: string }
  /** A call by hand, which means now: what failed is never done over later. */
  | { readonly from: 'person' };

export type DeployedFunction = {
  readonly purpose: string;
  readonly timeoutSeconds: number;
  readonly memoryMegabytes?: number;
  /** Keeps the stage's `alarmConcurrency` free for it, whatever else runs in the account. */
  readonly reserved?: true;
  readonly environment: readonly EnvironmentName[];
  readonly rights: readonly Right[];
  /** None: a state machine runs it. */
  readonly triggers: readonly Trigger[];
};

const {
  alarms,
  checkpoints,
  eventBus,
  eventStore,
  fallback,
  fallbackPlaces,
  intentQueue,
  layers,
  listExecutions,
  metrics,
  notifications,
  resumeExecutions,
  scaling,
  startMachine,
  traffic,
  workload,
} = rights;

export const deployedFunctions: Readonly<Record<string, DeployedFunction>> = {
  'start-rollout': {
    purpose: 'Turns a request into a plan and the plan into a rollout.',
    timeoutSeconds: 30,
    environment: ['EVENT_TABLE', 'ROLLOUT_MACHINE', 'ROLLBACK_MACHINE', 'EVENT_BUS', 'STAGE'],
    rights: [
      eventStore,
      traffic,
      workload,
      metrics,
      alarms,
      layers,
      startMachine('rollout', 'rollback'),
      eventBus,
    ],
    triggers: [{ from: 'bus', detailType: 'Switchback Rollout Requested' }],
  },
  'prepare-canary': {
    purpose: 'Puts the new revision into the idle slot and waits until it is healthy.',
    timeoutSeconds: 30,
    environment: ['EVENT_TABLE'],
    rights: [eventStore, traffic, workload, scaling, fallbackPlaces],
    triggers: [],
  },
  'shift-traffic': {
    purpose: 'Moves the weight to the next step and reads it back.',
    timeoutSeconds: 60,
    environment: ['EVENT_TABLE'],
    rights: [eventStore, traffic, workload],
    triggers: [],
  },
  'evaluate-canary': {
    purpose: 'Compares canary and stable and records the verdict.',
    timeoutSeconds: 30,
    environment: ['EVENT_TABLE'],
    rights: [eventStore, traffic, metrics, alarms],
    triggers: [],
  },
  'promote-canary': {
    purpose: 'Makes the canary stable and scales the old side down.',
    timeoutSeconds: 60,
    environment: ['EVENT_TABLE', 'EVENT_BUS'],
    rights: [eventStore, traffic, workload, scaling, eventBus],
    triggers: [],
  },
  'roll-back': {
    purpose: 'The slow part of a rollback: re-zero, scale down, verify.',
    timeoutSeconds: 60,
    environment: ['EVENT_TABLE', 'EVENT_BUS'],
    rights: [eventStore, traffic, workload, scaling, fallbackPlaces, eventBus],
    triggers: [],
  },
  'request-approval': {
    purpose: 'Keeps the token of an execution that waits for a person.',
    timeoutSeconds: 15,
    environment: ['EVENT_TABLE'],
    rights: [eventStore, checkpoints, resumeExecutions],
    triggers: [],
  },
  'on-alarm': {
    purpose: 'Takes the traffic off the canary when an alarm rings.',
    timeoutSeconds: 30,
    memoryMegabytes: 1024,
    reserved: true,
    environment: ['EVENT_TABLE', 'ROLLBACK_MACHINE', 'INTENT_QUEUE'],
    rights: [eventStore, traffic, workload, metrics, startMachine('rollback'), intentQueue],
    triggers: [{ from: 'queue', queue: 'AlarmQueue', batchSize: 10 }],
  },
  'on-deployment': {
    purpose: 'Hears of tasks that fail and deployments that ECS gives up.',
    timeoutSeconds: 30,
    environment: ['EVENT_TABLE', 'ROLLBACK_MACHINE'],
    rights: [eventStore, traffic, workload, startMachine('rollback')],
    triggers: [{ from: 'queue', queue: 'DeploymentQueue', batchSize: 10 }],
  },
  'start-migration': {
    purpose: 'Turns a request for several services into waves, and shows who would go back with whom.',
    timeoutSeconds: 30,
    environment: ['EVENT_TABLE', 'MIGRATION_MACHINE', 'EVENT_BUS'],
    rights: [eventStore, startMachine('migration'), eventBus],
    triggers: [{ from: 'bus', detailType: 'Switchback Migration Requested' }],
  },
  'step-migration': {
    purpose: 'One look at a migration: asks for the wave’s rollouts, or takes back what has moved.',
    timeoutSeconds: 60,
    environment: ['EVENT_TABLE', 'ROLLOUT_MACHINE', 'ROLLBACK_MACHINE', 'STAGE'],
    rights: [eventStore, traffic, workload, metrics, alarms, layers, startMachine('rollout', 'rollback')],
    triggers: [],
  },
  'operate-migration': {
    purpose: 'What a person asks of a migration: roll back (all or one service), resume, freeze.',
    timeoutSeconds: 60,
    environment: ['EVENT_TABLE', 'ROLLBACK_MACHINE', 'MIGRATION_MACHINE', 'EVENT_BUS'],
    rights: [eventStore, traffic, workload, startMachine('rollback', 'migration'), eventBus],
    triggers: [{ from: 'bus', detailType: 'Switchback Migration Operation Requested' }],
  },
  'fall-back': {
    purpose: 'The fire exit: sends the traffic back with nothing but its bundle and the targets.',
    timeoutSeconds: 300,
    memoryMegabytes: 1024,
    reserved: true,
    environment: ['INTENT_QUEUE'],
    rights: [fallback, intentQueue],
    triggers: [{ from: 'person' }],
  },
  operate: {
    purpose: 'What a person asks for: pause, resume, approve, promote, abort, retry, override.',
    timeoutSeconds: 30,
    environment: ['EVENT_TABLE', 'ROLLBACK_MACHINE', 'EVENT_BUS'],
    rights: [eventStore, checkpoints, traffic, startMachine('rollback'), resumeExecutions, eventBus],
    triggers: [{ from: 'bus', detailType: 'Switchback Operation Requested' }],
  },
  'record-intents': {
    purpose: 'Appends decisions that were taken while the event store could not be written.',
    timeoutSeconds: 30,
    environment: ['EVENT_TABLE', 'ROLLBACK_MACHINE'],
    rights: [eventStore, traffic, workload, startMachine('rollback')],
    triggers: [{ from: 'queue', queue: 'IntentQueue', batchSize: 10 }],
  },
  reconcile: {
    purpose: 'Once a minute: finishes what a crash left, corrects and adopts, hears lost alarms.',
    timeoutSeconds: 50,
    environment: ['EVENT_TABLE', 'ROLLOUT_MACHINE', 'ROLLBACK_MACHINE', 'MIGRATION_MACHINE', 'EVENT_BUS'],
    rights: [
      eventStore,
      traffic,
      metrics,
      alarms,
      eventBus,
      startMachine('rollout', 'rollback', 'migration'),
      listExecutions('rollout', 'rollback', 'migration'),
    ],
    triggers: [{ from: 'clock', rate: 'rate(1 minute)' }],
  },
  'publish-events': {
    purpose: 'Brings every recorded event to the bus and to people, in order.',
    timeoutSeconds: 60,
    environment: ['EVENT_TABLE', 'EVENT_BUS', 'TOPIC'],
    rights: [eventStore, checkpoints, eventBus, notifications],
    triggers: [{ from: 'event-table' }],
  },
};
