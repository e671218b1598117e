/**
 * `switchback.yml`, the one file a user writes, as a schema: every key has a default or is required, and an
 * unknown one is refused. The descriptions are what editors show; docs/switchback.schema.json is made of
 * them.
 */
import * as z from 'zod';
import { Target } from '../../../events/target.ts';
import { BridgeFile } from './bridgeFile.ts';
import { layeredFields, seconds } from './layeredFile.ts';
import { MetricsFile } from './metricsFile.ts';
import { referable } from './reference.ts';

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
  ...layeredFields,
  whileActive: z
    .enum(['refuse', 'queue', 'supersede'])
    .default('refuse')
    .describe('What a request meets while a rollout is under way.'),
  shiftTimeoutSeconds: seconds
    .default(60)
    .describe('The longest a write to the balancer may be under way; a late one lands before this is over.'),
  coolOffSeconds: seconds
    .default(30)
    .describe('How long an equal alarm does not lead to an equal action. It is recorded all the same.'),
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
  endpoint: referable(z.string().min(1), 'a mail address, a URL, or the ARN of a queue or function').describe(
    'A mail address, a URL, or the ARN of a queue or function; { secret: name } where nobody may see it.',
  ),
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
  bridge: BridgeFile.optional().describe('The NATS–AWS bridge as a service on Fargate; see docs/bridge.md.'),
});

/** Somebody who is told of decisions. */
export type Notification = z.infer<typeof NotificationFile>;
