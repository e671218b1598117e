/** What cannot be deployed is refused in one sentence, before anything is made. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { compileConfiguration } from '../../../lib/apps/configure/compile.ts';
import { refuseVariables } from '../../../lib/apps/configure/variables.ts';
import { refuseOtherAccounts } from '../../../lib/apps/deploy/account.ts';
import { lambdas } from '../../../lib/apps/deploy/lambdas.ts';
import { placeInStage, readStage } from '../../../lib/apps/deploy/stage.ts';
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
    const place = placeInStage(repositoryRoot, 'prod', 'account');
    expect(await refusalOf(() => refuseOtherAccounts(stage, place))).toBe(
      'stages/prod.yml:5: account: stage prod belongs to account 123456789012, and these credentials are for ' +
        '000000000000: nothing was changed',
    );
    await refuseOtherAccounts({ ...stage, account: '000000000000' }, place);
    await refuseOtherAccounts({ ...stage, account: null }, place);
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

describe('a reference', () => {
  const compiled = (text: string) =>
    compileConfiguration(join(plant({ 'switchback.yml': text }), 'switchback.yml'));
  const ssm = () =>
    new SSMClient({
      endpoint: cloud.url,
      region: 'eu-west-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    });
  const referring = example.replace('cluster: shop', 'cluster: { ssm: /shop/cluster }');
  beforeAll(() => {
    vi.stubEnv('AWS_ENDPOINT_URL', cloud.url);
    vi.stubEnv('AWS_REGION', 'eu-west-1');
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  });
  afterAll(() => {
    vi.unstubAllEnvs();
  });

  it('that leads nowhere is refused where it stands', async () => {
    expect(await refusalOf(() => compiled(referring))).toMatch(
      /^switchback\.yml:10: services\.shop\.target\.cluster: \/shop\/cluster cannot be read from Parameter Store \(ParameterNotFound/,
    );
  });

  it('to a parameter is read when the file is compiled, but not a secret one', async () => {
    await ssm().send(
      new PutParameterCommand({ Name: '/shop/cluster', Value: 'green-field', Type: 'String' }),
    );
    const { services } = await compiled(referring);
    expect(services[0]?.target).toMatchObject({ cluster: 'green-field' });
    const secret = {
      Name: '/shop/cluster',
      Value: 'hunter2',
      Type: 'SecureString',
      Overwrite: true,
    } as const;
    await ssm().send(new PutParameterCommand(secret));
    const refusal = await refusalOf(() => compiled(referring));
    expect(refusal).toContain('/shop/cluster is a SecureString');
    expect(refusal).not.toContain('hunter2');
  });
});

describe('variables above the file', () => {
  it('that are for no service, or cannot be, are refused before they are deployed', async () => {
    const root = plant({ 'switchback.yml': example });
    const configuration = await compileConfiguration(join(root, 'switchback.yml'));
    const environment = { SWITCHBACK__SHIP__X: '1', SWITCHBACK__SHOP__EVALUATE_SECONDS: 'x', HOME: '/' };
    const said = (await refusalOf(() => refuseVariables(configuration, environment))).split('\n');
    expect(said[0]).toBe('environment SWITCHBACK__SHIP__X: names no service: write SWITCHBACK__SHOP__….');
    expect(said[1]).toMatch(/^environment SWITCHBACK__SHOP__EVALUATE_SECONDS: evaluateSeconds: .*number/);
    const variables = { SWITCHBACK__SHOP__EVALUATE_SECONDS: '5' };
    refuseVariables(configuration, variables);
    // Who starts rollouts is given them, and nobody on the alarm's way.
    const stage = readStage(repositoryRoot, 'dev');
    const made = lambdas({ stage, configuration, dist: 'dist', variables });
    const given = Object.keys(made).filter((verb) =>
      JSON.stringify(made[verb]).includes('SWITCHBACK__SHOP__'),
    );
    expect(given).toEqual(['start-rollout', 'step-migration']);
  });
});

describe('a configuration', () => {
  const target = / {4}target:\n {6}kind: ecs-alb[\s\S]*?(?=\n {4}strategy)/.exec(example)?.[0];

  it.each([
    [
      'an unknown key',
      example.replace('    strategy:', '    strategie:'),
      'switchback.yml:16: services.shop.strategie: unknown key "strategie": remove it or correct',
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
      'switchback.yml:16: services.shop.dependsOn: shop → shop is a cycle: one of them must not',
    ],
    [
      'a message for a service that is not there',
      `notifications: [{ protocol: email, endpoint: a@b.example, services: [gone] }]\n${example}`,
      'switchback.yml:1: notifications.0.services: there is no service "gone": known are shop.',
    ],
    [
      'a password in an address',
      `notifications: [{ protocol: https, endpoint: 'https://me:hunter2@a.example' }]\n${example}`,
      'switchback.yml:1: notifications.0.endpoint: holds a password: put the URL into Secrets Manager and name it',
    ],
    [
      'an address that is none',
      `notifications: [{ protocol: https, endpoint: { secrets: hook } }]\n${example}`,
      'notifications.0.endpoint: must be a mail address, a URL, or the ARN of a queue or function, or stand elsewhere',
    ],
    [
      'a secret where bundles are made of it',
      example.replace('cluster: shop', 'cluster: { secret: cluster }'),
      'switchback.yml:10: services.shop.target.cluster: a secret may not stand here',
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
