/**
 * `switchback.yml`, the one file a user writes, as a schema: every key has a default or is required, and an
 * unknown one is refused. The descriptions are what editors show; docs/switchback.schema.json is made of
 * them.
 */
import * as z from 'zod';
import { Strategy } from '../../../events/rollout.ts';
import { Target } from '../../../events/target.ts';
import { BridgeFile } from './bridgeFile.ts';
import { MetricsFile } from './metricsFile.ts';
import { referable } from './reference.ts';

const seconds = z.number().min(0);
const percent = z.number().gt(0).max(100);

const AlarmFile = z.strictObject({
  name: z.string().min(1).describe('The CloudWatch alarm’s name: metric alarm or composite.'),
  scope: z
    .enum(['canary', 'service'])
    .default('canary')
    .describe('`canary` always takes traffic off; `service` asks the evidence whose fault it is.'),
  slot: z
    .enum(['blue', 'green'])
    .nullable()
    .default(null)
    .describe('The slot it watches: it then speaks of the canary only while that slot is the canary’s.'),
  onUnknown: z
    .enum(['wait', 'hold', 'roll-back'])
    .default('wait')
    .describe('What INSUFFICIENT_DATA, or a state that cannot be read, leads to.'),
  onBothSuffer: z
    .enum(['hold', 'roll-back'])
    .default('hold')
    .describe('What a service alarm leads to when stable suffers as much as the canary.'),
});

/** CodeDeploy's own limits on both names. */
const codeDeployName = z.string().min(1).max(100);

const DeploymentGroupFile = z.strictObject({
  application: codeDeployName.describe('The CodeDeploy application.'),
  deploymentGroup: codeDeployName.describe('Its deployment group.'),
  slot: z
    .enum(['blue', 'green'])
    .nullable()
    .default(null)
    .describe('The slot it deploys to; null: the canary’s, whichever that is.'),
});

const StrategyFile = z.strictObject({
  kind: z.enum(Strategy._zod.def.entries).default('canary'),
  startPercent: percent.default(5).describe('The first step.'),
  stepPercent: percent.default(10).describe('Points added per step.'),
  stepPercentMax: percent.default(20).describe('The most points one step may add.'),
  finalFromPercent: percent.default(90).describe('100 is reached only from at least this weight.'),
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
    .default(null)
    .describe('An explicit list instead of start and step.'),
  previewSeconds: seconds
    .default(60)
    .describe('Blue/green: how long the preview is watched without traffic.'),
  autoPromote: z.boolean().default(false).describe('Blue/green: promote a healthy preview without a person.'),
  autoPromoteSeconds: seconds.default(300),
  batchPercent: percent.default(25).describe('Rolling: percent of the tasks replaced at a time.'),
});

const SloFile = z.strictObject({
  objective: z.number().gt(0).lt(1).optional().describe('Share of requests that succeed: 0.999.'),
  periodDays: z.int().min(1).max(90).optional().describe('The objective’s period; 30 when absent.'),
  burnAlarms: z
    .boolean()
    .default(true)
    .describe(
      'Makes burn-rate alarms (1 h with 5 min, 6 h with 30 min) that lead to a rollback while one can help.',
    ),
});

const FallbackFile = z.strictObject({
  target: z
    .nullable(Target)
    .default(null)
    .describe('Where the old world is reached; null: the service’s own target, back to its stable slot.'),
  slot: z
    .enum(['blue', 'green'])
    .nullable()
    .default(null)
    .describe('The slot that is the old world; null: the one marked stable on the target.'),
  healthUrl: z.url().nullable().default(null).describe('Asked once the traffic is back.'),
  scaleDown: z.boolean().default(true).describe('Scales the failed side to 0 once nothing reaches it.'),
});

const ServiceFile = z.strictObject({
  target: Target,
  metrics: MetricsFile.optional().describe(
    'Where both sides’ figures are read; absent: the metrics of the target itself.',
  ),
  fallback: FallbackFile.prefault({}),
  strategy: StrategyFile.prefault({}),
  slo: SloFile.prefault({}),
  /**
   * Any part of the policy; what is left out stays as the defaults say. `mergedPolicy` refuses unknown keys.
   */
  analysis: z.record(z.string(), z.unknown()).default({}).describe('Checks and limits; see docs.'),
  alarms: z.array(AlarmFile).default([]),
  codeDeploy: z
    .array(DeploymentGroupFile)
    .default([])
    .describe('CodeDeploy groups that deploy this service: their failures count like those of ECS.'),
  dependsOn: z
    .array(z.string())
    .default([])
    .describe('Services that must be on their new version before this one, and go back after it.'),
  whileActive: z
    .enum(['refuse', 'queue', 'supersede'])
    .default('refuse')
    .describe('What a request meets while a rollout is under way.'),
  evaluateSeconds: z.number().min(1).default(60).describe('How often a bake is looked at.'),
  rollbackWindowSeconds: seconds
    .default(3600)
    .describe('How long alarms still roll back after the promotion.'),
  scaleDownDelaySeconds: seconds.default(30).describe('How long the side without traffic stays warm.'),
  shiftTimeoutSeconds: seconds
    .default(60)
    .describe('The longest a write to the balancer may be under way; a late one lands before this is over.'),
  prepareTimeoutSeconds: z.number().min(1).default(600),
  rolloutTimeoutSeconds: z.number().min(1).default(86_400),
  coolOffSeconds: seconds
    .default(30)
    .describe('How long an equal alarm does not lead to an equal action. It is recorded all the same.'),
  rollbacksPerDayMax: z
    .int()
    .min(1)
    .default(3)
    .describe('Rollbacks within a day before the next start is held for a person.'),
  healthFailuresMax: z
    .int()
    .min(1)
    .default(3)
    .describe('Health checks that fail in a row before the canary is taken back.'),
  passRoles: z
    .array(z.string().regex(/^arn:[^:]+:iam::\d{12}:role\//, 'a role is named by its ARN'))
    .default([])
    .describe('Task and execution roles of the task definitions: what changing a revision hands to ECS.'),
});

const NotificationFile = z.strictObject({
  protocol: z.enum(['email', 'https', 'sqs', 'lambda']),
  endpoint: z.string().min(1).describe('A mail address, a URL, or the ARN of a queue or function.'),
  urgency: z.enum(['page', 'tell']).optional().describe('Only these; both when absent.'),
  services: z.array(z.string()).min(1).optional().describe('Only these; all when absent.'),
  stages: z.array(z.string()).min(1).optional().describe('Only on these; everywhere when absent.'),
});

export const ConfigurationFile = z.strictObject({
  notifications: z.array(NotificationFile).default([]).describe('Who is told of decisions.'),
  services: z.record(
    z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, 'a service is named in kebab-case'),
    ServiceFile,
  ),
});

/** Somebody who is told of decisions. */
export type Notification = z.infer<typeof NotificationFile>;
