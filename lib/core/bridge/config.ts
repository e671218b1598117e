/**
 * The bridge's configuration as it is written. Unknown keys are refused: a misspelt option that is silently
 * ignored is a message lost later. docs/bridge.md explains every option.
 */
import * as z from 'zod';
import { parseDuration } from './duration.ts';

const duration = z.string().transform((text, context) => {
  const ms = parseDuration(text);
  if (ms !== null) return ms;
  context.addIssue({ code: 'custom', message: `'${text}' is not a duration such as 250ms, 30s, 15m` });
  return z.NEVER;
});
const count = z.int().min(1);
const template = z.string().min(1);
const templates = z.record(z.string(), template);
const subject = z.string().min(1);

const jetstreamSource = z.strictObject({
  stream: z.string().regex(/^[^\s.*>/\\]+$/, 'a stream name has no space, dot, wildcard or slash'),
  durable: z.string().regex(/^[^\s.*>/\\]+$/, 'a durable name has no space, dot, wildcard or slash'),
  filter: subject.optional(),
  /** Several filters on one consumer: nats-server 2.10 and later. */
  filters: z.array(subject).min(2).optional(),
  ack: z.enum(['explicit', 'watermark']).default('explicit'),
  ackWait: duration.default(30_000),
  maxAckPending: count.max(65_000).default(20_000),
  maxDeliver: z.int().min(0).default(0),
  deliver: z.enum(['all', 'new']).default('all'),
  owner: z.enum(['shared', 'single']).default('shared'),
  create: z
    .strictObject({
      subjects: z.array(subject).min(1),
      storage: z.enum(['file', 'memory']).default('file'),
      replicas: z.int().min(1).max(5).default(1),
      maxAge: duration.optional(),
      /** nats-server 2.10 and later. */
      compression: z.literal('s2').optional(),
    })
    .optional(),
});

const coreSource = z.strictObject({
  core: subject,
  queue: z.string().min(1).optional(),
  buffer: count.default(10_000),
});

const body = z.union([z.enum(['raw', 'envelope']), z.strictObject({ pick: z.record(z.string(), template) })]);
const eventbridge = z.strictObject({
  bus: z.string().min(1).default('default'),
  source: template,
  detailType: template,
  detail: body.default('envelope'),
  time: template.optional(),
  resources: z.array(template).optional(),
});
const sqs = z.strictObject({
  queue: z.string().min(1),
  group: template.optional(),
  dedup: template.optional(),
  body: body.default('raw'),
  attributes: templates.optional(),
  delay: duration.optional(),
});
const sns = z.strictObject({
  topic: z.string().min(1),
  group: template.optional(),
  dedup: template.optional(),
  body: body.default('raw'),
  subject: template.optional(),
  attributes: templates.optional(),
});
const attribute = z.union([
  template,
  z.strictObject({ number: template }),
  z.strictObject({ binary: z.literal('payload') }),
]);
const dynamodb = z.strictObject({
  table: z.string().min(1),
  key: z.array(z.string().min(1)).min(1).max(2),
  item: z.record(z.string(), attribute),
});

const deadLetters = z.union([z.strictObject({ sqs: z.string().min(1) }), z.strictObject({ nats: template })]);

const destinationSchema = z.union([
  z.literal('drop'),
  z.strictObject({ eventbridge }),
  z.strictObject({ sqs }),
  z.strictObject({ sns }),
  z.strictObject({ dynamodb }),
]);

const condition = z.union([
  z.string(),
  z.number(),
  z.boolean(),
  z.array(z.union([z.string(), z.number(), z.boolean()])).min(1),
  z.strictObject({ exists: z.boolean() }),
  z.strictObject({ prefix: z.string().min(1) }),
]);

const rule = z.strictObject({
  name: z.string().min(1).optional(),
  match: subject,
  where: z
    .strictObject({
      header: z.record(z.string(), condition).optional(),
      json: z.record(z.string(), condition).optional(),
    })
    .optional(),
  to: destinationSchema,
  order: z.enum(['strict', 'batch', 'none']).default('strict'),
  batch: z
    .strictObject({ max: count.optional(), bytes: count.optional(), linger: duration.optional() })
    .optional(),
  limits: z
    .strictObject({ inFlight: count.max(1024).optional(), ratePerSec: z.number().positive().optional() })
    .optional(),
  retry: z
    .strictObject({
      attempts: count.optional(),
      budget: duration.optional(),
      base: duration.optional(),
      cap: duration.optional(),
      exhausted: z.enum(['park', 'wait']).optional(),
    })
    .optional(),
  dlq: deadLetters.optional(),
});

