/** Who may ask: signed queries for Amazon Managed Prometheus, and a token by reference for others. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../lib/asl/clock.ts';
import { authorization } from '../../../lib/aws/lean/signer.ts';
import { type PrometheusPlace, queryRange } from '../../../lib/aws/prometheus/queryRange.ts';
import { startEndpoint } from '../../../lib/local/endpoint.ts';
import { Parameters } from '../../../lib/local/ssm/parameters.ts';
import { ssmService } from '../../../lib/local/ssm/ssmService.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const key = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
const environment = {
  AWS_ACCESS_KEY_ID: key.accessKeyId,
  AWS_SECRET_ACCESS_KEY: key.secretAccessKey,
  AWS_SESSION_TOKEN: 'FwoGZXIvYXdzEBY=',
  AWS_REGION: 'eu-west-1',
};
const success = { status: 'success', data: { resultType: 'matrix', result: [] } };
const steps = { fromMs: 0, toMs: 60_000, stepMs: 60_000 };

/** Answers as told, and keeps what it was asked. */
async function serverThat(
  answer: (request: IncomingMessage, body: string) => [status: number, body: string],
) {
  const seen: { readonly path: string; readonly body: string; readonly authorization: string }[] = [];
  const server = createServer(async (request, response) => {
    const body = await text(request);
    seen.push({ path: request.url ?? '', body, authorization: request.headers.authorization ?? '' });
    const [status, said] = answer(request, body);
    response.writeHead(status, status === 302 ? { location: 'http://127.0.0.1:1/' } : {}).end(said);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => new Promise((resolve) => server.close(resolve)));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

/** What Amazon Managed Prometheus does: recomputes the signature from what has arrived. */
function checkSignature(request: IncomingMessage, body: string): [status: number, body: string] {
  const { headers, url = '', method = '' } = request;
  const given = headers.authorization ?? '';
  const names = /SignedHeaders=([^,]+)/.exec(given)?.[1]?.split(';') ?? [];
  const signable = {
    method,
    path: url,
    query: [],
    headers: names.map((name) => [name, String(headers[name])] as const),
    bodyHash: createHash('sha256').update(body).digest('hex'),
  };
  const date = String(headers['x-amz-date']);
  const scope = { region: 'eu-west-1', service: 'aps' };
  const right = authorization(signable, date, scope, { ...key, sessionToken: null, expiresAtMs: null });
  const needed = ['host', 'x-amz-date', 'x-amz-security-token'].every((name) => names.includes(name));
  return given === right && needed ? [200, JSON.stringify(success)] : [403, '{"message":"Forbidden"}'];
}

describe('a query to Amazon Managed Prometheus', () => {
  it('is signed: address, body, date and session', async () => {
    const { url, seen } = await serverThat(checkSignature);
    const place = { url: `${url}/workspaces/ws-1/`, region: 'eu-west-1', environment };
    expect(await queryRange(place, 'sum(a{b="c d"})', steps)).toEqual([]);
    expect(seen).toHaveLength(1);
    expect(seen[0]?.path).toBe('/workspaces/ws-1/api/v1/query_range');
    expect(Object.fromEntries(new URLSearchParams(seen[0]?.body))).toMatchObject({
      query: 'sum(a{b="c d"})',
      start: '0',
      end: '60',
      step: '60',
    });
  });

  it('with other keys is refused, which another try does not change', async () => {
    const { url } = await serverThat(checkSignature);
    const other = { ...environment, AWS_SECRET_ACCESS_KEY: 'another' };
    await expect(
      queryRange({ url, region: 'eu-west-1', environment: other }, 'up{}', steps),
    ).rejects.toMatchObject({
      name: 'TargetMissing',
      message: expect.stringContaining('answered 403'),
    });
  });

  it('without keys is not sent', async () => {
    const { url, seen } = await serverThat(checkSignature);
    await expect(queryRange({ url, region: 'eu-west-1', environment: {} }, 'up{}', steps)).rejects.toThrow(
      'there are no AWS credentials in the environment',
    );
    expect(seen).toEqual([]);
  });
});

/** Parameter Store of the local cloud with one secret in it. */
async function parameterStore(name: string, value: string) {
  const clock = new VirtualClock(0);
  const parameters = new Parameters(clock);
  parameters.put({ name, value, type: 'SecureString', overwrite: false, tier: 'Standard' });
  const { url, close } = await startEndpoint({ services: [ssmService(parameters)], clock });
  closers.push(close);
  return { ...environment, AWS_ENDPOINT_URL: url };
}

describe('a bearer token', () => {
  const guarded = (token: string) =>
    serverThat(({ headers }) =>
      headers.authorization === `Bearer ${token}` ? [200, JSON.stringify(success)] : [401, 'who are you?'],
    );

  it('is read from Parameter Store by its name and kept for a while', async () => {
    const { url, seen } = await guarded('s3cret');
    const place: PrometheusPlace = {
      url,
      bearerTokenParameter: '/switchback/prometheus-a',
      environment: await parameterStore('/switchback/prometheus-a', 's3cret'),
    };
    await queryRange(place, 'up{}', steps);
    await closers.pop()?.(); // Parameter Store is gone
    await queryRange(place, 'up{}', steps);
    expect(seen.map(({ authorization: sent }) => sent)).toEqual(['Bearer s3cret', 'Bearer s3cret']);
  });

  it('that cannot be read names its parameter and is never sent', async () => {
    const { url, seen } = await guarded('s3cret');
    const place = {
      url,
      bearerTokenParameter: '/switchback/prometheus-b',
      environment: await parameterStore('/switchback/another', 's3cret'),
    };
    await expect(queryRange(place, 'up{}', steps)).rejects.toMatchObject({
      name: 'WorldUnavailable',
      message: expect.stringContaining('parameter /switchback/prometheus-b cannot be read'),
    });
    expect(seen).toEqual([]);
  });

  it('that no header can hold is refused without being shown', async () => {
    const { url, seen } = await guarded('s3cret');
    const name = '/switchback/prometheus-d';
    const place = { url, bearerTokenParameter: name, environment: await parameterStore(name, 's3\ncret') };
    const failure: Error = await queryRange(place, 'up{}', steps).then(
      () => expect.unreachable(),
      (error) => error,
    );
    expect(failure.message).toContain(`parameter ${name} cannot be read: its value is no token`);
    expect(`${failure.message} ${failure.stack} ${failure.cause}`).not.toContain('cret');
    expect(seen).toEqual([]);
  });

  it('stands in no message, and goes to no other place that an answer points to', async () => {
    const { url } = await serverThat(() => [302, '']);
    const place = {
      url,
      bearerTokenParameter: '/switchback/prometheus-c',
      environment: await parameterStore('/switchback/prometheus-c', 's3cret'),
    };
    const failure: Error = await queryRange(place, 'up{}', steps).then(
      () => expect.unreachable(),
      (error) => error,
    );
    expect(failure.name).toBe('WorldUnavailable');
    expect(`${failure.message} ${failure.stack}`).not.toContain('s3cret');
  });
});

describe('an answer that is none of Prometheus’s', () => {
  it.each([
    ['a proxy’s page', 200, '<html>welcome</html>', 'WorldUnavailable', 'answered no JSON'],
    [
      'another type',
      200,
      '{"status":"success","data":{"resultType":"vector","result":[]}}',
      'WorldUnavailable',
      'answered no range of values',
    ],
    ['too many requests', 429, 'slow down', 'WorldUnavailable', 'answered 429: slow down'],
    [
      'an overload',
      503,
      '{"status":"error","error":"too busy"}',
      'WorldUnavailable',
      'answered 503: too busy',
    ],
    ['a wrong address', 404, 'page not found', 'TargetMissing', 'answered 404: page not found'],
  ])('%s is an outage with what was said', async (_, status, body, name, says) => {
    const { url } = await serverThat(() => [status, body]);
    await expect(queryRange({ url, environment: {} }, 'up{}', steps)).rejects.toMatchObject({
      name,
      message: expect.stringContaining(says),
    });
  });

  it('values that are no numbers are left out', async () => {
    const result = [
      {
        metric: {},
        values: [
          [0, 'NaN'],
          [60, '3'],
        ],
      },
    ];
    const { url } = await serverThat(() => [
      200,
      JSON.stringify({ status: 'success', data: { resultType: 'matrix', result } }),
    ]);
    const [found] = await queryRange({ url, environment: {} }, 'up{}', steps);
    expect([...(found?.values ?? [])]).toEqual([[60_000, 3]]);
  });
});
