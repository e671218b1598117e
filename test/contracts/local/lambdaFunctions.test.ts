import {
  CreateAliasCommand,
  CreateFunctionCommand,
  GetFunctionCommand,
  InvokeCommand,
  ListFunctionsCommand,
  PublishVersionCommand,
  PutFunctionEventInvokeConfigCommand,
  ResourceConflictException,
  ResourceNotFoundException,
  UpdateAliasCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { awsCliJson } from './awsCli.ts';
import { eventually } from './eventually.ts';
import { type LambdaWorld, place, startLambdaWorld } from './lambdaWorld.ts';

let world: LambdaWorld;
beforeAll(async () => {
  world = await startLambdaWorld();
});
afterAll(() => world.close());

const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => null,
    (error) => error,
  );

describe('an asynchronous call', () => {
  const event = (name: string, payload: unknown) =>
    world.client.send(
      new InvokeCommand({ FunctionName: name, InvocationType: 'Event', Payload: JSON.stringify(payload) }),
    );
  const ended = (name: string) =>
    world.lambda.logs.of(name).filter(({ line }) => line.startsWith('END')).length;

  it('is tried three times, and then told to the destination and the dead-letter queue', async () => {
    const [dead, failed] = ['dead', 'failed'].map((name) => world.queues.create(name, {}, place).arn);
    await world.create('fails', 'export const handler = async () => { throw new Error("again"); };', {
      DeadLetterConfig: { TargetArn: dead },
    });
    const DestinationConfig = { OnFailure: { Destination: failed } };
    await world.client.send(
      new PutFunctionEventInvokeConfigCommand({ FunctionName: 'fails', DestinationConfig }),
    );
    expect((await event('fails', { n: 1 })).StatusCode).toBe(202);
    await eventually(() => ended('fails')).toBe(1);
    await eventually(() => world.clock.nextAt).toBe(world.clock.now() + 60_000);
    await world.clock.advance(60_000);
    await eventually(() => ended('fails')).toBe(2);
    await eventually(() => world.clock.nextAt).toBe(world.clock.now() + 120_000);
    await world.clock.advance(120_000);
    await eventually(() => world.queues.byName('dead').size).toBe(1);
    const [letter] = await world.queues.byName('dead').receive({ max: 1 });
    expect(letter?.message).toMatchObject({
      body: '{"n":1}',
      attributes: { ErrorMessage: { StringValue: 'again' } },
    });
    const [record] = await world.queues.byName('failed').receive({ max: 1 });
    expect(JSON.parse(record?.message.body ?? '')).toMatchObject({
      requestContext: { condition: 'RetriesExhausted', approximateInvokeCount: 3 },
      requestPayload: { n: 1 },
      responseContext: { functionError: 'Unhandled' },
      responsePayload: { errorMessage: 'again' },
    });
  });

  it('tells its success to a destination', async () => {
    const OnSuccess = { Destination: world.queues.create('succeeded', {}, place).arn };
    await world.create('succeeds', 'export const handler = async ({ n }) => n + 1;');
    const DestinationConfig = { OnSuccess };
    await world.client.send(
      new PutFunctionEventInvokeConfigCommand({ FunctionName: 'succeeds', DestinationConfig }),
    );
    await event('succeeds', { n: 1 });
    await eventually(() => world.queues.byName('succeeded').size).toBe(1);
    const [record] = await world.queues.byName('succeeded').receive({ max: 1 });
    expect(JSON.parse(record?.message.body ?? '')).toMatchObject({
      requestContext: { condition: 'Success' },
      responsePayload: 2,
    });
  });
});

