/** What cannot be deployed is refused in one sentence, before anything is made. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { compileConfiguration } from '../../../lib/apps/configure/compile.ts';
import { refuseOtherAccounts } from '../../../lib/apps/deploy/account.ts';
import { readStage } from '../../../lib/apps/deploy/stage.ts';
import { type LocalCloud, startLocalCloud } from '../../../lib/local/cloud.ts';
import { plant, repositoryRoot, run } from '../../tidy/plant.ts';
import { packagingMs } from './packaged.ts';

let cloud: LocalCloud;
beforeAll(async () => {
  cloud = await startLocalCloud();
});
afterAll(() => cloud.close());

const example = readFileSync(join(repositoryRoot, 'examples/shop/switchback.yml'), 'utf8');
const refusalOf = async (doing: () => unknown): Promise<string> => {
  try {
    await doing();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('it was not refused');
};

describe('a stage', () => {
  it(
    'that does not exist is told by osls in this one sentence, without a stack',
    async () => {
      const { status, output } = await run('sls', ['package', '--stage', 'qa'], repositoryRoot, {
        ...process.env,
        PATH: `${join(repositoryRoot, 'node_modules/.bin')}:${process.env.PATH}`,
      });
      expect(status).toBe(1);
      expect(output).toMatch(
        /Error:\nthere is no stage "qa": stages\/ has dev, prod, staging; add stages\/qa\.yml/,
      );
      expect(output).not.toContain('    at ');
    },
    packagingMs,
  );

  it('is read strictly, and every problem has its line', async () => {
    const file = 'region: eu-west-1\nlogRetention: 30\nrequesters: { shop: somebody }\n';
    const root = plant({ 'stages/qa.yml': file });
    expect((await refusalOf(() => readStage(root, 'qa'))).split('\n')).toEqual([
      'stages/qa.yml:3: requesters.shop: a principal is an ARN of an IAM role, a user or an account’s root.',
      'stages/qa.yml:2: logRetention: unknown key "logRetention": remove it or correct its spelling.',
    ]);
  });

  it('belongs to one account, and other credentials are refused', async () => {
    vi.stubEnv('AWS_ENDPOINT_URL', cloud.url);
    const stage = { ...readStage(repositoryRoot, 'prod'), account: '123456789012' };
    expect(await refusalOf(() => refuseOtherAccounts(stage))).toBe(
      'stages/prod.yml: stage prod belongs to account 123456789012, and these credentials are for ' +
        '000000000000: nothing was changed',
    );
    await refuseOtherAccounts({ ...stage, account: '000000000000' });
    await refuseOtherAccounts({ ...stage, account: null });
    vi.unstubAllEnvs();
  });
});

describe('a deployment', () => {
  it(
    'without credentials, and one of an example, is refused before anything is built',
    async () => {
      const copies = [
        'lib',
        'events',
        'statemachines',
        'scripts',
        'stages',
        'serverless.yml',
        'package.json',
      ];
      const deploy = async (files: Readonly<Record<string, string>>) => {
        const root = plant(files, { copies, packages: true });
        const { status, output } = await run('sls', ['deploy', '--stage', 'dev'], root, {
          PATH: `${join(repositoryRoot, 'node_modules/.bin')}:${process.env.PATH}`,
          HOME: root,
          AWS_EC2_METADATA_DISABLED: 'true',
          AWS_ENDPOINT_URL: cloud.url,
        });
        expect(status).toBe(1);
        return output;
      };
      expect(await deploy({ 'switchback.yml': example })).toMatch(
        /these credentials open no account .*: set AWS_PROFILE, .*; nothing was changed/,
      );
      expect(await deploy({ 'examples/shop/switchback.yml': example })).toContain(
        'there is no switchback.yml, and examples/shop/switchback.yml names services of nobody: write yours',
      );
    },
    packagingMs,
  );
});

describe('a configuration', () => {
  const target = / {4}target:\n {6}kind: ecs-alb[\s\S]*?(?=\n {4}strategy)/.exec(example)?.[0];

  it.each([
    [
      'an unknown key',
      example.replace('    strategy:', '    strategie:'),
      'switchback.yml:14: services.shop.strategie: unknown key "strategie": remove it or correct',
    ],
    [
      'two services on one listener rule',
      `${example}  second:\n${target}\n`,
      'services.second.target.ruleArn: shop already uses this listener rule: give each service its own.',
    ],
    [
      'a deployment group twice',
      example.replace(
        '    strategy:',
        `    codeDeploy: [${'{ application: shop, deploymentGroup: live }, '.repeat(2)}]\n    strategy:`,
      ),
      'services.shop.codeDeploy.1: shop already has the deployment group shop/live: give each service its own.',
    ],
    [
      'a cycle of dependencies',
      example.replace('    strategy:', '    dependsOn: [shop]\n    strategy:'),
      'switchback.yml:14: services.shop.dependsOn: shop → shop is a cycle: one of them must not',
    ],
    [
      'a message for a service that is not there',
      `notifications: [{ protocol: email, endpoint: a@b.example, services: [gone] }]\n${example}`,
      'switchback.yml:1: notifications.0.services: there is no service "gone": known are shop.',
    ],
    [
      'an objective that is said in two places',
      example.replace('    analysis:', '    analysis:\n      objective: 0.99'),
      'services.shop.analysis.objective: is said in slo.objective: move it there.',
    ],
  ])('with %s', async (_, text, sentence) => {
    const root = plant({ 'switchback.yml': text });
    const refusal = await refusalOf(() => compileConfiguration(join(root, 'switchback.yml')));
    expect(refusal).toMatch(/^switchback\.yml:\d+: /);
    expect(refusal).toContain(sentence);
  });
});
