/**
 * What stands above the file, read from Parameter Store and the environment, and told by `npm run config`.
 */
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { awsLayers } from '../../lib/aws/layers.ts';
import { type LocalCloud, startLocalCloud } from '../../lib/local/cloud.ts';
import { repositoryRoot, run } from '../tidy/plant.ts';

const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
const planted = 'hunter2-never-printed';

let cloud: LocalCloud;
let ssm: SSMClient;
beforeAll(async () => {
  cloud = await startLocalCloud();
  ssm = new SSMClient({ endpoint: cloud.url, region: 'eu-west-1', credentials });
  const put = (Name: string, Value: string, Type: 'String' | 'StringList' | 'SecureString' = 'String') =>
    ssm.send(new PutParameterCommand({ Name: `/switchback/${Name}`, Value, Type }));
  await put('prod/shop/evaluateSeconds', '20');
  await put('prod/shop/analysis/latency/thresholdsMs', '100,250', 'StringList');
  await put('prod/shopping/evaluateSeconds', '99');
  await put('dev/shop/evaluateSeconds', '77');
  // More than one page of ten.
  for (let n = 0; n < 12; n++) await put(`prod/many/analysis/k${n}`, String(n));
  await put('prod/secretive/evaluateSeconds', planted, 'SecureString');
});
afterAll(() => cloud.close());

describe('the layers above the file', () => {
  const environment = { SWITCHBACK__SHOP__EVALUATE_SECONDS: '10', SWITCHBACK_CONFIG: 'x', PATH: '/bin' };
  const layers = () => awsLayers(ssm, 'prod', environment);

  it('are the parameters of this stage and service, then the variables', async () => {
    expect(await layers().values('shop')).toEqual([
      {
        layer: 'parameter-store',
        place: 'parameter /switchback/prod/shop/analysis/latency/thresholdsMs',
        words: ['analysis', 'latency', 'thresholdsMs'],
        text: '[100,250]',
      },
      {
        layer: 'parameter-store',
        place: 'parameter /switchback/prod/shop/evaluateSeconds',
        words: ['evaluateSeconds'],
        text: '20',
      },
      {
        layer: 'environment',
        place: 'environment SWITCHBACK__SHOP__EVALUATE_SECONDS',
        words: ['EVALUATE_SECONDS'],
        text: '10',
      },
    ]);
  });

  it('come page by page', async () => {
    expect(await layers().values('many')).toHaveLength(12);
  });

  it('leave a secret closed', async () => {
    const values = await layers().values('secretive');
    expect(values.map(({ text }) => text)).toEqual([null]);
    expect(JSON.stringify(values)).not.toContain(planted);
  });

  it('that cannot be read are an outage, tried again later, and no rollout starts on half of them', async () => {
    const nowhere = new SSMClient({ endpoint: 'http://127.0.0.1:1', region: 'eu-west-1', credentials });
    await expect(awsLayers(nowhere, 'prod', {}).values('shop')).rejects.toMatchObject({
      name: 'WorldUnavailable',
    });
  });
});

describe('npm run config', () => {
  const config = (...words: readonly string[]) =>
    run(
      process.execPath,
      ['lib/apps/configure/main.ts', '--file', 'examples/shop/switchback.yml', ...words],
      repositoryRoot,
      {
        ...process.env,
        AWS_ACCESS_KEY_ID: 'test',
        AWS_SECRET_ACCESS_KEY: 'test',
        SWITCHBACK__SHOP__ROLLBACKS_PER_DAY_MAX: '5',
      },
    );

  it('says where each value came from: default, file, Parameter Store, environment', async () => {
    const { status, output } = await config('--stage', 'prod', '--service', 'shop', '--endpoint', cloud.url);
    expect(output).toMatch(/evaluateSeconds +20 +parameter \/switchback\/prod\/shop\/evaluateSeconds/);
    expect(output).toMatch(/rollbacksPerDayMax +5 +environment SWITCHBACK__SHOP__ROLLBACKS_PER_DAY_MAX/);
    expect(output).toMatch(/strategy.bakeSeconds +2 +switchback.yml:18/);
    expect(output).toMatch(/strategy.startPercent +5 +default/);
    expect(output).toContain('stage prod is not deployed');
    expect(status).toBe(0);
  });

  it('says what a rollout would be refused for, and where it stands', async () => {
    await ssm.send(
      new PutParameterCommand({
        Name: '/switchback/staging/shop/evaluateSeconds',
        Value: 'often',
        Type: 'String',
      }),
    );
    const { status, output } = await config('--stage', 'staging', '--endpoint', cloud.url);
    expect(output).toContain(
      'shop: parameter /switchback/staging/shop/evaluateSeconds: evaluateSeconds: Invalid input: expected number',
    );
    expect(status).toBe(1);
  });

  it('knows services by name, and needs no account offline', async () => {
    const { status, output } = await config('--service', 'shopp', '--offline');
    expect([status, output]).toEqual([1, 'switchback.yml: there is no service "shopp": known are shop\n']);
    const told = await config('--offline', '--json', '--changed');
    const places = JSON.parse(told.output).origins.map(({ place }: { place: string }) => place);
    expect(places).not.toContain('default');
  });
});
