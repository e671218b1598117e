/**
 * What ships where figures come from elsewhere than the balancer: the adapters, and the rights to use them.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileConfiguration } from '../../lib/apps/configure/compile.ts';
import { ConfigurationRefused } from '../../lib/apps/configure/yamlFile.ts';
import type { Deployment } from '../../lib/apps/deploy/deployment.ts';
import { deployedFunctions } from '../../lib/apps/deploy/functions.ts';
import { type Grant, rights } from '../../lib/apps/deploy/rights.ts';
import { repositoryRoot as root, run } from '../tidy/plant.ts';
import { bundledActions, bundledFiles } from './template/bundleCommands.ts';

const arn = 'arn:aws:elasticloadbalancing:eu-west-1:123456789012';
const target = (name: string, rule: number) => `
    target:
      kind: ecs-alb
      cluster: shop
      services: { blue: ${name}-blue, green: ${name}-green }
      targetGroups: { blue: '${arn}:targetgroup/${name}-blue/1', green: '${arn}:targetgroup/${name}-green/2' }
      ruleArn: ${arn}:listener-rule/app/shop/3/4/${rule}`;

const counters = `
      requests: http_requests_total{slot="$slot"}
      errors: http_requests_total{slot="$slot",code=~"5.."}`;

const managed = `
  web:${target('web', 5)}
    metrics:
      kind: prometheus
      url: https://aps-workspaces.eu-west-1.amazonaws.com/workspaces/ws-12ab
      region: eu-west-1${counters}
`;
const guarded = `
  api:${target('api', 6)}
    metrics:
      kind: prometheus
      url: https://prometheus.example
      bearerTokenParameter: /shop/prometheus${counters}
`;
const published = `
  feed:${target('feed', 7)}
    metrics: { kind: emf, namespace: Shop, dimensions: { Service: feed } }
`;

let folder: string;
beforeAll(() => {
  mkdirSync(join(root, '.switchback'), { recursive: true });
  folder = mkdtempSync(join(root, '.switchback/metrics-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function written(name: string, ...services: readonly string[]): string {
  const path = join(folder, `${name}.yml`);
  writeFileSync(path, `services:${services.join('')}`);
  return path;
}

/** Of the port that reads figures, for a configuration. */
async function grants(path: string): Promise<readonly Grant[]> {
  const configuration = await compileConfiguration(path);
  const granted = rights.metrics({ stage: { name: 'dev' }, configuration } as Deployment);
  return granted.filter(({ resources }) => resources.length > 0);
}

const text = (resource: unknown): string => JSON.stringify(resource);

describe('the right to read figures', () => {
  it('is CloudWatch’s for what is published there', async () => {
    expect((await grants(written('published', published))).map(({ actions }) => actions)).toEqual([
      ['cloudwatch:GetMetricData'],
    ]);
  });

  it('is a workspace’s own and a token’s own where Prometheus is asked, and nothing of CloudWatch', async () => {
    const found = await grants(written('asked', managed, guarded));
    expect(found.map(({ actions }) => actions)).toEqual([['aps:QueryMetrics'], ['ssm:GetParameter']]);
    expect(text(found[0]?.resources)).toContain(':aps:eu-west-1:${AWS::AccountId}:workspace/ws-12ab');
    expect(text(found[1]?.resources)).toContain(':parameter/shop/prometheus"');
  });

  it('is everything together where services differ', async () => {
    const found = await grants(written('mixed', managed, guarded, published));
    expect(found.map(({ actions }) => actions[0])).toEqual([
      'cloudwatch:GetMetricData',
      'aps:QueryMetrics',
      'ssm:GetParameter',
    ]);
  });
});

describe('bundles for a service whose figures are in Prometheus', () => {
  const readers = Object.keys(deployedFunctions).filter((verb) =>
    deployedFunctions[verb]?.rights.includes(rights.metrics),
  );
  let dist: string;
  beforeAll(async () => {
    dist = join(folder, 'dist');
    const words = ['scripts/build.mjs', '--config', written('bundled', managed), '--out', dist];
    const { status, output } = await run(process.execPath, words, root);
    expect([status, output]).toEqual([0, expect.any(String)]);
  }, 120_000);

  it.each(readers)('%s holds that adapter, no other, and does not ask CloudWatch for metrics', (verb) => {
    const adapters = bundledFiles(dist, verb).filter((path) => path.startsWith('lib/aws/metrics/'));
    expect(adapters).toEqual(['lib/aws/metrics/prometheus.ts']);
    expect(bundledActions(dist, verb)).not.toContain('cloudwatch:GetMetricData');
  });
});

it('what is wrong with a source is said with its line', async () => {
  const path = written('wrong', managed.replace('slot="$slot"}\n', 'slot="green"}\n'));
  const failure = await compileConfiguration(path).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(ConfigurationRefused);
  expect((failure as Error).message).toMatch(
    /^wrong\.yml:13: services\.web\.metrics\.requests: needs \$slot/,
  );
});
