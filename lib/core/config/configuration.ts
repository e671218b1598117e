/** Complete settings from `switchback.yml` (its schema is in `file.ts`), or every problem with it. */
import type * as z from 'zod';
import { type AnalysisPolicy, defaultAnalysisPolicy } from '../analysis/policy.ts';
import { shapeProblems } from '../analysis/policyShape.ts';
import { refusePolicy } from '../analysis/refusePolicy.ts';
import { refuseSteps, stepsOf } from '../rollout/plan.ts';
import type { BridgeSettings } from './bridgeFile.ts';
import { ConfigurationFile, type Notification } from './file.ts';
import { mergedPolicy } from './mergedPolicy.ts';
import { sourceProblems } from './metricsProblems.ts';
import { sourceOf } from './metricsSource.ts';
import { type Problem, problemOf } from './problem.ts';
import type { AlarmSettings, ServiceSettings, StrategySettings } from './settings.ts';

export type Configuration = {
  readonly services: readonly ServiceSettings[];
  /** What only the deployment needs: functions do not carry it. */
  readonly deployment: DeploymentSettings;
};

export type DeploymentSettings = {
  readonly notifications: readonly Notification[];
  /** By service. */
  readonly services: Readonly<Record<string, ServiceDeployment>>;
  /** The NATS–AWS bridge, where one is wanted. */
  readonly bridge?: BridgeSettings | undefined;
};

export type ServiceDeployment = {
  /** Roles of the task definitions: whoever changes a service's task definition hands them to ECS. */
  readonly passRoles: readonly string[];
  /** The burn-rate alarm that is made for the service; null: none. */
  readonly burnAlarm: string | null;
};

type ServiceFile = z.infer<typeof ConfigurationFile>['services'][string];

/** @param stage part of the names of the alarms that are made; null: none are */
export function settingsOf(
  file: unknown,
  stage: string | null = null,
): Configuration | { readonly problems: readonly Problem[] } {
  const parsed = ConfigurationFile.safeParse(file);
  if (!parsed.success) return { problems: parsed.error.issues.map(problemOf) };
  const { notifications, services: given, bridge } = parsed.data;
  const problems: Problem[] = [];
  const services = Object.entries(given).map(([service, one]) => serviceOf(service, one, stage, problems));
  problems.push(
    ...dependencyProblems(services),
    ...sharedRules(services),
    ...sharedDeploymentGroups(services),
    ...unknownSubscriptions(notifications, services),
    ...plainSecrets(notifications),
  );
  if (problems.length > 0) return { problems };
  const deployed = Object.entries(given).map(([service, one]): [string, ServiceDeployment] => [
    service,
    { passRoles: one.passRoles, burnAlarm: burnAlarmOf(service, one, stage) },
  ]);
  return { services, deployment: { notifications, services: Object.fromEntries(deployed), bridge } };
}

function serviceOf(
  service: string,
  given: ServiceFile,
  stage: string | null,
  problems: Problem[],
): ServiceSettings {
  const path = ['services', service];
  const { analysis, strategy, alarms, slo, passRoles: _, ...rest } = given;
  const burnAlarm = burnAlarmOf(service, given, stage);
  const settings: ServiceSettings = {
    ...rest,
    service,
    metrics: sourceOf(given.target, given.metrics),
    strategy: strategy as StrategySettings,
    alarms: [
      ...(alarms as readonly AlarmSettings[]),
      ...(burnAlarm === null ? [] : [serviceAlarm(burnAlarm)]),
    ],
    analysis: mergedPolicy(defaultsFor(slo), analysis, [...path, 'analysis'], problems),
  };
  for (const key of ['objective', 'objectivePeriodDays'] as const) {
    if (!(key in analysis)) continue;
    const right = key === 'objective' ? 'slo.objective' : 'slo.periodDays';
    problems.push({ path: [...path, 'analysis', key], sentence: `is said in ${right}: move it there.` });
  }
  for (const sentence of refuseSteps(stepsOf(settings.strategy), settings.strategy)) {
    problems.push({ path: [...path, 'strategy'], sentence });
  }
  problems.push(...policyProblems(path, given, settings.analysis));
  return settings;
}

function policyProblems(
  path: readonly (string | number)[],
  { target, metrics }: ServiceFile,
  analysis: AnalysisPolicy,
): readonly Problem[] {
  const shape = shapeProblems(analysis);
  const at = (inner: readonly (string | number)[]) => [...path, 'analysis', ...inner];
  if (shape.length > 0) return shape.map(({ path: inner, sentence }) => ({ path: at(inner), sentence }));
  return [
    ...sourceProblems(path, target, metrics, analysis),
    ...refusePolicy(analysis).map((sentence) => ({ path: at([]), sentence })),
  ];
}

