/**
 * Who watches the watchman: alarms about Switchback itself, told to people through the notification topic.
 */
import { att, type Cfn, functionId, pascal, type Resources, ref } from './cloudFormation.ts';
import { type Deployment, prefixOf } from './deployment.ts';
import { deployedFunctions } from './functions.ts';
import { machineId, machines } from './machines.ts';

type Watch = {
  readonly name: string;
  readonly says: string;
  readonly metric: {
    readonly namespace: string;
    readonly name: string;
    readonly dimensions: Readonly<Record<string, Cfn>>;
  };
  readonly statistic: 'Maximum' | 'Sum';
  readonly above: number;
  /** Minutes in a row. */
  readonly minutes: number;
  /** Silence is as bad as too much. */
  readonly silenceRings?: true;
};

export function controllerAlarms(deployment: Deployment): Resources {
  return {
    ...Object.fromEntries(
      watches(deployment).map((watch) => [`${pascal(watch.name)}Alarm`, alarm(watch, deployment)]),
    ),
    ...parkedStreams(deployment),
  };
}

function watches(deployment: Deployment): readonly Watch[] {
  return [...queueWatches, ...machineWatches(), ...functionWatches(deployment), parkedWatch(deployment)];
}

const queue = (metric: string, id: string) => ({
  namespace: 'AWS/SQS',
  name: metric,
  dimensions: { QueueName: att(id, 'QueueName') },
});
const visible = 'ApproximateNumberOfMessagesVisible';
const age = 'ApproximateAgeOfOldestMessage';

const queueWatches: readonly Watch[] = [
  {
    name: 'dead-letters',
    says: 'An event could not be delivered or dealt with: read it in the dead-letter queue.',
    metric: queue(visible, 'DeadLetters'),
    statistic: 'Maximum',
    above: 0,
    minutes: 1,
  },
  {
    name: 'intent-dead-letters',
    says: 'A decision was acted on and could not be recorded: read it in the intents’ dead-letter queue.',
    metric: queue(visible, 'IntentDeadLetters'),
    statistic: 'Maximum',
    above: 0,
    minutes: 1,
  },
  {
    name: 'alarm-queue-age',
    says: 'An alarm has waited a minute for on-alarm.',
    metric: queue(age, 'AlarmQueue'),
    statistic: 'Maximum',
    above: 60,
    minutes: 1,
  },
  {
    name: 'intent-queue-age',
    says: 'A decision has waited five minutes to be recorded: the event store does not take it.',
    metric: queue(age, 'IntentQueue'),
    statistic: 'Maximum',
    above: 300,
    minutes: 1,
  },
];

const machineWatches = (): readonly Watch[] =>
  machines.flatMap(({ name }) =>
    ['ExecutionsFailed', 'ExecutionsTimedOut'].map(
      (metric): Watch => ({
        name: `${name}-${metric === 'ExecutionsFailed' ? 'failed' : 'timed-out'}`,
        says: `An execution of the ${name} machine did not end as it should: a person must look.`,
        metric: {
          namespace: 'AWS/States',
          name: metric,
          dimensions: { StateMachineArn: ref(machineId(name)) },
        },
        statistic: 'Sum',
        above: 0,
        minutes: 1,
      }),
    ),
  );

function functionWatches(deployment: Deployment): readonly Watch[] {
  const lambda = (verb: string, metric: string) => ({
    namespace: 'AWS/Lambda',
    name: metric,
    dimensions: { FunctionName: ref(`${functionId(verb)}LambdaFunction`) },
  });
  return Object.entries(deployedFunctions).flatMap(([verb, { reserved, triggers }]): readonly Watch[] => {
    const froms = triggers.map(({ from }) => from);
    const age = froms.includes('event-table');
    const clock = froms.includes('clock');
    const throttled = reserved === true && deployment.stage.alarmConcurrency !== null;
    return [
      ...(age
        ? [
            {
              name: `${verb}-iterator-age`,
              says: 'Events reach their subscribers more than a minute late.',
              metric: lambda(verb, 'IteratorAge'),
              statistic: 'Maximum' as const,
              above: 60_000, // milliseconds
              minutes: 3,
            },
          ]
        : []),
      ...(clock
        ? [
            {
              name: `${verb}-errors`,
              says: `${verb} fails, or does not run any more.`,
              metric: lambda(verb, 'Errors'),
              statistic: 'Sum' as const,
              above: 0,
              minutes: 5,
              silenceRings: true as const,
            },
          ]
        : []),
      ...(throttled
        ? [
            {
              name: `${verb}-throttles`,
              says: `${verb} has more to do than its reserved concurrency lets it.`,
              metric: lambda(verb, 'Throttles'),
              statistic: 'Sum' as const,
              above: 0,
              minutes: 2,
            },
          ]
        : []),
    ];
  });
}

const parkedWatch = (deployment: Deployment): Watch => ({
  name: 'parked-streams',
  says: 'A subscriber cannot get past an event, and its stream is parked: a person must look.',
  metric: { namespace: 'Switchback', name: `${prefixOf(deployment)}-parked-streams`, dimensions: {} },
  statistic: 'Sum',
  above: 0,
  minutes: 1,
});

/** publish-events says so in its log, once per stream it parks. */
const parkedStreams = (deployment: Deployment): Resources => ({
  ParkedStreams: {
    Type: 'AWS::Logs::MetricFilter',
    Properties: {
      LogGroupName: ref(`${functionId('publish-events')}LogGroup`),
      FilterPattern: '{ $.message = "stream parked*" }',
      MetricTransformations: [
        {
          MetricNamespace: 'Switchback',
          MetricName: `${prefixOf(deployment)}-parked-streams`,
          MetricValue: '1',
        },
      ],
    },
  },
});

function alarm(
  { name, says, metric, statistic, above, minutes, silenceRings }: Watch,
  deployment: Deployment,
) {
  return {
    Type: 'AWS::CloudWatch::Alarm',
    Properties: {
      AlarmName: `${prefixOf(deployment)}-${name}`,
      AlarmDescription: says,
      Namespace: metric.namespace,
      MetricName: metric.name,
      Dimensions: Object.entries(metric.dimensions).map(([Name, Value]) => ({ Name, Value })),
      Statistic: statistic,
      Period: 60,
      EvaluationPeriods: minutes,
      Threshold: above,
      ComparisonOperator: 'GreaterThanThreshold',
      TreatMissingData: silenceRings ? 'breaching' : 'notBreaching',
      AlarmActions: [ref('NotificationTopic')],
    },
  };
}