describe('versions and aliases', () => {
  it('keep a published version, and share calls between two by weight', async () => {
    const v1 = `export const handler = async () => 'v1';`;
    await world.create('aliased', v1);
    await world.client.send(new PublishVersionCommand({ FunctionName: 'aliased' }));
    const S3Key = world.bundle('aliased-v2', `export const handler = async () => 'v2';`);
    const code = { FunctionName: 'aliased', S3Bucket: 'hot-reload', S3Key };
    const second = await world.client.send(new UpdateFunctionCodeCommand({ ...code, Publish: true }));
    expect(second.Version).toBe('2');
    await world.client.send(
      new CreateAliasCommand({ FunctionName: 'aliased', Name: 'live', FunctionVersion: '1' }),
    );
    const sample = async (count: number) => {
      const seen = { v1: 0, v2: 0 };
      for (let n = 0; n < count; n++) {
        const { payload, version } = await world.invoke('aliased', undefined, { Qualifier: 'live' });
        expect(payload).toBe(`v${version}`);
        seen[payload as 'v1' | 'v2'] += 1;
      }
      return seen;
    };
    expect(await sample(5)).toEqual({ v1: 5, v2: 0 });
    const route = (weight?: number) =>
      world.client.send(
        new UpdateAliasCommand({
          FunctionName: 'aliased',
          Name: 'live',
          RoutingConfig: { AdditionalVersionWeights: weight === undefined ? {} : { '2': weight } },
        }),
      );
    expect((await route(0.3)).RoutingConfig).toEqual({ AdditionalVersionWeights: { '2': 0.3 } });
    const { v2 } = await sample(100);
    expect(v2).toBeGreaterThan(18);
    expect(v2).toBeLessThan(42);
    expect((await route()).RoutingConfig).toBeUndefined();
    expect(await sample(5)).toEqual({ v1: 5, v2: 0 });
    expect((await world.invoke('aliased:2')).payload).toBe('v2');
    const wrong = new UpdateAliasCommand({ FunctionName: 'aliased', Name: 'live', FunctionVersion: '9' });
    expect(await failureOf(world.client.send(wrong))).toBeInstanceOf(ResourceNotFoundException);
  });

  it('take a new configuration at the next call', async () => {
    await world.create('configured', 'export const handler = async () => process.env.STAGE ?? null;');
    expect((await world.invoke('configured')).payload).toBeNull();
    const Environment = { Variables: { STAGE: 'prod' } };
    await world.client.send(
      new UpdateFunctionConfigurationCommand({ FunctionName: 'configured', Environment, Timeout: 9 }),
    );
    expect((await world.invoke('configured')).payload).toBe('prod');
    const { Configuration } = await world.client.send(new GetFunctionCommand({ FunctionName: 'configured' }));
    expect(Configuration).toMatchObject({
      Timeout: 9,
      State: 'Active',
      LastUpdateStatus: 'Successful',
      Environment,
    });
  });
});

describe('a function', () => {
  it('is refused without a bundle on disk, twice under one name, or in another language', async () => {
    const create = (more: object) =>
      failureOf(
        world.client.send(
          new CreateFunctionCommand({
            FunctionName: 'refused',
            Runtime: 'nodejs24.x',
            Handler: 'index.handler',
            Role: 'r',
            Code: { S3Bucket: 'hot-reload', S3Key: '/nowhere/index.mjs' },
            ...more,
          }),
        ),
      );
    expect((await create({})).message).toContain('there is no bundle at /nowhere/index.mjs');
    expect((await create({ Code: { ZipFile: new Uint8Array(1) } })).message).toContain(
      'Code.ZipFile is not taken',
    );
    expect((await create({ Code: { S3Bucket: 'b', S3Key: 'k' } })).message).toContain(
      'Code.S3Bucket must be hot-reload',
    );
    expect((await create({ Runtime: 'python3.13' })).message).toContain('not python3.13');
    await world.create('twice', 'export const handler = async () => 1;');
    expect(await failureOf(world.create('twice', ''))).toBeInstanceOf(ResourceConflictException);
    const { Functions } = await world.client.send(new ListFunctionsCommand({}));
    expect(Functions?.map(({ FunctionName }) => FunctionName)).toContain('twice');
  });

  it('is made and called by awscli', async () => {
    const bundle = world.bundle('cli', 'export const handler = async (event) => ({ got: event });');
    const make = [
      '--function-name',
      'cli',
      '--runtime',
      'nodejs24.x',
      '--handler',
      'index.handler',
      '--role',
      'arn:aws:iam::0:role/r',
    ];
    await awsCliJson(
      world.endpoint.url,
      'lambda',
      'create-function',
      ...make,
      '--code',
      `S3Bucket=hot-reload,S3Key=${bundle}`,
    );
    const out = `${bundle}.out`;
    const args = ['--function-name', 'cli', '--payload', '{"a":1}', out];
    expect(await awsCliJson(world.endpoint.url, 'lambda', 'invoke', ...args)).toEqual({
      StatusCode: 200,
      ExecutedVersion: '$LATEST',
    });
    const { readFileSync } = await import('node:fs');
    expect(JSON.parse(readFileSync(out, 'utf8'))).toEqual({ got: { a: 1 } });
  });
});
