import { writeFileSync } from 'node:fs';
import {
  CreateAliasCommand,
  CreateFunctionCommand,
  GetFunctionCommand,
  GetFunctionConcurrencyCommand,
  InvokeCommand,
  ListFunctionsCommand,
  PublishVersionCommand,
  PutFunctionConcurrencyCommand,
  PutFunctionEventInvokeConfigCommand,
  ResourceConflictException,
  ResourceNotFoundException,
  TooManyRequestsException,
  UpdateAliasCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { awsCliJson } from './awsCli.ts';
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

describe('a synchronous call', () => {
  it('runs the bundle with the context and environment of Lambda', async () => {
    await world.create(
      'echo',
      `export const handler = async (event, context) => ({
        event, name: context.functionName, version: context.functionVersion, arn: context.invokedFunctionArn,
        left: context.getRemainingTimeInMillis(), stage: process.env.STAGE, task: process.env.LAMBDA_TASK_ROOT,
        endpoint: process.env.AWS_ENDPOINT_URL, region: process.env.AWS_REGION, trace: process.env._X_AMZN_TRACE_ID,
        parent: process.env.VITEST ?? null, handlerName: process.env._HANDLER,
      });`,
      { Environment: { Variables: { STAGE: 'dev' } }, Timeout: 5 },
    );
    const { payload, error, version } = await world.invoke('echo', { a: [1, 'ü'] });
    expect(error).toBeUndefined();
    expect(version).toBe('$LATEST');
    expect(payload).toMatchObject({
      event: { a: [1, 'ü'] },
      name: 'echo',
      version: '$LATEST',
      arn: 'arn:aws:lambda:eu-west-1:000000000000:function:echo',
      stage: 'dev',
      endpoint: world.endpoint.url,
      region: 'eu-west-1',
      parent: null,
      handlerName: 'index.handler',
    });
    expect(payload.left).toBeGreaterThan(4_000);
    expect(payload.trace).toMatch(/^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0$/);
  });

  it('keeps its process warm, and one request at a time in it', async () => {
    await world.create(
      'warm',
      `let calls = 0; let running = 0;
       export const handler = async () => {
         running += 1; calls += 1;
         await new Promise((resolve) => setTimeout(resolve, 50));
         const together = running; running -= 1;
         return { pid: process.pid, calls, together };
       };`,
    );
    const first = await world.invoke('warm');
    const second = await world.invoke('warm');
    expect(second.payload).toEqual({ ...first.payload, calls: 2 });
    const [a, b] = await Promise.all([world.invoke('warm'), world.invoke('warm')]);
    expect(a.payload.pid).not.toBe(b.payload.pid);
    expect([a.payload.together, b.payload.together]).toEqual([1, 1]);
  });

  it('answers what the function throws, with the tail of its log', async () => {
    await world.create(
      'throws',
      `export const handler = async (event) => {
         console.log('before', { deep: true }); process.stdout.write('raw line\\n'); console.error('on stderr');
         throw Object.assign(new TypeError('no such service'), { name: 'UnknownService' });
       };`,
    );
    const { payload, error, log } = await world.invoke('throws');
    expect(error).toBe('Unhandled');
    expect(payload).toMatchObject({ errorType: 'UnknownService', errorMessage: 'no such service' });
    expect(payload.trace[0]).toContain('no such service');
    expect(log).toMatch(/^START RequestId: [\w-]+ Version: \$LATEST\n/);
    expect(log).toMatch(/\tINFO\tbefore \{ deep: true \}\nraw line\n/);
    expect(log).toMatch(/\tERROR\ton stderr\n/);
    expect(log).toMatch(/END RequestId: [\w-]+\nREPORT RequestId: [\w-]+\tDuration: [\d.]+ ms/);
    const lines = world.lambda.logs.of('throws').filter(({ requestId }) => requestId === '');
    expect(lines).toEqual([]);
  });

  it('is ended at its timeout, and the next call has a fresh process', async () => {
    await world.create(
      'slow',
      'export const handler = async (event) => event.wait ? new Promise((done) => setTimeout(done, 60_000)) : process.pid;',
      { Timeout: 1 },
    );
    const { payload: pid } = await world.invoke('slow', {});
    const { payload, error } = await world.invoke('slow', { wait: true });
    expect(error).toBe('Unhandled');
    expect(payload.errorType).toBe('Sandbox.Timedout');
    expect(payload.errorMessage).toMatch(/^RequestId: [\w-]+ Error: Task timed out after 1.00 seconds$/);
    expect((await world.invoke('slow', {})).payload).not.toBe(pid);
  });

  it('tells how a process ended that did not answer', async () => {
    await world.create(
      'ends',
      `export const handler = async ({ how }) => {
         if (how === 'exit') process.exit(3);
         if (how === 'kill') process.kill(process.pid, 'SIGKILL');
         if (how === 'uncaught') setTimeout(() => { throw new RangeError('out of nowhere'); });
         if (how === 'unhandled') Promise.reject(new Error('nobody looked'));
         return new Promise(() => undefined);
       };`,
    );
    const ended = async (how: string) => (await world.invoke('ends', { how })).payload;
    expect(await ended('exit')).toMatchObject({
      errorType: 'Runtime.ExitError',
      errorMessage: expect.stringContaining('exit status 3'),
    });
    expect(await ended('kill')).toMatchObject({
      errorType: 'Runtime.ExitError',
      errorMessage: expect.stringContaining('signal: killed'),
    });
    expect(await ended('uncaught')).toMatchObject({
      errorType: 'RangeError',
      errorMessage: 'out of nowhere',
    });
    expect(await ended('unhandled')).toMatchObject({
      errorType: 'Runtime.UnhandledPromiseRejection',
      errorMessage: 'nobody looked',
    });
  });

  it('tells why a bundle does not load', async () => {
    await world.create('no-export', 'export const other = 1;');
    await world.create('no-import', `import 'not-there'; export const handler = () => 1;`);
    await world.create('no-syntax', 'export const handler = (');
    const type = async (name: string) => (await world.invoke(name)).payload.errorType;
    expect(await type('no-export')).toBe('Runtime.HandlerNotFound');
    expect(await type('no-import')).toBe('Runtime.ImportModuleError');
    expect(await type('no-syntax')).toBe('Runtime.UserCodeSyntaxError');
  });

  it('refuses what is no JSON, what is too large and what does not exist', async () => {
    await world.create('one', 'export const handler = async () => 1;');
    const invoke = (FunctionName: string, Payload: string) =>
      failureOf(world.client.send(new InvokeCommand({ FunctionName, Payload })));
    expect((await invoke('one', '{')).name).toBe('InvalidRequestContentException');
    expect((await invoke('one', JSON.stringify('x'.repeat(6_291_556)))).name).toBe(
      'RequestTooLargeException',
    );
    expect(await invoke('none', '{}')).toBeInstanceOf(ResourceNotFoundException);
    const dry = await world.client.send(new InvokeCommand({ FunctionName: 'one', InvocationType: 'DryRun' }));
    expect(dry.StatusCode).toBe(204);
  });

  it('is refused above the reserved concurrency', async () => {
    await world.create(
      'reserved',
      `export const handler = async () => new Promise((done) => setTimeout(done, 150));`,
    );
    await world.client.send(
      new PutFunctionConcurrencyCommand({ FunctionName: 'reserved', ReservedConcurrentExecutions: 1 }),
    );
    const shown = await world.client.send(new GetFunctionConcurrencyCommand({ FunctionName: 'reserved' }));
    expect(shown.ReservedConcurrentExecutions).toBe(1);
    const running = world.invoke('reserved');
    await expect.poll(() => world.lambda.workers.busy('reserved')).toBe(1);
    const refused = await failureOf(world.invoke('reserved'));
    expect(refused).toBeInstanceOf(TooManyRequestsException);
    expect(refused.Reason).toBe('ReservedFunctionConcurrentInvocationLimitExceeded');
    await running;
    await world.invoke('reserved');
  });

  it('can be killed in its midst, by name or by a fault at its own call to the cloud', async () => {
    await world.create(
      'waits',
      'export const handler = async () => new Promise(() => setInterval(() => 1, 1000));',
      { Timeout: 60 },
    );
    const waiting = world.invoke('waits');
    await expect.poll(() => world.lambda.workers.busy('waits')).toBe(1);
    world.lambda.workers.kill('waits');
    expect((await waiting).payload.errorType).toBe('Runtime.ExitError');
    await world.create(
      'calls',
      `export const handler = async () => {
         const who = async () => (await fetch(process.env.AWS_ENDPOINT_URL, {
           method: 'POST',
           headers: {
             'content-type': 'application/x-www-form-urlencoded',
             authorization: 'AWS4-HMAC-SHA256 Credential=' + process.env.AWS_ACCESS_KEY_ID + '/20260101/eu-west-1/sts/aws4_request',
           },
           body: 'Action=GetCallerIdentity&Version=2011-06-15',
         })).status;
         return [await who(), await who()];
       };`,
    );
    expect((await world.invoke('calls')).payload).toEqual([200, 200]);
    const take = world.endpoint.faults.add({
      service: 'sts',
      caller: 'FN',
      nth: 2,
      fault: { kind: 'kill', when: 'after' },
    });
    expect((await world.invoke('calls')).payload.errorType).toBe('Runtime.ExitError');
    take();
    expect((await world.invoke('calls')).payload).toEqual([200, 200]);
  });

  it('runs new bytes when the bundle was built again', async () => {
    await world.create('rebuilt', 'export const handler = async () => "old";');
    expect((await world.invoke('rebuilt')).payload).toBe('old');
    writeFileSync(world.bundle('rebuilt', ''), 'export const handler = async () => "brand new";');
    expect((await world.invoke('rebuilt')).payload).toBe('brand new');
  });
});

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
    await expect.poll(() => ended('fails')).toBe(1);
    await expect.poll(() => world.clock.nextAt).toBe(world.clock.now() + 60_000);
    await world.clock.advance(60_000);
    await expect.poll(() => ended('fails')).toBe(2);
    await expect.poll(() => world.clock.nextAt).toBe(world.clock.now() + 120_000);
    await world.clock.advance(120_000);
    await expect.poll(() => world.queues.byName('dead').size).toBe(1);
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
    await expect.poll(() => world.queues.byName('succeeded').size).toBe(1);
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