const reverseFrom = z.union([
  z.strictObject({
    sqs: z.strictObject({
      queue: z.string().min(1),
      wait: duration.default(20_000),
      visibility: duration.default(60_000),
      pollers: count.max(32).default(2),
    }),
  }),
  z.strictObject({
    eventbridge: z.strictObject({
      queue: z.string().min(1),
      wait: duration.default(20_000),
      visibility: duration.default(60_000),
      pollers: count.max(32).default(2),
    }),
  }),
  z.strictObject({
    dynamodbStream: z.strictObject({
      arn: z.string().min(1),
      start: z.enum(['oldest', 'latest']).default('oldest'),
      poll: duration.default(1_000),
    }),
  }),
]);

const reverse = z.strictObject({
  name: z.string().min(1).optional(),
  from: reverseFrom,
  subject: template,
  msgId: template.default('{{id}}'),
  data: z.union([z.literal('raw'), z.strictObject({ pick: z.record(z.string(), template) })]).default('raw'),
  headers: templates.optional(),
  stream: z.string().min(1).optional(),
  dlq: deadLetters.optional(),
});

export const bridgeConfigSchema = z.strictObject({
  version: z.literal(1),
  nats: z.strictObject({
    servers: z.array(z.string().min(1)).min(1),
    name: z.string().min(1).default('switchback-bridge'),
    /** Names of environment variables, never the secret itself. */
    auth: z
      .strictObject({
        userEnv: z.string().optional(),
        passwordEnv: z.string().optional(),
        tokenEnv: z.string().optional(),
        credsEnv: z.string().optional(),
      })
      .optional(),
    tls: z
      .strictObject({
        caFile: z.string().optional(),
        certFile: z.string().optional(),
        keyFile: z.string().optional(),
      })
      .optional(),
  }),
  aws: z
    .strictObject({
      region: z.string().min(1).optional(),
      account: z
        .string()
        .regex(/^\d{12}$/, 'an account id has twelve digits')
        .optional(),
      endpoint: z.url().optional(),
      sender: z.enum(['lean', 'sdk']).default('lean'),
      eventSizeMax: count.default(1_000_000),
      messageSizeMax: count.default(1_048_576),
      topicSizeMax: count.default(262_144),
      timeout: duration.default(10_000),
    })
    .prefault({}),
  sources: z.array(z.union([jetstreamSource, coreSource])).default([]),
  match: z.enum(['first', 'all']).default('first'),
  unmatched: z.enum(['drop', 'dlq']).default('dlq'),
  rules: z.array(rule).default([]),
  reverse: z.array(reverse).default([]),
  dlq: deadLetters.optional(),
  http: z
    .strictObject({ host: z.string().default('0.0.0.0'), port: z.int().min(0).max(65_535).default(8080) })
    .prefault({}),
  drain: duration.default(110_000),
  lease: duration.default(12_000),
  lagMax: duration.default(60_000),
});

export type BridgeConfig = z.output<typeof bridgeConfigSchema>;
export type RuleConfig = BridgeConfig['rules'][number];
export type ReverseConfig = BridgeConfig['reverse'][number];
export type DestinationConfig = RuleConfig['to'];
export type BodyConfig = z.output<typeof body>;
export type ConditionConfig = z.output<typeof condition>;
export type AttributeConfig = z.output<typeof attribute>;
export type DeadLetterConfig = z.output<typeof deadLetters>;
export type JetStreamSourceConfig = z.output<typeof jetstreamSource>;
export type CoreSourceConfig = z.output<typeof coreSource>;
export type SourceConfig = JetStreamSourceConfig | CoreSourceConfig;

/** Where in the document something is wrong, and what. */
export type ConfigFault = { readonly path: readonly (string | number)[]; readonly message: string };
