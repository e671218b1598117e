/**
 * Burn-rate alarms from each service's objective: how fast the whole service spends its error budget. The
 * fast pair looks back an hour and five minutes, the slow pair six hours and thirty minutes; the composite
 * rings when both windows of a pair burn, because one window alone rings for a blip or goes on ringing after
 * the recovery. The composite is what leads to the rollback (SRE Workbook, ch. 5; lib/core/slo/burnRate.ts).
 */
import type { EcsAlbTarget } from '../../../events/target.ts';
import { dimensionsOf } from '../../aws/metrics/ecsAlb.ts';
import type { ServiceSettings } from '../../core/config/settings.ts';
import { type BurnRule, burnRules } from '../../core/slo/burnRate.ts';
import { type Cfn, pascal, type Resources } from './cloudFormation.ts';
import type { Deployment } from './deployment.ts';

export function burnAlarms({ configuration }: Deployment): Resources {
  return Object.assign(
    {},
    ...configuration.services.map((settings) => {
      const name = configuration.deployment.services[settings.service]?.burnAlarm ?? null;
      const { target } = settings;
      return name === null || target.kind !== 'ecs-alb' ? {} : alarmsOf(name, settings, target);
    }),
  );
}

type Pair = { readonly word: 'fast' | 'slow'; readonly rule: BurnRule };

function alarmsOf(name: string, settings: ServiceSettings, target: EcsAlbTarget): Resources {
  const { objective, objectivePeriodDays } = settings.analysis;
  const [fast, slow] = burnRules({ periodDays: objectivePeriodDays });
  if (fast === undefined || slow === undefined) throw new Error('the burn table has lost its first two rows');
  const pairs: readonly Pair[] = [
    { word: 'fast', rule: fast },
    { word: 'slow', rule: slow },
  ];
  const windows = pairs.flatMap(({ word, rule }) => [
    { alarm: `${name}-${word}-long`, seconds: rule.longSeconds, rule },
    { alarm: `${name}-${word}-short`, seconds: rule.shortSeconds, rule },
  ]);
  const composite = pairs
    .map(({ word }) => `(ALARM("${name}-${word}-long") AND ALARM("${name}-${word}-short"))`)
    .join(' OR ');
  return {
    ...Object.fromEntries(
      windows.map(({ alarm, seconds, rule }) => [
        pascal(alarm),
        {
          Type: 'AWS::CloudWatch::Alarm',
          Properties: {
            AlarmName: alarm,
            AlarmDescription: `${settings.service} burns at over ${rule.burn} over ${seconds} s.`,
            Metrics: burnMetrics(target, seconds, 1 - objective),
            EvaluationPeriods: 1,
            DatapointsToAlarm: 1,
            Threshold: rule.burn,
            ComparisonOperator: 'GreaterThanThreshold',
            // Nobody came: nothing was spent.
            TreatMissingData: 'notBreaching',
          },
        },
      ]),
    ),
    [pascal(name)]: {
      Type: 'AWS::CloudWatch::CompositeAlarm',
      DependsOn: windows.map(({ alarm }) => pascal(alarm)),
      Properties: {
        AlarmName: name,
        AlarmDescription: `${settings.service} burns: a fast or a slow pair of windows is over its rate.`,
        AlarmRule: composite,
      },
    },
  };
}

/**
 * Both slots together: errors ÷ requests ÷ budget. ALB publishes a count only when there is something to
 * count.
 */
function burnMetrics(target: EcsAlbTarget, Period: number, budget: number): readonly Cfn[] {
  const count = (Id: string, MetricName: string, slot: 'blue' | 'green'): Cfn => ({
    Id,
    MetricStat: {
      Metric: { Namespace: 'AWS/ApplicationELB', MetricName, Dimensions: dimensionsOf(target, slot) },
      Period,
      Stat: 'Sum',
    },
    ReturnData: false,
  });
  // A target that refuses connections answers no 5xx, and its side may count no request at all.
  const refused = 'FILL(refusedBlue, 0) + FILL(refusedGreen, 0)';
  const errors = `FILL(errorsBlue, 0) + FILL(errorsGreen, 0) + ${refused}`;
  const requests = `FILL(requestsBlue, 0) + FILL(requestsGreen, 0) + ${refused}`;
  return [
    count('errorsBlue', 'HTTPCode_Target_5XX_Count', 'blue'),
    count('errorsGreen', 'HTTPCode_Target_5XX_Count', 'green'),
    count('requestsBlue', 'RequestCount', 'blue'),
    count('requestsGreen', 'RequestCount', 'green'),
    count('refusedBlue', 'TargetConnectionErrorCount', 'blue'),
    count('refusedGreen', 'TargetConnectionErrorCount', 'green'),
    {
      Id: 'burn',
      Label: 'burn',
      // Rounded: 1 − 0.999 is not 0.001 in binary.
      Expression: `(${errors}) / (${requests}) / ${Number(budget.toPrecision(6))}`,
      ReturnData: true,
    },
  ];
}
