/**
 * `switchback.yml`: the one file a user writes, as a schema. Every key is described, has a default or is
 * required; an unknown key is refused. `settingsOf` makes complete settings of it.
 */
import * as z from 'zod';
import { Strategy } from '../../../events/rollout.ts';
import { Target } from '../../../events/target.ts';
import { type AnalysisPolicy, defaultAnalysisPolicy } from '../analysis/policy.ts';
import { refusePolicy } from '../analysis/refusePolicy.ts';
import { refuseSteps, stepsOf } from '../rollout/plan.ts';
import type { AlarmSettings, ServiceSettings, StrategySettings } from './settings.ts';

const seconds = z.number().min(0);
const percent = z.number().gt(0).max(100);

const Alarm = z.strictObject({
  name: z.string().min(1),
  scope: z.enum(['canary', 'service']).default('canary'),
  slot: z.enum(['blue', 'green']).nullable().default(null),
  onUnknown: z.enum(['wait', 'hold', 'roll-back']).default('wait'),
  onBothSuffer: z.enum(['hold', 'roll-back']).default('hold'),
});

const StrategyFile = z.strictObject({
  kind: z.enum(Strategy._zod.def.entries).default('canary'),
  startPercent: percent.default(5),
  stepPercent: percent.default(10),
  stepPercentMax: percent.default(20),
  finalFromPercent: percent.default(90),
  bakeSeconds: seconds.default(600),
  finalBakeSeconds: seconds.default(1800),
  steps: z
    .array(
      z.strictObject({
        weight: z.number(),
        bakeSeconds: seconds.optional(),
        approval: z.enum(['manual', 'auto']).optional(),
      }),
    )
    .min(1)
    .nullable()
    .default(null),
  previewSeconds: seconds.default(60),
  autoPromote: z.boolean().default(false),
  autoPromoteSeconds: seconds.default(300),
  batchPercent: percent.default(25),
});

/** Any part of the policy; what is left out stays as the defaults say. Unknown keys are refused by `merge`. */
const AnalysisFile = z.record(z.string(), z.unknown()).default({});

const ServiceFile = z.strictObject({
  target: Target,
  strategy: StrategyFile.prefault({}),
  analysis: AnalysisFile,
  alarms: z.array(Alarm).default([]),
  dependsOn: z.array(z.string()).default([]),
  whileActive: z.enum(['refuse', 'queue', 'supersede']).default('refuse'),
  evaluateSeconds: z.number().min(1).default(60),
  rollbackWindowSeconds: seconds.default(3600),
  scaleDownDelaySeconds: seconds.default(30),
  shiftTimeoutSeconds: seconds.default(60),
  prepareTimeoutSeconds: z.number().min(1).default(600),
  rolloutTimeoutSeconds: z.number().min(1).default(86_400),
  coolOffSeconds: seconds.default(30),
  rollbacksPerDayMax: z.int().min(1).default(3),
  healthFailuresMax: z.int().min(1).default(3),
});

export const ConfigurationFile = z.strictObject({
  services: z.record(
    z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, 'a service is named in kebab-case'),
    ServiceFile,
  ),
});
export type ConfigurationFile = z.infer<typeof ConfigurationFile>;

export type Configuration = { readonly services: readonly ServiceSettings[] };

/** One thing that is wrong: where it stands, what it is, what would be right. */
export type Problem = { readonly path: readonly (string | number)[]; readonly sentence: string };

/** Complete settings, or every problem found. */
export function settingsOf(file: unknown): Configuration | { readonly problems: readonly Problem[] } {
  const parsed = ConfigurationFile.safeParse(file);
  if (!parsed.success) return { problems: parsed.error.issues.map(problemOf) };
  const problems: Problem[] = [];
  const services = Object.entries(parsed.data.services).map(([service, given]): ServiceSettings => {
    const path = ['services', service];
    const { analysis, strategy, alarms, ...rest } = given;
    const settings: ServiceSettings = {
      ...rest,
      service,
      strategy: strategy as StrategySettings,
      alarms: alarms as readonly AlarmSettings[],
      analysis: merge(defaultAnalysisPolicy, analysis, [...path, 'analysis'], problems),
    };
    for (const sentence of refuseSteps(stepsOf(settings.strategy), settings.strategy)) {
      problems.push({ path: [...path, 'strategy'], sentence });
    }
    for (const sentence of refusePolicy(settings.analysis))
      problems.push({ path: [...path, 'analysis'], sentence });
    return settings;
  });
  problems.push(...dependencyProblems(services), ...sharedRules(services));
  return problems.length > 0 ? { problems } : { services };
}

function problemOf(issue: z.core.$ZodIssue): Problem {
  const path = issue.path.filter((part) => typeof part !== 'symbol');
  if (issue.code === 'unrecognized_keys') {
    const keys = issue.keys.map((key) => `"${key}"`).join(', ');
    return {
      path: [...path, ...issue.keys.slice(0, 1)],
      sentence: `unknown key ${keys}: remove it or correct its spelling.`,
    };
  }
  return { path, sentence: `${issue.message}.` };
}

/** Given values over the defaults, the shape and types of the defaults kept. */
function merge(
  defaults: AnalysisPolicy,
  given: Readonly<Record<string, unknown>>,
  path: readonly (string | number)[],
  problems: Problem[],
): AnalysisPolicy {
  const over = (base: unknown, value: unknown, at: readonly (string | number)[]): unknown => {
    if (Array.isArray(base)) {
      if (Array.isArray(value)) return value;
      problems.push({ path: at, sentence: 'must be a list.' });
      return base;
    }
    if (typeof base === 'object' && base !== null) {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        problems.push({ path: at, sentence: 'must be a mapping.' });
        return base;
      }
      const merged: Record<string, unknown> = { ...base };
      for (const [key, inner] of Object.entries(value)) {
        if (!(key in base)) {
          const known = Object.keys(base).join(', ');
          problems.push({ path: [...at, key], sentence: `unknown key "${key}": known are ${known}.` });
        } else merged[key] = over((base as Record<string, unknown>)[key], inner, [...at, key]);
      }
      return merged;
    }
    if (typeof value !== typeof base) {
      problems.push({
        path: at,
        sentence: `must be a ${typeof base}, it is a ${value === null ? 'null' : typeof value}.`,
      });
      return base;
    }
    return value;
  };
  return over(defaults, given, path) as AnalysisPolicy;
}

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
