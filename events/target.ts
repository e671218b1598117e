/**
 * Where traffic is split: one shape per kind of target. Slots are places; stable and canary are roles that
 * move.
 */
import * as z from 'zod/mini';

export const Slot = z.enum(['blue', 'green']);
export type Slot = z.infer<typeof Slot>;

const bySlot = <T extends z.core.$ZodType>(schema: T) => z.object({ blue: schema, green: schema });
const arn = z.string().check(z.regex(/^arn:[^:]+:[^:]+:/, 'an ARN starts with arn:PARTITION:SERVICE:'));

/**
 * Two ECS services behind two target groups; one listener rule (or a listener's default action) holds the
 * weights.
 */
export const EcsAlbTarget = z.strictObject({
  kind: z.literal('ecs-alb'),
  cluster: z.string(),
  services: bySlot(z.string()),
  targetGroups: bySlot(arn),
  /** A listener rule, or a listener when its default action forwards. */
  ruleArn: arn,
});
export type EcsAlbTarget = z.infer<typeof EcsAlbTarget>;

/** Two target groups that hold anything (IP addresses of the old world, say) behind one weighted rule. */
export const AlbTarget = z.strictObject({ kind: z.literal('alb'), targetGroups: bySlot(arn), ruleArn: arn });
export type AlbTarget = z.infer<typeof AlbTarget>;

/** A Lambda alias whose routing configuration holds the weight; slots are the two published versions. */
export const LambdaAliasTarget = z.strictObject({
  kind: z.literal('lambda-alias'),
  functionName: z.string(),
  alias: z.string(),
});
export type LambdaAliasTarget = z.infer<typeof LambdaAliasTarget>;

/** An API Gateway stage: canary settings for a weight, or a stage variable for an all-at-once switch. */
export const ApiStageTarget = z.strictObject({
  kind: z.literal('api-stage'),
  restApiId: z.string(),
  stage: z.string(),
  variable: z.optional(z.object({ name: z.string(), values: bySlot(z.string()) })),
});
export type ApiStageTarget = z.infer<typeof ApiStageTarget>;

/** Weighted records of one name: the old world and the new. */
export const DnsTarget = z.strictObject({
  kind: z.literal('dns'),
  hostedZoneId: z.string(),
  name: z.string(),
  recordType: z.enum(['A', 'AAAA', 'CNAME']),
  setIdentifiers: bySlot(z.string()),
  ttlSeconds: z.number().check(z.int(), z.gte(0)),
});
export type DnsTarget = z.infer<typeof DnsTarget>;

export const Target = z.discriminatedUnion('kind', [
  EcsAlbTarget,
  AlbTarget,
  LambdaAliasTarget,
  ApiStageTarget,
  DnsTarget,
]);
export type Target = z.infer<typeof Target>;

export const otherSlot = (slot: Slot): Slot => (slot === 'blue' ? 'green' : 'blue');
