import { createServer, type Server, type Socket } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { realClock, VirtualClock } from '../../../lib/asl/clock.ts';
import { AwsClient, type Operation } from '../../../lib/aws/lean/awsClient.ts';
import { ConnectionLost, Connections } from '../../../lib/aws/lean/connections.ts';
import { CredentialKeeper, credentialSource } from '../../../lib/aws/lean/credentials.ts';
import { AnswerReader, headerOf, MalformedAnswer } from '../../../lib/aws/lean/httpAnswer.ts';
import type { Credentials } from '../../../lib/aws/lean/signer.ts';
import { certificate } from './certificate.ts';
import { eventually } from './natsServer.ts';
import { CREDENTIALS, REGION, StrictSink } from './strictSink.ts';

const PUT: Operation = {
  service: 'events',
  contentType: 'application/x-amz-json-1.1',
  target: 'AWSEvents.PutEvents',
};
const BODY = JSON.stringify({
  Entries: [{ EventBusName: 'b', Source: 's', DetailType: 'T', Detail: '{"text":"grün"}' }],
});
const keeper = (source: () => Promise<Credentials> = async () => CREDENTIALS) =>
  new CredentialKeeper(source, realClock);
const client = (endpoint: string, k = keeper(), more = {}) =>
  new AwsClient({ region: REGION, endpoint, timeoutMs: 2_000, ...more }, k, realClock);

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function sink(...options: Parameters<typeof StrictSink.start>): Promise<StrictSink> {
  const started = await StrictSink.start(...options);
  closing.push(() => started.down());
  return started;
}

describe('an answer is read', () => {
  const plain =
    'HTTP/1.1 200 OK\r\nContent-Type: x\r\nDate: Fri, 02 Jan 2026 00:00:00 GMT\r\n' +
    'Content-Length: 6\r\n\r\ngrün!';
  const chunked =
    'HTTP/1.1 400 Bad\r\nTransfer-Encoding: chunked\r\n\r\n' +
    '3\r\ngr\u00c3\r\n3;ext=1\r\n\u00bcn!\r\n0\r\nTrailer: x\r\n\r\n';

  it.each([
    ['with a length', Buffer.from(plain), 200],
    ['in chunks that cut a character', Buffer.from(chunked, 'latin1'), 400],
    [
      'after 100 Continue',
      Buffer.concat([Buffer.from('HTTP/1.1 100 Continue\r\n\r\n'), Buffer.from(plain)]),
      200,
    ],
  ])('%s, however the bytes are cut', (_, bytes, status) => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: bytes.length - 1 }), { maxLength: 6 }), (cuts) => {
        const reader = new AnswerReader();
        const at = [0, ...[...new Set(cuts)].sort((a, b) => a - b), bytes.length];
        const answers = at.slice(1).map((end, i) => reader.push(bytes.subarray(at[i], end)));
        expect(answers.slice(0, -1).every((answer) => answer === null)).toBe(true);
        expect(answers.at(-1)).toMatchObject({ status, body: 'grün!', reusable: true });
      }),
    );
  });

  it('twice on one connection', () => {
    const reader = new AnswerReader();
    expect(reader.push(Buffer.from(plain))?.body).toBe('grün!');
    expect(headerOf(reader.push(Buffer.from(plain)) as never, 'date')).toBe('fri, 02 jan 2026 00:00:00 gmt');
  });

  it('to the end of the connection when it has no length, and then the connection is not used again', () => {
    const reader = new AnswerReader();
    expect(reader.push(Buffer.from('HTTP/1.1 200 OK\r\n\r\nsome'))).toBeNull();
    expect(reader.end()).toMatchObject({ body: 'some', reusable: false });
  });

  it('as not reusable when more bytes follow or the peer says so', () => {
    expect(new AnswerReader().push(Buffer.from(`${plain}x`))).toMatchObject({
      body: 'grün!',
      reusable: false,
    });
    const close = plain.replace('Content-Type: x', 'Connection: close');
    expect(new AnswerReader().push(Buffer.from(close))).toMatchObject({ reusable: false });
  });

  it.each(['SSH-2.0-x\r\n\r\n', 'HTTP/1.1 999 X\r\n\r\n', 'HTTP/1.1 200 OK\r\nContent-Length: -4\r\n\r\n'])(
    'as no answer at all when it is none: %j',
    (text) => {
      expect(() => new AnswerReader().push(Buffer.from(text))).toThrow(MalformedAnswer);
    },
  );
});

