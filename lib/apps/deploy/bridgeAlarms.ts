/** What a person has to know of the bridge, told through the notification topic. */
import type { BridgeDeployment } from './bridgeDeployment.ts';
import { bridgeNamespace } from './bridgeScaling.ts';
import { pascal, type Resource, type Resources, ref } from './cloudFormation.ts';

type Watch = {
  readonly name: string;
  readonly says: string;
  readonly metric: string;
  readonly statistic: 'Maximum' | 'Sum' | 'SampleCount';
  readonly above?: number;
  readonly below?: number;
  readonly minutes: number;
};

const watches = (lagMs: number): readonly Watch[] => [
  {
    name: 'dead-letters',
    says: 'The bridge put messages aside: read them, with their reasons, where its dlq says.',
    metric: 'DeadLetters',
    statistic: 'Sum',
    above: 0,
    minutes: 1,
  },
  {
    name: 'refused',
    says: 'AWS refuses the bridge altogether (rights, or a destination that is not there): messages wait.',
    metric: 'CircuitsOpen',
    statistic: 'Maximum',
    above: 0,
    minutes: 2,
  },
  {
    name: 'late',
    says: 'Messages have been in the bridge’s hands for longer than lagMax.',
    metric: 'OldestMs',
    statistic: 'Maximum',
    above: lagMs,
    minutes: 3,
  },
  {
    name: 'dropped',
    says: 'Core NATS messages were dropped: they came faster than AWS takes them.',
    metric: 'Dropped',
    statistic: 'Sum',
    above: 0,
    minutes: 1,
  },
  {
    name: 'silent',
    says: 'No task of the bridge says anything any more.',
    metric: 'Lag',
    statistic: 'SampleCount',
    below: 1,
    minutes: 5,
  },
];

export function bridgeAlarms(name: string, { plan }: BridgeDeployment): Resources {
  const { lagMax, nats } = plan.config;
  return Object.fromEntries(
    watches(lagMax).map((watch) => [`Bridge${pascal(watch.name)}Alarm`, alarm(name, nats.name, watch)]),
  );
}

function alarm(name: string, bridge: string, watch: Watch): Resource {
  const silence = watch.below !== undefined;
  return {
    Type: 'AWS::CloudWatch::Alarm',
    Properties: {
      AlarmName: `${name}-${watch.name}`,
      AlarmDescription: watch.says,
      Namespace: bridgeNamespace,
      MetricName: watch.metric,
      Dimensions: [{ Name: 'Bridge', Value: bridge }],
      Statistic: watch.statistic,
      Period: 60,
      EvaluationPeriods: watch.minutes,
      Threshold: watch.below ?? watch.above,
      ComparisonOperator: silence ? 'LessThanThreshold' : 'GreaterThanThreshold',
      TreatMissingData: silence ? 'breaching' : 'notBreaching',
      AlarmActions: [ref('NotificationTopic')],
    },
  };
}
