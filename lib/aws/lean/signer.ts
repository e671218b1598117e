/**
 * AWS Signature Version 4. The general form is checked against AWS's published test suite; the form used per
 * request is compiled from the general one, so both are the same algorithm.
 * Source: AWS General Reference, "Signature Version 4 signing process".
 */
import { createHash, createHmac, hash } from 'node:crypto';

export type Credentials = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | null;
  /** Null when they do not expire. */
  readonly expiresAtMs: number | null;
};

export type Scope = { readonly region: string; readonly service: string };

export type Signable = {
  readonly method: string;
  /** As sent, percent-encoding and all. */
  readonly path: string;
  readonly query: readonly (readonly [name: string, value: string])[];
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** SHA-256 of the body, in hex. */
  readonly bodyHash: string;
};

const ALGORITHM = 'AWS4-HMAC-SHA256';

/** The canonical request and the list of headers it signs. */
export function canonicalRequest(request: Signable): {
  readonly text: string;
  readonly signedHeaders: string;
} {
  const headers = new Map<string, string[]>();
  for (const [name, value] of request.headers) {
    const key = name.toLowerCase();
    const values = headers.get(key) ?? [];
    values.push(value.trim().replace(/ +/g, ' '));
    headers.set(key, values);
  }
  const names = [...headers.keys()].sort();
  const signedHeaders = names.join(';');
  const lines = names.map((name) => `${name}:${(headers.get(name) as string[]).join(',')}\n`);
  const query = request.query
    .map(([name, value]) => [encoded(name), encoded(value)] as const)
    .sort(([a, x], [b, y]) => (a === b ? order(x, y) : order(a, b)))
    .map(([name, value]) => `${name}=${value}`);
  const parts = [request.method, canonicalPath(request.path), query.join('&'), lines.join(''), signedHeaders];
  return { text: `${parts.join('\n')}\n${request.bodyHash}`, signedHeaders };
}

const order = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** RFC 3986: only unreserved characters stand for themselves. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** Dot segments and doubled slashes resolved, each segment encoded (services other than S3). */
function canonicalPath(path: string): string {
  const kept: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '' || segment === '.') continue;
    if (segment === '..') kept.pop();
    else kept.push(encoded(segment));
  }
  if (kept.length === 0) return '/';
  return `/${kept.join('/')}${/\/(\.{0,2})$/.test(path) ? '/' : ''}`;
}

/** The key of one day, region and service. */
function signingKey(secret: string, day: string, { region, service }: Scope): Buffer {
  const of = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
  return of(of(of(of(`AWS4${secret}`, day), region), service), 'aws4_request');
}

/** `20150830T123600Z` */
export function amzDate(nowMs: number): string {
  return new Date(nowMs).toISOString().replace(/[-:]|\.\d{3}/g, '');
}

/** Signs any request: the value of its Authorization header. Headers must already hold X-Amz-Date. */
export function authorization(
  request: Signable,
  date: string,
  scope: Scope,
  credentials: Credentials,
): string {
  const canonical = canonicalRequest(request);
  const day = date.slice(0, 8);
  const path = `${day}/${scope.region}/${scope.service}/aws4_request`;
  const digest = createHash('sha256').update(canonical.text).digest('hex');
  const signature = createHmac('sha256', signingKey(credentials.secretAccessKey, day, scope))
    .update(`${ALGORITHM}\n${date}\n${path}\n${digest}`)
    .digest('hex');
  const credential = `${credentials.accessKeyId}/${path}`;
  const signed = `Credential=${credential}, SignedHeaders=${canonical.signedHeaders}`;
  return `${ALGORITHM} ${signed}, Signature=${signature}`;
}

/** SHA-256 works on blocks of this many bytes. */
const BLOCK = 64;
/** The text that is signed is about 140 bytes: algorithm, date, scope and digest. */
const TEXT_MAX = 512;

/**
 * HMAC-SHA-256 (RFC 2104) with one key for a day's requests: two one-shot hashes over buffers that are kept.
 * Node's `createHmac` wraps the key anew for every signature, an eighth of the bridge's whole CPU time.
 */
export class FixedHmac {
  readonly #inner = Buffer.alloc(BLOCK + TEXT_MAX, 0x36);
  readonly #outer = Buffer.alloc(BLOCK + 32, 0x5c);