describe('connections', () => {
  type Serve = (socket: Socket, request: number) => void;
  let requests = 0;
  let accepted = 0;

  async function peer(serve: Serve): Promise<Connections> {
    requests = 0;
    accepted = 0;
    const server: Server = createServer((socket) => {
      accepted++;
      socket.on('error', () => undefined);
      socket.on('data', () => serve(socket, ++requests));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const connections = new Connections({ host: '127.0.0.1', port, tls: false }, { timeoutMs: 400 });
    closing.push(() => {
      connections.close();
      server.close();
    });
    return connections;
  }
  const ok = (socket: Socket) => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  const ask = (connections: Connections) => connections.request('POST / HTTP/1.1\r\n\r\n', Buffer.from('x'));

  it('are used again and again, and as many as there are requests at once', async () => {
    const connections = await peer(ok);
    for (let i = 0; i < 5; i++) expect((await ask(connections)).body).toBe('ok');
    expect(accepted).toBe(1);
    await Promise.all([ask(connections), ask(connections), ask(connections)]);
    expect(accepted).toBe(3);
    expect(connections.counts).toEqual({ busy: 0, idle: 3 });
  });

  it.each<[string, Serve, RegExp]>([
    ['closed without an answer', (socket) => socket.destroy(), /closed|ECONNRESET/],
    [
      'ended in half an answer',
      (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhal'),
      /broke off/,
    ],
    ['silent', () => {}, /no answer within/],
    ['speaking something else', (socket) => socket.write('nonsense\r\n\r\n'), /not an HTTP answer/],
  ])('reject the request when the peer is %s, and recover', async (_, misbehave, why) => {
    const connections = await peer((socket, request) =>
      request === 1 ? misbehave(socket, request) : ok(socket),
    );
    await expect(ask(connections)).rejects.toThrow(why);
    expect((await ask(connections)).body).toBe('ok');
    expect(connections.counts.busy).toBe(0);
  });

  it('tell a connection that was closed while idle from one that broke in use', async () => {
    const connections = await peer((socket, request) => {
      if (request === 1) ok(socket);
      else socket.destroy();
    });
    await ask(connections);
    await expect(ask(connections)).rejects.toMatchObject({ name: 'ConnectionLost', stale: true });
    await expect(ask(connections)).rejects.toMatchObject({ stale: false });
  });

  it('that get bytes nobody asked for are thrown away', async () => {
    const connections = await peer((socket) => {
      ok(socket);
      setImmediate(() => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil'));
    });
    await ask(connections);
    await eventually(() => connections.counts.idle === 0, 'the connection is thrown away');
    expect((await ask(connections)).body).toBe('ok');
  });

  it('reject everything once closed', async () => {
    const connections = await peer(() => {});
    const open = ask(connections);
    connections.close();
    await expect(open).rejects.toThrow(ConnectionLost);
    await expect(ask(connections)).rejects.toThrow('closed');
  });
});

describe('a call', () => {
  it('works over TLS, trusting only the authority it was given', async () => {
    const tls = certificate();
    const secure = await sink({ tls });
    const trusting = client(secure.url, keeper(), { ca: tls.cert });
    for (let i = 0; i < 3; i++) expect(await trusting.call(PUT, BODY)).toMatchObject({ ok: true });
    const distrusting = client(secure.url);
    expect(await distrusting.call(PUT, BODY)).toMatchObject({
      ok: false,
      status: 0,
      message: expect.stringContaining('self-signed'),
    });
    trusting.close();
    distrusting.close();
  });

  it.each([-20, 20])('puts the clock right by the service when it is %d minutes off', async (minutes) => {
    const ahead = await sink({ aheadMs: minutes * 60_000 });
    const calling = client(ahead.url);
    expect(await calling.call(PUT, BODY)).toMatchObject({ ok: true });
    expect(Math.abs(calling.skewMs - minutes * 60_000)).toBeLessThan(2_000);
    expect(ahead.operations.get('PutEvents')).toBe(2);
    expect(await calling.call(PUT, BODY)).toMatchObject({ ok: true });
    expect(ahead.operations.get('PutEvents')).toBe(3);
    calling.close();
  });

  it('fetches new credentials when AWS calls them expired, once', async () => {
    const strict = await sink();
    let fetched = 0;
    const calling = client(
      strict.url,
      keeper(async () => ({ ...CREDENTIALS, expiresAtMs: ++fetched * 0 + Date.now() + 3_600_000 })),
    );
    await calling.call(PUT, BODY);
    strict.fault = ({ number }) =>
      number === 2 ? { kind: 'status', status: 400, code: 'ExpiredTokenException' } : null;
    expect(await calling.call(PUT, BODY)).toMatchObject({ ok: true });
    expect(fetched).toBe(2);
    strict.fault = () => ({ kind: 'status', status: 400, code: 'ExpiredTokenException' });
    expect(await calling.call(PUT, BODY)).toMatchObject({ ok: false, code: 'ExpiredTokenException' });
    calling.close();
  });

  it('is sent again at once when its connection had been closed while idle', async () => {
    const strict = await sink();
    const calling = client(strict.url);
    await calling.call(PUT, BODY);
    strict.fault = ({ number }) => (number === 2 ? { kind: 'reset' } : null);
    expect(await calling.call(PUT, BODY)).toMatchObject({ ok: true });
    calling.close();
  });

  it('that nobody answers is an outage with a reason, not an exception', async () => {
    const gone = await sink();
    await gone.down();
    const calling = client(gone.url);
    expect(await calling.call(PUT, BODY)).toMatchObject({ ok: false, status: 0, code: 'ConnectionLost' });
    await gone.up();
    expect(await calling.call(PUT, BODY)).toMatchObject({ ok: true });
    calling.close();
  });
});

describe('credentials', () => {
  const answer = (expiresAtMs: number) => ({
    AccessKeyId: 'A',
    SecretAccessKey: 'S',
    Token: 'T',
    Expiration: new Date(expiresAtMs).toISOString(),
  });

  it('come from the environment when keys are there', async () => {
    const source = credentialSource({
      AWS_ACCESS_KEY_ID: 'a',
      AWS_SECRET_ACCESS_KEY: 'b',
      AWS_SESSION_TOKEN: 'c',
    });
    expect(await source?.()).toEqual({
      accessKeyId: 'a',
      secretAccessKey: 'b',
      sessionToken: 'c',
      expiresAtMs: null,
    });
    expect(credentialSource({})).toBeNull();
  });

  it.each([
    [{ AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: '/v2/x' }, 'http://169.254.170.2/v2/x', {}],
    [
      {
        AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://localhost:1/y',
        AWS_CONTAINER_AUTHORIZATION_TOKEN: ' key\n',
      },
      'http://localhost:1/y',
      { authorization: 'key' },
    ],
  ])('come from the endpoint that ECS names: %j', async (environment, url, headers) => {
    const asked: unknown[] = [];
    const source = credentialSource(environment, async (...args) => {
      asked.push(args);
      return answer(5_000_000);
    });
    expect(await source?.()).toEqual({
      accessKeyId: 'A',
      secretAccessKey: 'S',
      sessionToken: 'T',
      expiresAtMs: 5_000_000,
    });
    expect(asked).toEqual([[url, headers]]);
  });

  function kept(source: (fetch: number) => Promise<Credentials>) {
    const clock = new VirtualClock(0);
    const state = { fetches: 0 };
    const keeping = new CredentialKeeper(() => source(++state.fetches), clock);
    return { clock, state, keeping };
  }
  const HOUR = 3_600_000;
  const lasting = (expiresAtMs: number): Credentials => ({ ...CREDENTIALS, expiresAtMs });

  it('are renewed five minutes before they end, in the background, by one fetch', async () => {
    const { clock, state, keeping } = kept(async (fetch) => lasting(fetch * HOUR));
    await Promise.all([keeping.fresh(), keeping.fresh()]);
    expect(state.fetches).toBe(1);
    await clock.advance(HOUR - 6 * 60_000);
    expect(keeping.current()?.expiresAtMs).toBe(HOUR);
    expect(state.fetches).toBe(1);
    await clock.advance(2 * 60_000);
    expect(keeping.current()?.expiresAtMs).toBe(HOUR);
    keeping.current();
    await clock.advance(1);
    expect(state.fetches).toBe(2);
    expect(keeping.current()?.expiresAtMs).toBe(2 * HOUR);
  });

  it('that cannot be renewed serve until they end, and then there is a fault with its reason', async () => {
    const { clock, keeping } = kept(async (fetch) => {
      if (fetch === 1) return lasting(HOUR);
      throw new Error('endpoint down');
    });
    await keeping.fresh();
    await clock.advance(HOUR - 60_000);
    expect(keeping.current()).not.toBeNull();
    await clock.advance(30_000);
    expect(keeping.fault).toBeNull();
    await clock.advance(60_000);
    expect(keeping.current()).toBeNull();
    await clock.advance(2_000);
    expect(keeping.fault).toBe('endpoint down');
    await expect(clock.runUntil(keeping.fresh())).rejects.toMatchObject({ name: 'CredentialsUnavailable' });
  });

  it('come back when the endpoint does', async () => {
    const { clock, keeping } = kept(async (fetch) => {
      if (fetch < 3) throw new Error('not yet');
      return lasting(HOUR);
    });
    await expect(keeping.fresh()).rejects.toThrow('not yet');
    await expect(clock.runUntil(keeping.fresh())).rejects.toThrow('not yet');
    await expect(clock.runUntil(keeping.fresh())).resolves.toMatchObject({ expiresAtMs: HOUR });
  });
});
