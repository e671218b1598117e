/**
 * What AWS grants an account in one region unless it is asked for more, as the named pages told it on the
 * date in prices.ts, and what a stack holds for how many services.
 */
import { compileConfiguration } from '../../lib/apps/configure/compile.ts';
import { generated } from '../../lib/apps/deploy/generated.ts';
import { readStage } from '../../lib/apps/deploy/stage.ts';
import type { Configuration } from '../../lib/core/config/configuration.ts';
import type { Calls, Counted } from './counted.ts';

/** Calls a second, or the rate at which a bucket fills again. */
const rates: Readonly<Record<string, { readonly perSecond: number; readonly page: string }>> = {
  'monitoring:DescribeAlarms': { perSecond: 9, page: 'CloudWatch service quotas' },
  'monitoring:GetMetricData': { perSecond: 50, page: 'CloudWatch service quotas' },
  'elasticloadbalancing:DescribeRules': { perSecond: 10, page: 'Request throttling for the ELB API' },
  transitions: { perSecond: 5000, page: 'Step Functions service quotas' },
};

const lookSeconds = 60;

export type Bound = {
  readonly what: string;
  readonly page: string;
  readonly perSecond: number;
  /** Calls a second that one rollout under way makes: its looks, and reconcile's passes over it. */
  readonly perRollout: number;
  /** Rollouts at the same time before it is reached. */
  readonly rolloutsMax: number;
};

/** The tightest first. */
export function bounds({ look, lookCalls, passCalls }: Counted): readonly Bound[] {
  const calls: Calls = { ...sum(lookCalls, passCalls), transitions: look.transitions ?? 0 };
  return Object.entries(rates)
    .flatMap(([what, { perSecond, page }]) => {
      const perRollout = (calls[what] ?? 0) / lookSeconds;
      return perRollout === 0
        ? []
        : [{ what, page, perSecond, perRollout, rolloutsMax: perSecond / perRollout }];
    })
    .sort((a, b) => a.rolloutsMax - b.rolloutsMax);
}

function sum(one: Calls, other: Calls): Calls {
  const names = [...new Set([...Object.keys(one), ...Object.keys(other)])];
  return Object.fromEntries(names.map((name) => [name, (one[name] ?? 0) + (other[name] ?? 0)]));
}

/** CloudFormation's limit on the resources of one stack, and EventBridge's on the rules of one bus. */
export const stackResourcesMax = 500;
export const busRulesMax = 300;

/** osls makes of each function a function and a log group. */
const resourcesPerFunction = 2;

export type Size = {
  readonly services: number;
  readonly resources: number;
  readonly rules: number;
  readonly controllerAlarms: number;
};

/** The template's resources for so many services like the shop. */
export async function sizeOf(root: string, services: number): Promise<Size> {
  const compiled = await compileConfiguration(`${root}examples/shop/switchback.yml`, 'prod');
  const configuration = multiplied(compiled, services);
  const stage = readStage(root, 'prod');
  const { functions, resources } = generated({ stage, configuration, dist: 'dist', variables: {} });
  const all = Object.values(resources.Resources);
  const types = all.map(({ Type }) => Type);
  const alarms = all.filter(({ Type, Properties }) => {
    const name = (Properties as { readonly AlarmName?: string } | undefined)?.AlarmName ?? '';
    return Type === 'AWS::CloudWatch::Alarm' && name.startsWith(`switchback-${stage.name}-`);
  });
  return {
    services,
    resources: all.length + resourcesPerFunction * Object.keys(functions).length,
    rules: types.filter((type) => type === 'AWS::Events::Rule').length,
    controllerAlarms: alarms.length,
  };
}

function multiplied(configuration: Configuration, services: number): Configuration {
  const [shop] = configuration.services;
  if (shop === undefined || shop.target.kind !== 'ecs-alb') throw new Error('the example has lost its shop');
  const { target } = shop;
  const numbers = Array.from({ length: services }, (_, number) => number);
  return {
    ...configuration,
    services: numbers.map((number) => ({
      ...shop,
      service: `shop-${number}`,
      target: {
        ...target,
        services: { blue: `${target.services.blue}-${number}`, green: `${target.services.green}-${number}` },
      },
      alarms: shop.alarms.map((alarm) => ({ ...alarm, name: `${alarm.name}-${number}` })),
    })),
    deployment: {
      ...configuration.deployment,
      services: Object.fromEntries(
        numbers.map((number) => {
          const own = configuration.deployment.services[shop.service];
          if (own === undefined) throw new Error('the example is not deployed');
          return [`shop-${number}`, { ...own, burnAlarm: `switchback-burns-${number}` }];
        }),
      ),
    },
  };
}
