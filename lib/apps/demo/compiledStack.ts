/**
 * Switchback on the local cloud by its own deployment: `sls package` makes the bundles and the template, and
 * CloudFormation makes the stack of it. What runs here is what `sls deploy` ships.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  CloudFormationClient,
  CreateStackCommand,
  DescribeStacksCommand,
  UpdateStackCommand,
} from '@aws-sdk/client-cloudformation';
import type { Endpoint } from './account.ts';

type Packaging = {
  /** From the project's root: bundles go to `<work>/dist`, the template to `<work>/package`. */
  readonly work: string;
  readonly configuration: string;
  readonly stage: string;
};

/** @returns the compiled template, as CloudFormation gets it */
export async function packageStack(root: string, { work, configuration, stage }: Packaging): Promise<string> {
  const env = {
    ...process.env,
    PATH: `${join(root, 'node_modules/.bin')}:${process.env.PATH}`,
    SWITCHBACK_CONFIG: configuration,
    SWITCHBACK_DIST: `${work}/dist`,
  };
  const sls = join(root, 'node_modules/.bin/sls');
  await promisify(execFile)(sls, ['package', '--stage', stage, '--package', `${work}/package`], {
    cwd: root,
    env,
  });
  return readFileSync(join(root, work, 'package/cloudformation-template-update-stack.json'), 'utf8');
}

/** Where a packaged function's file is on this machine: handlers are named by it, from the project's root. */
export const bundlePath =
  (root: string) =>
  ({ handler }: { readonly handler: string }): string =>
    join(root, handler.replace(/\.handler$/, '.mjs'));

/**
 * Makes the stack, or changes it.
 * @returns its outputs by name
 * @throws Error with CloudFormation's reason when it does not stand
 */
export async function deployStack(
  at: Endpoint,
  StackName: string,
  TemplateBody: string,
): Promise<Readonly<Record<string, string>>> {
  const client = new CloudFormationClient(at);
  const input = { StackName, TemplateBody, Capabilities: ['CAPABILITY_NAMED_IAM' as const] };
  const there = await client.send(new DescribeStacksCommand({ StackName })).catch(() => null);
  await client.send(there === null ? new CreateStackCommand(input) : new UpdateStackCommand(input));
  const { Stacks } = await client.send(new DescribeStacksCommand({ StackName }));
  const { StackStatus, StackStatusReason, Outputs = [] } = Stacks?.[0] ?? {};
  if (StackStatus !== 'CREATE_COMPLETE' && StackStatus !== 'UPDATE_COMPLETE') {
    throw new Error(`the stack ${StackName} does not stand: ${StackStatus}: ${StackStatusReason}`);
  }
  return Object.fromEntries(Outputs.map(({ OutputKey, OutputValue }) => [OutputKey, OutputValue]));
}
