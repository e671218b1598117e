import { writeFileSync } from 'node:fs';
import {
  GetFunctionConcurrencyCommand,
  InvokeCommand,
  PutFunctionConcurrencyCommand,
  ResourceNotFoundException,
  TooManyRequestsException,
} from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from './eventually.ts';
import { type LambdaWorld, startLambdaWorld } from './lambdaWorld.ts';

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
        left: context.getRemainingTimeInMillis(), stage: process.env.STAGE, region: process.env.AWS_REGION,
        endpoint: process.env.AWS_ENDPOINT_URL, trace: process.env._X_AMZN_TRACE_ID,
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
      `let calls = 0;
       export const handler = async ({ hold }) => {
         calls += 1;
         if (hold) await new Promise(() => undefined);
         return { pid: process.pid, calls };
       };`,
      { Timeout: 60 },
    );
    const first = await world.invoke('warm', {});
    const second = await world.invoke('warm', {});
    expect(second.payload).toEqual({ ...first.payload, calls: 2 });
    const held = world.invoke('warm', { hold: true });
    await eventually(() => world.lambda.workers.busy('warm')).toBe(1);
    const beside = await world.invoke('warm', {});
    expect(beside.payload.calls).toBe(1);
    expect(beside.payload.pid).not.toBe(first.payload.pid);
    world.lambda.workers.kill('warm');
    expect((await held).error).toBe('Unhandled');
  });

  it('answers what the function throws, with the tail of its log', async () => {
    await world.create(
      'throws',
      `export const handler = async (event) => {
         console.log('before', { deep: true });
         process.stdout.write('raw line\\n');
         console.error('on stderr');
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
      `export const handler = async ({ wait }) =>
         wait ? new Promise((done) => setTimeout(done, 60_000)) : process.pid;`,
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
      'export const handler = async ({ hold }) => (hold ? new Promise(() => undefined) : 1);',
      { Timeout: 60 },
    );
    await world.client.send(
      new PutFunctionConcurrencyCommand({ FunctionName: 'reserved', ReservedConcurrentExecutions: 1 }),
    );
    const shown = await world.client.send(new GetFunctionConcurrencyCommand({ FunctionName: 'reserved' }));
    expect(shown.ReservedConcurrentExecutions).toBe(1);
    const running = world.invoke('reserved', { hold: true });
    await eventually(() => world.lambda.workers.busy('reserved')).toBe(1);
    const refused = await failureOf(world.invoke('reserved', {}));
    expect(refused).toBeInstanceOf(TooManyRequestsException);
    expect(refused.Reason).toBe('ReservedFunctionConcurrentInvocationLimitExceeded');
    world.lambda.workers.kill('reserved');
    await running;
    expect((await world.invoke('reserved', {})).payload).toBe(1);
  });

  it('can be killed in its midst, by name or by a fault at its own call to the cloud', async () => {
    await world.create(
      'waits',
      'export const handler = async () => new Promise(() => setInterval(() => 1, 1000));',
      { Timeout: 60 },
    );
    const waiting = world.invoke('waits');
    await eventually(() => world.lambda.workers.busy('waits')).toBe(1);
    world.lambda.workers.kill('waits');
    expect((await waiting).payload.errorType).toBe('Runtime.ExitError');
    await world.create(
      'calls',
      `export const handler = async () => {
         const who = async () => (await fetch(process.env.AWS_ENDPOINT_URL, {
           method: 'POST',
           headers: {
             'content-type': 'application/x-www-form-urlencoded',
             authorization:
               'AWS4-HMAC-SHA256 Credential=' + process.env.AWS_ACCESS_KEY_ID + '/1/x/sts/aws4_request',
           },
           body: 'Action=GetCallerIdentity&Version=2011-06-15',
         })).status;
         return [await who(), await who()];
       };`,
    );
    expect((await world.invoke('calls')).payload).toEqual([200, 200]);
    const take = world.endpoint.faults.add({
      service: 'sts',
      caller: 'fn-calls-',
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
