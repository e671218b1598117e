import { createHmac, hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  amzDate,
  authorization,
  canonicalRequest,
  FixedHmac,
  RequestSigner,
} from '../../../lib/aws/lean/signer.ts';

type Vector = {
  readonly name: string;
  readonly method: string;
  readonly uri: string;
  readonly headers: [string, string][];
  readonly body: string;
  readonly authorization: string;
  readonly canonical: string;
};
const suite = JSON.parse(readFileSync(new URL('./sigv4.json', import.meta.url), 'utf8')) as {
  readonly config: { service: string; region: string; accessKeyId: string; secretAccessKey: string };
  readonly tests: readonly Vector[];
};
const { service, region, accessKeyId, secretAccessKey } = suite.config;
const credentials = { accessKeyId, secretAccessKey, sessionToken: null, expiresAtMs: null };

/** The parts of a vector that its Authorization header signs. */
function signable(vector: Vector) {
  const signed = (/SignedHeaders=([^,]+)/.exec(vector.authorization)?.[1] ?? '').split(';');
  const [path, search = ''] = vector.uri.split('?');
  const query = search === '' ? [] : search.split('&').map((pair) => pair.split('=') as [string, string]);
  const headers = vector.headers.filter(([name]) => signed.includes(name.toLowerCase()));
  return {
    method: vector.method,
    path: path as string,
    query,
    headers,
    bodyHash: hash('sha256', vector.body),
  };
}

describe("AWS's Signature Version 4 test suite", () => {
  it.each(suite.tests)('$name', (vector) => {
    const request = signable(vector);
    expect(canonicalRequest(request).text).toBe(vector.canonical);
    expect(authorization(request, '20150830T123600Z', { region, service }, credentials)).toBe(
      vector.authorization,
    );
  });

  it('has 28 vectors, each with a signature of its own kind', () => {
    expect(suite.tests).toHaveLength(28);
  });
});

describe('the compiled signer', () => {
  const post = suite.tests.filter(({ method, uri }) => method === 'POST' && uri === '/');

  it.each(post)('signs the vector $name as published', (vector) => {
    const request = signable(vector);
    const token = request.headers.find(([name]) => name === 'X-Amz-Security-Token')?.[1] ?? null;
    const fixed = request.headers.filter(([name]) => !name.startsWith('X-Amz-'));
    const signer = new RequestSigner({ region, service }, fixed);
    const head = signer.head(Buffer.from(vector.body), Date.UTC(2015, 7, 30, 12, 36), {
      ...credentials,
      sessionToken: token,
    });
    expect(head).toContain(`Authorization: ${vector.authorization}\r\n`);
  });

  it('gives what the general form gives, for any body, time and token', () => {
    const times = fc.date({ min: new Date('2020-01-01'), max: new Date('2099-01-01'), noInvalidDate: true });
    const token = fc.option(fc.stringMatching(/^[A-Za-z0-9+/=$&]{1,60}$/));
    const headers: [string, string][] = [
      ['host', 'events.eu-west-1.amazonaws.com'],
      ['content-type', 'application/x-amz-json-1.1'],
      ['x-amz-target', 'AWSEvents.PutEvents'],
    ];
    const signer = new RequestSigner({ region, service }, headers);
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), times, token, (body, time, sessionToken) => {
        const head = signer.head(Buffer.from(body), time.getTime(), { ...credentials, sessionToken });
        const date = amzDate(time.getTime());
        const all: [string, string][] = [...headers, ['x-amz-date', date]];
        if (sessionToken !== null) all.push(['x-amz-security-token', sessionToken]);
        const request = {
          method: 'POST',
          path: '/',
          query: [],
          headers: all,
          bodyHash: hash('sha256', body),
        };
        expect(head).toContain(authorization(request, date, { region, service }, credentials));
        expect(head).toContain(`content-length: ${Buffer.byteLength(body)}\r\n`);
      }),
    );
  });
});

describe('the HMAC with a kept key', () => {
  it("gives what node:crypto's gives, for any key and text, again and again", () => {
    const key = fc.uint8Array({ minLength: 0, maxLength: 64 });
    const texts = fc.array(fc.string({ unit: 'grapheme-ascii', maxLength: 512 }), {
      minLength: 1,
      maxLength: 5,
    });
    fc.assert(
      fc.property(key, texts, (bytes, list) => {
        const hmac = new FixedHmac(Buffer.from(bytes));
        for (const text of list) {
          expect(hmac.hex(text)).toBe(createHmac('sha256', bytes).update(text).digest('hex'));
        }
      }),
    );
  });
});
