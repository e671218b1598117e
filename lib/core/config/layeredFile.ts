/**
 * What of a service in `switchback.yml` may be changed above the file, when a rollout starts. Functions carry
 * these schemas, so they use the whole schema library alone: in bundles the schemas of events/ are made by
 * another.
 */
import * as z from 'zod';
import type { Strategy } from '../../../events/rollout.ts';
import { rollbacksRemembered } from '../rollout/state.ts';

export const seconds = z.number().min(0);
const percent = z.number().gt(0).max(100);

const strategies = ['canary', 'linear', 'blue-green', 'rolling', 'all-at-once'] as const satisfies Strategy[];

const StrategyFile = z.strictObject({
  kind: z.enum(strategies).default('canary'),
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

export const layeredFields = {
  strategy: StrategyFile.prefault({}),
  evaluateSeconds: z.number().min(1).default(60).describe('How often a bake is looked at.'),
  rollbackWindowSeconds: seconds
    .default(3600)
    .describe('How long alarms still roll back after the promotion.'),
  scaleDownDelaySeconds: seconds.default(30).describe('How long the side without traffic stays warm.'),
  prepareTimeoutSeconds: z.number().min(1).default(600),
  rolloutTimeoutSeconds: z.number().min(1).default(86_400),
  rollbacksPerDayMax: z
    .int()
    .min(1)
    .max(rollbacksRemembered, `no more than ${rollbacksRemembered} rollbacks of a service are remembered`)
    .default(3)
    .describe('Rollbacks within a day before the next start is held for a person; at most 5.'),
};

export const LayeredFile = z.strictObject(layeredFields);