  /** @param key of at most 64 bytes */
  constructor(key: Buffer) {
    for (let i = 0; i < key.length; i++) {
      this.#inner[i] = (key[i] as number) ^ 0x36;
      this.#outer[i] = (key[i] as number) ^ 0x5c;
    }
  }

  /** @param text ASCII, of at most 512 characters */
  hex(text: string): string {
    const length = this.#inner.write(text, BLOCK, 'latin1');
    this.#outer.set(hash('sha256', this.#inner.subarray(0, BLOCK + length), 'buffer'), BLOCK);
    return hash('sha256', this.#outer);
  }
}

/**
 * Stand-ins that occur in no header; the compiled form puts the date, the token and the body's hash there.
 */
const DATE = '\u0001';
const TOKEN = '\u0002';
const BODY = '\u0003';

/**
 * Signs requests that differ only in date, credentials and body: one operation of one service. Makes the head
 * of the HTTP message, ready to be sent with its body.
 */
export class RequestSigner {
  readonly #scope: Scope;
  readonly #headers: readonly (readonly [name: string, value: string])[];
  #second = -1;
  #date = '';
  #compiled: Compiled | null = null;

  /** @param headers host, content-type and x-amz-target, as far as the operation has them */
  constructor(scope: Scope, headers: readonly (readonly [name: string, value: string])[]) {
    this.#scope = scope;
    this.#headers = headers;
  }

  /** The request line and all headers, ending with the empty line. */
  head(body: Buffer, nowMs: number, credentials: Credentials): string {
    const { head, date, authorization } = this.signed(body, nowMs, credentials);
    return `${head}${body.length}\r\nX-Amz-Date: ${date}\r\nAuthorization: ${authorization}\r\n\r\n`;
  }

  /** X-Amz-Date and Authorization, and the HTTP head up to the body's length. */
  signed(body: Buffer, nowMs: number, credentials: Credentials): Signed {
    const second = Math.floor(nowMs / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#date = amzDate(nowMs);
    }
    const date = this.#date;
    let compiled = this.#compiled;
    if (compiled === null || compiled.credentials !== credentials || compiled.day !== date.slice(0, 8)) {
      compiled = this.#compile(date.slice(0, 8), credentials);
      this.#compiled = compiled;
    }
    const digest = hash('sha256', compiled.before + date + compiled.after + hash('sha256', body));
    const signature = compiled.hmac.hex(`${ALGORITHM}\n${date}\n${compiled.path}\n${digest}`);
    return { head: compiled.head, date, authorization: compiled.authorization + signature };
  }

  #compile(day: string, credentials: Credentials): Compiled {
    const { sessionToken, accessKeyId, secretAccessKey } = credentials;
    const token = sessionToken === null ? [] : [['x-amz-security-token', TOKEN] as const];
    const headers = [...this.#headers, ['x-amz-date', DATE] as const, ...token];
    const canonical = canonicalRequest({ method: 'POST', path: '/', query: [], headers, bodyHash: BODY });
    const text = canonical.text.replace(TOKEN, () => sessionToken ?? '').replace(BODY, '');
    const [before, after] = text.split(DATE) as [string, string];
    const path = `${day}/${this.#scope.region}/${this.#scope.service}/aws4_request`;
    const sent = [...this.#headers, ...token.map(([name]) => [name, sessionToken ?? ''] as const)];
    const lines = sent.map(([name, value]) => `${name}: ${value}\r\n`);
    const signed = `Credential=${accessKeyId}/${path}, SignedHeaders=${canonical.signedHeaders}`;
    return {
      credentials,
      day,
      path,
      before,
      after,
      hmac: new FixedHmac(signingKey(secretAccessKey, day, this.#scope)),
      head: `POST / HTTP/1.1\r\n${lines.join('')}content-length: `,
      authorization: `${ALGORITHM} ${signed}, Signature=`,
    };
  }
}

type Signed = { readonly head: string; readonly date: string; readonly authorization: string };

type Compiled = {
  readonly credentials: Credentials;
  readonly day: string;
  /** Day, region and service. */
  readonly path: string;
  /** The canonical request before and after the date; the body's hash ends it. */
  readonly before: string;
  readonly after: string;
  readonly hmac: FixedHmac;
  /** The HTTP head up to the body's length, and the Authorization header up to the signature. */
  readonly head: string;
  readonly authorization: string;
};
