/**
 * Where a service's minutes are read: `metrics:` of `switchback.yml`, as a schema. Two sides need two series,
 * so every source says what tells them apart: a target group, a version, a stage, a dimension, a label.
 */
import * as z from 'zod';

const word = z.string().min(1);

/** What users did, published as metrics of their own beside whatever counts the requests. */
const CloudWatchBusiness = z.strictObject({
  namespace: word,
  dimensions: z.record(word, word).default({}).describe('Every dimension but the slot’s.'),
  slotDimension: word.default('Slot').describe('Its value is `blue` or `green`.'),
  checks: z
    .record(word, z.strictObject({ count: word, total: word }))
    .describe('By the name of a check in `analysis.business`: the names of its two metrics.'),
});

const business = CloudWatchBusiness.optional();

const EcsAlbSource = z.strictObject({ kind: z.literal('ecs-alb'), business });

const EmfSource = z.strictObject({
  kind: z.literal('emf'),
  namespace: z
    .string()
    .regex(/^(?!AWS\/)[\w.\-/#:]{1,255}$/, 'a namespace of your own, as PutMetricData takes it'),
  dimensions: z
    .record(word, word)
    .default({})
    .describe('Every dimension of the metrics but the slot’s: CloudWatch finds only exact sets.'),
  slotDimension: word.default('Slot').describe('Its value is `blue` or `green`.'),
  requests: word.default('Requests').describe('A count.'),
  errors: word.default('Errors').describe('A count, among the requests.'),
  latency: word.default('Latency').describe('One value per request.'),
  latencyUnit: z.enum(['milliseconds', 'seconds']).default('milliseconds'),
  business,
});

const LambdaAliasSource = z.strictObject({ kind: z.literal('lambda-alias'), business });

const ApiStageSource = z.strictObject({
  kind: z.literal('api-stage'),
  apiName: word.describe('The API’s name, which its metrics bear instead of its id.'),
  canaryStage: word.optional().describe('The canary’s value of `Stage`; `<stage>/Canary` when absent.'),
  clientErrors: z.boolean().default(false).describe('Whether 4XX answers count as errors too.'),
  business,
});

/** One instant vector per side: a metric, its labels, and a placeholder for the side. */
const selector = z
  .string()
  .regex(/^[a-zA-Z_:][\w:]*\{[^{}]*\}$/, 'a metric with its labels, http_requests_total{slot="$slot"} say')
  .regex(/\$slot\b|\$revision\b/, 'needs $slot or $revision in a label, or both sides would be one');

const PrometheusSource = z.strictObject({
  kind: z.literal('prometheus'),
  url: z
    .url({ protocol: /^https?$/ })
    .regex(/^[^@]*$/, 'no user or password belongs in the address: use bearerTokenParameter')
    .describe('Up to `/api/v1`, which is added: http://prometheus:9090, or the address of an AMP workspace.'),
  region: word.optional().describe('Amazon Managed Prometheus: signs every query for this region.'),
  bearerTokenParameter: z
    .string()
    .regex(/^\/[\w./-]+$/, 'the name of a parameter in Parameter Store, which begins with a slash')
    .optional()
    .describe('Where the token is kept, as a SecureString; the token itself stands nowhere.'),
  requests: selector.describe('A counter.'),
  errors: selector.describe('A counter, among the requests.'),
  latency: selector.describe('A histogram’s buckets: http_request_duration_seconds_bucket{…}.').optional(),
  latencyUnit: z.enum(['milliseconds', 'seconds']).default('seconds'),
  business: z
    .record(word, z.strictObject({ count: selector, total: selector }))
    .default({})
    .describe('By the name of a check in `analysis.business`: its two counters.'),
});

export const MetricsFile = z.discriminatedUnion('kind', [
  EcsAlbSource,
  EmfSource,
  LambdaAliasSource,
  ApiStageSource,
  PrometheusSource,
]);
