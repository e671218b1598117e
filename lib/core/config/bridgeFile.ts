/**
 * The `bridge:` part of `switchback.yml`: how the NATS–AWS bridge runs on Fargate. Its rules stand in
 * bridge.yml.
 */
import * as z from 'zod';

/**
 * Fargate's sizes: CPU units, and the memory in MB that goes with each (ECS developer guide, "Task size").
 */
const memoryOf: Readonly<Record<number, readonly [least: number, most: number]>> = {
  256: [512, 2_048],
  512: [1_024, 4_096],
  1024: [2_048, 8_192],
  2048: [4_096, 16_384],
  4096: [8_192, 30_720],
};

const secretArn =
  /^arn:[^:]+:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@-]+-[A-Za-z0-9]{6}(?::[\w.-]*:[\w-]*:[\w-]*)?$/;

export const BridgeFile = z
  .strictObject({
    config: z.string().min(1).default('bridge.yml').describe('Its rules: a file, seen from this one.'),
    image: z
      .string()
      .regex(/^[^\s:@]+(?::\d+)?[^\s:@]*(?::[\w][\w.-]{0,127}|@sha256:[0-9a-f]{64})$/, {
        error: 'must name an image with its tag or digest, such as …/switchback-bridge:1.4.0',
      })
      .describe('The image of the Dockerfile, with its tag or digest.'),
    architecture: z.enum(['arm64', 'x86_64']).default('arm64').describe('What the image was built for.'),
    vpc: z.string().regex(/^vpc-[0-9a-f]{8,17}$/, 'must be a VPC’s id'),
    subnets: z
      .array(z.string().regex(/^subnet-[0-9a-f]{8,17}$/, 'must be a subnet’s id'))
      .min(1)
      .describe('Private subnets, with a way to NATS, to AWS and to the image: a NAT gateway or endpoints.'),
    securityGroups: z
      .array(z.string().regex(/^sg-[0-9a-f]{8,17}$/, 'must be a security group’s id'))
      .default([])
      .describe('Besides its own: those that NATS lets in.'),
    cpu: z.literal([256, 512, 1024, 2048, 4096]).default(1024).describe('The bridge uses one core: 1024.'),
    memoryMb: z.int().default(2_048),
    tasks: z
      .strictObject({ min: z.int().min(1).default(2), max: z.int().max(100).default(10) })
      .refine(({ min, max }) => min <= max, 'must have a min that is at most its max')
      .prefault({}),
    lagPerTask: z
      .int()
      .min(1)
      .default(10_000)
      .describe('Messages waiting in the streams per task, around which the number of tasks is kept.'),
    secrets: z
      .record(
        z.string().regex(/^[A-Z_][A-Z0-9_]*$/, 'an environment variable is named in capitals'),
        z
          .string()
          .regex(secretArn, 'must be the whole ARN of a secret of Secrets Manager, or of a key in one'),
      )
      .default({})
      .describe(
        'Environment variables that bridge.yml names, by the ARN of the secret each gets its value from.',
      ),
  })
  .superRefine(({ cpu, memoryMb }, context) => {
    const [least, most] = memoryOf[cpu] ?? [0, 0];
    if (memoryMb >= least && memoryMb <= most && memoryMb % 512 === 0) return;
    const message = `must be ${least} to ${most} in steps of 512: that is what Fargate has for ${cpu} CPU units`;
    context.addIssue({ code: 'custom', path: ['memoryMb'], message });
  });

export type BridgeSettings = z.infer<typeof BridgeFile>;