const defaultsFor = ({ objective, periodDays }: ServiceFile['slo']): AnalysisPolicy => ({
  ...defaultAnalysisPolicy,
  ...(objective === undefined ? {} : { objective }),
  ...(periodDays === undefined ? {} : { objectivePeriodDays: periodDays }),
});

/** Only a balancer's own counts make burn-rate alarms; other kinds of target bring alarms of their own. */
const burnAlarmOf = (service: string, { slo, target }: ServiceFile, stage: string | null): string | null =>
  stage !== null && slo.burnAlarms && target.kind === 'ecs-alb'
    ? `switchback-${stage}-${service}-burn`
    : null;

/** The whole service burns: whose fault it is, the evidence says. */
const serviceAlarm = (name: string): AlarmSettings => ({
  name,
  scope: 'service',
  slot: null,
  onUnknown: 'wait',
  onBothSuffer: 'hold',
});

function unknownSubscriptions(
  notifications: readonly Notification[],
  services: readonly ServiceSettings[],
): Problem[] {
  const known = services.map(({ service }) => service);
  return notifications.flatMap(({ services: wanted = [] }, index) =>
    wanted
      .filter((name) => !known.includes(name))
      .map((name) => ({
        path: ['notifications', index, 'services'],
        sentence: `there is no service "${name}": known are ${known.join(', ')}.`,
      })),
  );
}

/** `https://user:password@host`: it would stand in the template for everybody who may read the stack. */
const plainSecrets = (notifications: readonly Notification[]): Problem[] =>
  notifications.flatMap(({ endpoint }, index) =>
    typeof endpoint === 'string' && /^https?:\/\/[^/?#]*:[^/?#]*@/.test(endpoint)
      ? [
          {
            path: ['notifications', index, 'endpoint'],
            sentence: 'holds a password: put the URL into Secrets Manager and name it, { secret: name }.',
          },
        ]
      : [],
  );

function dependencyProblems(services: readonly ServiceSettings[]): Problem[] {
  const byName = new Map(services.map((settings) => [settings.service, settings]));
  const problems: Problem[] = [];
  for (const { service, dependsOn } of services) {
    for (const name of dependsOn) {
      if (!byName.has(name)) {
        problems.push({
          path: ['services', service, 'dependsOn'],
          sentence: `there is no service "${name}": known are ${[...byName.keys()].join(', ')}.`,
        });
      }
    }
    const cycle = cycleFrom(service, byName);
    if (cycle !== null) {
      problems.push({
        path: ['services', service, 'dependsOn'],
        sentence: `${cycle.join(' → ')} is a cycle: one of them must not depend on the next.`,
      });
    }
  }
  return problems;
}

function cycleFrom(start: string, byName: ReadonlyMap<string, ServiceSettings>): string[] | null {
  const walk = (name: string, way: readonly string[]): string[] | null => {
    if (name === start && way.length > 0) return [...way, name];
    if (way.includes(name)) return null; // a cycle, but not through the start: reported there
    for (const next of byName.get(name)?.dependsOn ?? []) {
      const found = walk(next, [...way, name]);
      if (found !== null) return found;
    }
    return null;
  };
  return walk(start, []);
}

/** Two services on one rule would take each other's traffic away. */
function sharedRules(services: readonly ServiceSettings[]): Problem[] {
  const owners = new Map<string, string>();
  return services.flatMap(({ service, target }): Problem[] => {
    if (target.kind !== 'ecs-alb') return [];
    const owner = owners.get(target.ruleArn);
    owners.set(target.ruleArn, owner ?? service);
    return owner === undefined
      ? []
      : [
          {
            path: ['services', service, 'target', 'ruleArn'],
            sentence: `${owner} already uses this listener rule: give each service its own.`,
          },
        ];
  });
}

/** A deployment group that fails must say whose canary it was. */
function sharedDeploymentGroups(services: readonly ServiceSettings[]): Problem[] {
  const owners = new Map<string, string>();
  return services.flatMap(({ service, codeDeploy }) =>
    codeDeploy.flatMap(({ application, deploymentGroup }, index): Problem[] => {
      const name = `${application}/${deploymentGroup}`;
      const owner = owners.get(name);
      owners.set(name, owner ?? service);
      return owner === undefined
        ? []
        : [
            {
              path: ['services', service, 'codeDeploy', index],
              sentence: `${owner} already has the deployment group ${name}: give each service its own.`,
            },
          ];
    }),
  );
}
