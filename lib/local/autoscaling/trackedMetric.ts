/** Which metric a target tracking policy follows, as queries CloudWatch understands. */
import type { TargetTrackingScalingPolicyConfiguration } from '@aws-sdk/client-application-auto-scaling';
import type { MetricDataQuery } from '@aws-sdk/client-cloudwatch';
import { ServiceError } from '../service.ts';
import type { ScalableTarget } from './scalingState.ts';

export type Tracked = { readonly queries: readonly MetricDataQuery[]; readonly watchedId: string };

const predefinedMetrics: Readonly<Record<string, string>> = {
  ECSServiceAverageCPUUtilization: 'CPUUtilization',
  ECSServiceAverageMemoryUtilization: 'MemoryUtilization',
};

/** @throws ServiceError `ValidationException` where the policy names no metric that can be followed */
export function trackedQueries(
  target: Pick<ScalableTarget, 'cluster' | 'service'>,
  tracking: TargetTrackingScalingPolicyConfiguration,
  periodSeconds: number,
): Tracked {
  const { PredefinedMetricSpecification: predefined, CustomizedMetricSpecification: own } = tracking;
  if ((predefined === undefined) === (own === undefined))
    throw invalid(
      'Exactly one of PredefinedMetricSpecification and CustomizedMetricSpecification is needed.',
    );
  if (own?.Metrics) return withMath(own.Metrics as MetricDataQuery[], periodSeconds);
  if (own) {
    if (!own.MetricName || !own.Namespace || !own.Statistic)
      throw invalid('A customized metric needs MetricName, Namespace and Statistic.');
    const unit = own.Unit === undefined ? {} : { Unit: own.Unit as 'Count' };
    return single(own.Namespace, own.MetricName, own.Dimensions ?? [], own.Statistic, periodSeconds, unit);
  }
  const { PredefinedMetricType: type = '', ResourceLabel: label = '' } = predefined ?? {};
  if (type === 'ALBRequestCountPerTarget') {
    const group = /^app\/[^/]+\/\w+\/(targetgroup\/[^/]+\/\w+)$/.exec(label)?.[1];
    if (!group) throw invalid('ResourceLabel must be app/<name>/<id>/targetgroup/<name>/<id>.');
    const dimensions = [{ Name: 'TargetGroup', Value: group }];
    return single('AWS/ApplicationELB', 'RequestCountPerTarget', dimensions, 'Sum', periodSeconds);
  }
  const metric = predefinedMetrics[type];
  if (!metric) throw invalid(`The predefined metric ${type} is not one of ECS.`);
  const dimensions = [
    { Name: 'ClusterName', Value: target.cluster },
    { Name: 'ServiceName', Value: target.service },
  ];
  return single('AWS/ECS', metric, dimensions, 'Average', periodSeconds);
}

function single(
  Namespace: string,
  MetricName: string,
  dimensions: readonly { Name?: string | undefined; Value?: string | undefined }[],
  Stat: string,
  Period: number,
  more: { Unit?: 'Count' } = {},
): Tracked {
  const Dimensions = dimensions.map(({ Name, Value }) => ({ Name: Name ?? '', Value: Value ?? '' }));
  const MetricStat = { Metric: { Namespace, MetricName, Dimensions }, Period, Stat, ...more };
  return { queries: [{ Id: 'm1', MetricStat }], watchedId: 'm1' };
}

function withMath(metrics: readonly MetricDataQuery[], Period: number): Tracked {
  const queries = metrics.map((query) => ({
    ...query,
    ...(query.MetricStat && { MetricStat: { ...query.MetricStat, Period } }),
  }));
  const watched = queries.filter(({ ReturnData }) => ReturnData ?? true);
  if (watched.length !== 1) throw invalid('Exactly one element of Metrics must return data.');
  return { queries, watchedId: watched[0]?.Id ?? '' };
}

const invalid = (message: string): ServiceError => new ServiceError('ValidationException', message);
