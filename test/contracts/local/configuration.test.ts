import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  InvalidRequestException,
  PutSecretValueCommand,
  ResourceExistsException,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import {
  DeleteParameterCommand,
  GetParameterCommand,
  GetParametersByPathCommand,
  GetParametersCommand,
  ParameterAlreadyExists,
  ParameterNotFound,
  PutParameterCommand,
  type PutParameterCommandInput,
  SSMClient,
} from '@aws-sdk/client-ssm';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../lib/asl/clock.ts';
import { type Endpoint, startEndpoint } from '../../../lib/local/endpoint.ts';
import { secretsManagerService } from '../../../lib/local/secretsManager/secretsManagerService.ts';
import { Parameters } from '../../../lib/local/ssm/parameters.ts';
import { ssmService } from '../../../lib/local/ssm/ssmService.ts';
import { stsService } from '../../../lib/local/sts/stsService.ts';
import { awsCliJson } from './awsCli.ts';

let clock: VirtualClock;
let endpoint: Endpoint;
let client: { endpoint: string; region: string; maxAttempts: number };
beforeEach(async () => {
  clock = new VirtualClock();
  const services = [ssmService(new Parameters(clock)), secretsManagerService(clock), stsService()];
  endpoint = await startEndpoint({ services, clock });
  client = { endpoint: endpoint.url, region: 'eu-west-1', maxAttempts: 1 };
});
afterEach(() => endpoint.close());

const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => null,
    (error) => error,
  );

describe('Parameter Store', () => {
  const put = (Name: string, Value: string, more: Partial<PutParameterCommandInput> = {}) =>
    new SSMClient(client).send(new PutParameterCommand({ Name, Value, Type: 'String', ...more }));
  const value = async (Name: string, WithDecryption = false) =>
    (await new SSMClient(client).send(new GetParameterCommand({ Name, WithDecryption }))).Parameter?.Value;

  it('keeps versions and overwrites only when told to', async () => {
    expect((await put('/shop/weight', '5')).Version).toBe(1);
    expect(await failureOf(put('/shop/weight', '15'))).toBeInstanceOf(ParameterAlreadyExists);
    expect((await put('/shop/weight', '15', { Overwrite: true })).Version).toBe(2);
    expect(await value('/shop/weight')).toBe('15');
    expect(await value('/shop/weight:1')).toBe('5');
  });

  it('shows a secret only to who asks for its decryption', async () => {
    await put('/shop/key', 'hush', { Type: 'SecureString' });
    expect(await value('/shop/key', true)).toBe('hush');
    expect(await value('/shop/key')).not.toContain('hush');
  });

  it('pages through a path, and goes below it only when told to', async () => {
    for (const name of ['a', 'b', 'c', 'deep/d']) await put(`/shop/dev/${name}`, name);
    await put('/shop/prod/a', 'other');
    const ssm = new SSMClient(client);
    const page = (more: object) =>
      ssm.send(new GetParametersByPathCommand({ Path: '/shop/dev', MaxResults: 2, ...more }));
    const first = await page({ Recursive: true });
    const second = await page({ Recursive: true, NextToken: first.NextToken });
    const names = [...(first.Parameters ?? []), ...(second.Parameters ?? [])].map(({ Name }) => Name);
    expect(names).toEqual(['/shop/dev/a', '/shop/dev/b', '/shop/dev/c', '/shop/dev/deep/d']);
    expect(second.NextToken).toBeUndefined();
    const flat = await ssm.send(new GetParametersByPathCommand({ Path: '/shop/dev' }));
    expect(flat.Parameters).toHaveLength(3);
  });

  it('names what it does not have', async () => {
    await put('/a', '1');
    const { Parameters: found, InvalidParameters } = await new SSMClient(client).send(
      new GetParametersCommand({ Names: ['/a', '/b'] }),
    );
    expect(found).toMatchObject([{ Name: '/a', ARN: 'arn:aws:ssm:eu-west-1:000000000000:parameter/a' }]);
    expect(InvalidParameters).toEqual(['/b']);
    expect(
      await failureOf(new SSMClient(client).send(new DeleteParameterCommand({ Name: '/b' }))),
    ).toBeInstanceOf(ParameterNotFound);
  });

  it('answers awscli', async () => {
    const args = ['--name', '/cli', '--value', 'x', '--type', 'String'];
    expect(await awsCliJson(endpoint.url, 'ssm', 'put-parameter', ...args)).toMatchObject({ Version: 1 });
    expect(await value('/cli')).toBe('x');
  });
});

describe('Secrets Manager', () => {
  it('answers the current version, and the previous one by its stage', async () => {
    const secrets = new SecretsManagerClient(client);
    const { ARN } = await secrets.send(new CreateSecretCommand({ Name: 'db', SecretString: 'one' }));
    await secrets.send(new PutSecretValueCommand({ SecretId: 'db', SecretString: 'two' }));
    const read = (more: object) => secrets.send(new GetSecretValueCommand({ SecretId: ARN, ...more }));
    expect((await read({})).SecretString).toBe('two');
    expect((await read({ VersionStage: 'AWSPREVIOUS' })).SecretString).toBe('one');
    const again = secrets.send(new CreateSecretCommand({ Name: 'db', SecretString: 'x' }));
    expect(await failureOf(again)).toBeInstanceOf(ResourceExistsException);
  });

  it('holds a deleted secret back until its recovery window ends', async () => {
    const secrets = new SecretsManagerClient(client);
    await secrets.send(new CreateSecretCommand({ Name: 'db', SecretBinary: new Uint8Array([1, 2]) }));
    await secrets.send(new DeleteSecretCommand({ SecretId: 'db', RecoveryWindowInDays: 7 }));
    expect(await failureOf(secrets.send(new GetSecretValueCommand({ SecretId: 'db' })))).toBeInstanceOf(
      InvalidRequestException,
    );
    expect((await secrets.send(new DescribeSecretCommand({ SecretId: 'db' }))).DeletedDate).toEqual(
      new Date(clock.now()),
    );
    await clock.advance(7 * 86_400_000);
    expect((await failureOf(secrets.send(new DescribeSecretCommand({ SecretId: 'db' })))).name).toBe(
      'ResourceNotFoundException',
    );
  });

  it('answers awscli', async () => {
    await awsCliJson(
      endpoint.url,
      'secretsmanager',
      'create-secret',
      '--name',
      'cli',
      '--secret-string',
      '{"a":1}',
    );
    const read = await awsCliJson(endpoint.url, 'secretsmanager', 'get-secret-value', '--secret-id', 'cli');
    expect(read).toMatchObject({ Name: 'cli', SecretString: '{"a":1}', VersionStages: ['AWSCURRENT'] });
  });
});

describe('STS', () => {
  it('tells the SDK and awscli the account', async () => {
    const identity = await new STSClient(client).send(new GetCallerIdentityCommand({}));
    expect(identity.Account).toBe('000000000000');
    expect(await awsCliJson(endpoint.url, 'sts', 'get-caller-identity')).toMatchObject({
      Account: '000000000000',
    });
  });
});
