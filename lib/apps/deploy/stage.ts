/**
 * `stages/<stage>.yml`: how one stage differs from the others. Services, checks and people to tell stand in
 * `switchback.yml`; here is what belongs to the account that a stage lives in.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { problemOf } from '../../core/config/problem.ts';
import { ConfigurationRefused, lineOf, readYaml, refused } from '../configure/yamlFile.ts';

const principal = z
  .string()
  .regex(
    /^arn:[^:]+:iam::\d{12}:(?:role|user|root)/,
    'a principal is an ARN of an IAM role, a user or an account’s root',
  );

const StageFile = z.strictObject({
  account: z
    .string()
    .regex(/^\d{12}$/, 'an account is 12 digits in quotes')
    .nullable()
    .default(null)
    .describe('The only account this stage may be deployed to; null: any.'),
  region: z.string().regex(/^[a-z]{2}(?:-[a-z]+)+-\d$/, 'a region looks like eu-west-1'),
  logRetentionDays: z
    .literal([
      1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
    ])
    .default(30)
    .describe('CloudWatch Logs takes these numbers of days only.'),
  alarmConcurrency: z
    .int()
    .min(1)
    .max(100)
    .nullable()
    .default(5)
    .describe(
      'Concurrent runs kept free for on-alarm, and as many for fall-back. 100 must stay unreserved in the ' +
        'account, so a new one with a limit of 10 takes null.',
    ),
  deletionProtection: z.boolean().default(true).describe('Whether the event table refuses to be deleted.'),
  requesters: z
    .record(
      z.string().regex(/^[A-Za-z0-9._/-]{1,64}$/, 'a source has 1–64 letters, digits or . _ / -'),
      principal,
    )
    .default({})
    .describe(
      'Who may ask for rollouts and operations: the `source` of their events, and the IAM principal that ' +
        'alone may send it. Empty: everyone whom the account’s own policies let put events on the bus.',
    ),
});

export type Stage = z.infer<typeof StageFile> & { readonly name: string };

/** @throws ConfigurationRefused naming the stages there are, or every problem with its line */
export function readStage(root: string, name: string): Stage {
  const path = join(root, 'stages', `${name}.yml`);
  if (!/^[a-z][a-z0-9-]{0,15}$/.test(name) || !existsSync(path)) {
    const known = stagesIn(root).join(', ');
    throw new ConfigurationRefused(
      `there is no stage "${name}": stages/ has ${known}; add stages/${name}.yml or name one of these`,
    );
  }
  const file = `stages/${name}.yml`;
  const { value, document, lines } = readYaml(readFileSync(path, 'utf8'), file);
  const parsed = StageFile.safeParse(value ?? {});
  if (!parsed.success) throw refused(parsed.error.issues.map(problemOf), document, lines, file);
  return { ...parsed.data, name };
}

/** Where a key of the stage's file stands, for messages. */
export function placeInStage(root: string, name: string, key: string): string {
  const file = `stages/${name}.yml`;
  const { document, lines } = readYaml(readFileSync(join(root, file), 'utf8'), file);
  return `${file}:${lineOf(document, { path: [key] }, lines)}`;
}

const stagesIn = (root: string): readonly string[] =>
  existsSync(join(root, 'stages'))
    ? readdirSync(join(root, 'stages'))
        .filter((file) => file.endsWith('.yml'))
        .map((file) => file.replace(/\.yml$/, ''))
    : [];
