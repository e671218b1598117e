import { GetParameterCommand, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../lib/asl/clock.ts';
import { type Endpoint, type RequestEntry, startEndpoint } from '../../../lib/local/endpoint.ts';
import { type Fault, Faults } from '../../../lib/local/faults.ts';
import { Parameters } from '../../../lib/local/ssm/parameters.ts';
import { ssmService } from '../../../lib/local/ssm/ssmService.ts';
import { eventually } from './eventually.ts';

let clock: VirtualClock;
let parameters: Parameters;
let endpoint: Endpoint;
let killed: string[];
let log: RequestEntry[];
beforeEach(async () => {
  clock = new VirtualClock();
  parameters = new Parameters(clock);
  killed = [];
  log = [];
  endpoint = await startEndpoint({
    services: [ssmService(parameters)],
    clock,
    killCaller: (key) => killed.push(key),
    onRequest: (entry) => log.push(entry),
  });
});
afterEach(() => endpoint.close());

const client = (maxAttempts = 1) =>
  new SSMClient({ endpoint: endpoint.url, region: 'eu-west-1', maxAttempts });
const put = (Name: string, options: { abortSignal?: AbortSignal } = {}, attempts = 1) =>
  client(attempts).send(
    new PutParameterCommand({ Name, Value: 'x', Type: 'String', Overwrite: true }),
    options,
  );
const outcome = (promise: Promise<unknown>) =>
  promise.then(
    () => 'ok',
    (error) => error,
  );
const strike = (fault: Fault) =>
  endpoint.faults.add({ service: 'ssm', operation: 'PutParameter', nth: 1, fault });
/** The log is written after the caller has its answer. */
const logged = async (count: number) => {
  await eventually(() => log.length).toBe(count);
  return log[count - 1];
};

describe('each kind of fault', () => {
  it('throttles in the way the client knows, and applies nothing', async () => {
    strike({ kind: 'throttle' });
    expect((await outcome(put('/a'))).name).toBe('ThrottlingException');
    expect(parameters.find('/a')).toBeNull();
    expect(await logged(1)).toMatchObject({
      status: 400,
      errorCode: 'ThrottlingException',
      fault: 'throttle',
    });
  });

  it('is retried by the SDK after throttling, as on AWS', async () => {
    strike({ kind: 'throttle' });
    expect(await outcome(put('/a', {}, 3))).toBe('ok');
    expect(parameters.find('/a')?.version).toBe(1);
  });

  it('answers a 503', async () => {
    strike({ kind: 'error', status: 503 });
    expect((await outcome(put('/a'))).$metadata.httpStatusCode).toBe(503);
    expect(parameters.find('/a')).toBeNull();
  });

  it('resets the connection', async () => {
    strike({ kind: 'reset' });
    expect((await outcome(put('/a'))).code).toBe('ECONNRESET');
    expect(parameters.find('/a')).toBeNull();
    expect(await logged(1)).toMatchObject({ status: 0, fault: 'reset' });
  });

  it('breaks an answer off in its middle after the operation was applied', async () => {
    strike({ kind: 'half' });
    expect(await outcome(put('/a'))).toBeInstanceOf(Error);
    expect(parameters.find('/a')?.version).toBe(1);
  });

  it('answers an error after the operation was applied', async () => {
    strike({ kind: 'applied' });
    expect((await outcome(put('/a'))).$metadata.httpStatusCode).toBe(500);
    expect(parameters.find('/a')?.version).toBe(1);
    endpoint.faults.clear();
    strike({ kind: 'applied', answer: 'reset' });
    expect((await outcome(put('/b'))).code).toBe('ECONNRESET');
    expect(parameters.find('/b')?.version).toBe(1);
  });

  it('answers slowly, on the clock', async () => {
    strike({ kind: 'slow', ms: 30_000 });
    let answered = false;
    const answer = put('/a').then(() => {
      answered = true;
    });
    await eventually(() => clock.nextAt).toBe(clock.now() + 30_000);
    expect(answered).toBe(false);
    await clock.advance(30_000);
    await answer;
    expect(parameters.find('/a')?.version).toBe(1);
  });

  it('applies late what it answered with an error', async () => {
    strike({ kind: 'late', ms: 5_000 });
    expect((await outcome(put('/a'))).$metadata.httpStatusCode).toBe(500);
    expect(parameters.find('/a')).toBeNull();
    await clock.advance(5_000);
    expect(parameters.find('/a')?.version).toBe(1);
  });

  it('applies late what it never answered', async () => {
    strike({ kind: 'late', ms: 5_000, answer: 'silence' });
    const patience = new AbortController();
    const waiting = outcome(put('/a', { abortSignal: patience.signal }));
    await eventually(() => clock.nextAt).not.toBeNull();
    patience.abort();
    expect((await waiting).name).toBe('AbortError');
    await clock.advance(5_000);
    expect(parameters.find('/a')?.version).toBe(1);
    expect(await logged(1)).toMatchObject({ status: 0, fault: 'late' });
  });

  it('ends the caller before or after its call is applied', async () => {
    strike({ kind: 'kill' });
    await outcome(put('/a'));
    expect(killed).toEqual(['test']);
    expect(parameters.find('/a')).toBeNull();
    endpoint.faults.clear();
    strike({ kind: 'kill', when: 'after' });
    await outcome(put('/b'));
    expect(parameters.find('/b')?.version).toBe(1);
  });
});

describe('rules', () => {
  const call = (operation: string, input = {}, caller = 'AKID') => ({
    service: 'ssm',
    operation,
    input,
    caller,
  });

  it('strike the nth of the calls they match', () => {
    const faults = new Faults();
    faults.add({ operation: 'A', nth: [2, 4], fault: { kind: 'reset' } });
    const struck = ['A', 'B', 'A', 'A', 'A', 'A'].map((operation) => faults.strike(call(operation)) !== null);
    expect(struck).toEqual([false, false, true, false, true, false]);
  });

  it('match on the input, as a part of it or by a predicate', () => {
    const faults = new Faults();
    faults.add({ input: { a: { b: 1 } }, fault: { kind: 'reset' } });
    faults.add({ input: ({ weight }) => Number(weight) > 50, fault: { kind: 'half' } });
    expect(faults.strike(call('A', { a: { b: 1, c: 2 } }))).toEqual({ kind: 'reset' });
    expect(faults.strike(call('A', { a: { b: 2 } }))).toBeNull();
    expect(faults.strike(call('A', { weight: 60 }))).toEqual({ kind: 'half' });
  });

  it('match on the caller, retire after so many strikes, and can be taken back', () => {
    const faults = new Faults();
    const take = faults.add({ caller: 'fn-', times: 2, fault: { kind: 'reset' } });
    const strikes = () => faults.strike(call('A', {}, 'fn-1')) !== null;
    expect(faults.strike(call('A', {}, 'other'))).toBeNull();
    expect([strikes(), strikes(), strikes()]).toEqual([true, true, false]);
    expect(faults.strikes).toHaveLength(2);
    take();
    expect(faults.rules).toEqual([]);
  });

  it('strike by chance the same calls for the same seed', () => {
    const run = (seed: number) => {
      const faults = new Faults(seed);
      faults.add({ probability: 0.3, fault: { kind: 'reset' } });
      return Array.from({ length: 200 }, () => (faults.strike(call('A')) === null ? '.' : 'x')).join('');
    };
    expect(run(5)).toBe(run(5));
    expect(run(5)).not.toBe(run(6));
    expect(run(5).split('x').length - 1).toBeGreaterThan(40);
    expect(run(5).split('x').length - 1).toBeLessThan(80);
  });

  it('are set, shown and removed over HTTP', async () => {
    const faults = (method: string, body?: unknown) =>
      fetch(`${endpoint.url}/_local/faults`, {
        method,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    const rules = [{ service: 'ssm', operation: 'GetParameter', fault: { kind: 'error', status: 500 } }];
    expect(await (await faults('PUT', rules)).json()).toEqual({ rules, strikes: 0 });
    await put('/a');
    expect(
      (await outcome(client().send(new GetParameterCommand({ Name: '/a' })))).$metadata.httpStatusCode,
    ).toBe(500);
    expect(await (await faults('GET')).json()).toEqual({ rules, strikes: 1 });
    await faults('DELETE');
    expect(await outcome(client().send(new GetParameterCommand({ Name: '/a' })))).toBe('ok');
    const wrong = await faults('PUT', [{ fault: { kind: 'earthquake' } }]);
    expect(wrong.status).toBe(400);
    expect(await wrong.json()).toEqual({
      message:
        'rule 0 needs a fault whose kind is one of throttle, error, reset, slow, half, applied, late, kill',
    });
  });
});
