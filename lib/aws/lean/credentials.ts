/**
 * Where the lean client's credentials come from: the environment, or the endpoint that ECS gives to a task.
 * They are fetched ahead of their expiry by one request at a time, and the old ones serve as long as they are
 * valid. Source: Amazon ECS developer guide, "Task IAM role"; the SDKs' container credential provider.
 */
import { readFile } from 'node:fs/promises';
import type { Timers } from '../../core/bridge/ports.ts';
import type { Credentials } from './signer.ts';

/** AWS keeps the next credentials ready well before the old ones end. */
const REFRESH_BEFORE_MS = 5 * 60_000;
/** After a failed fetch the endpoint is left alone for this long. */
const RETRY_MS = 1_000;
const FETCH_TIMEOUT_MS = 5_000;
const ECS_ENDPOINT = 'http://169.254.170.2';

/** No credentials to be had: where they were looked for, and what went wrong. */
class CredentialsUnavailable extends Error {
  override readonly name = 'CredentialsUnavailable';
}

export type Environment = Readonly<Record<string, string | undefined>>;
export type Fetch = (url: string, headers: Readonly<Record<string, string>>) => Promise<unknown>;
/** Fetches fresh credentials. */
export type CredentialSource = () => Promise<Credentials>;

/**
 * The source that the environment names: static keys, or a container endpoint; null when it names neither.
 * @throws CredentialsUnavailable when it is used and the endpoint does not answer as it should
 */
export function credentialSource(
  environment: Environment,
  fetch: Fetch = fetchJson,
): CredentialSource | null {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = environment;
  if (accessKeyId && secretAccessKey) {
    const sessionToken = environment.AWS_SESSION_TOKEN || null;
    return async () => ({ accessKeyId, secretAccessKey, sessionToken, expiresAtMs: null });
  }
  const relative = environment.AWS_CONTAINER_CREDENTIALS_RELATIVE_URI;
  const url = relative ? ECS_ENDPOINT + relative : environment.AWS_CONTAINER_CREDENTIALS_FULL_URI;
  if (!url) return null;
  return async () => parseContainerAnswer(await fetch(url, await authorizationHeader(environment)), url);
}

async function authorizationHeader(environment: Environment): Promise<Record<string, string>> {
  const file = environment.AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE;
  const token = file ? await readFile(file, 'utf8') : environment.AWS_CONTAINER_AUTHORIZATION_TOKEN;
  return token ? { authorization: token.trim() } : {};
}

function parseContainerAnswer(answer: unknown, url: string): Credentials {
  const { AccessKeyId, SecretAccessKey, Token, Expiration } = answer as Record<string, unknown>;
  if (typeof AccessKeyId !== 'string' || typeof SecretAccessKey !== 'string') {
    throw new CredentialsUnavailable(`${url} answered without AccessKeyId and SecretAccessKey`);
  }
  const expiresAtMs = typeof Expiration === 'string' ? Date.parse(Expiration) : Number.NaN;
  return {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    sessionToken: typeof Token === 'string' ? Token : null,
    expiresAtMs: Number.isNaN(expiresAtMs) ? null : expiresAtMs,
  };
}

const fetchJson: Fetch = async (url, headers) => {
  const answer = await fetch(url, { headers, signal: AbortSignal.timeout(FETCH_TIMEOUT_MS) });
  if (!answer.ok) throw new CredentialsUnavailable(`${url} answered ${answer.status}`);
  return answer.json();
};

/** Keeps credentials fresh. `current()` is synchronous on the hot path. */
export class CredentialKeeper {
  readonly #source: CredentialSource;
  readonly #timers: Timers;
  #current: Credentials | null = null;
  #fetching: Promise<void> | null = null;
  #fetchedAtMs = 0;
  #lastError: Error | null = null;

  constructor(source: CredentialSource, timers: Timers) {
    this.#source = source;
    this.#timers = timers;
  }

  /** Whether requests can be signed now, and if not why. */
  get fault(): string | null {
    return this.#valid() === null ? (this.#lastError?.message ?? 'not fetched yet') : null;
  }

  /**
   * Valid credentials at once, or null when they have to be waited for with `fresh`. Renews in the
   * background.
   */
  current(): Credentials | null {
    const valid = this.#valid();
    const { expiresAtMs } = valid ?? { expiresAtMs: 0 };
    if (expiresAtMs !== null && this.#timers.now() > expiresAtMs - REFRESH_BEFORE_MS) this.#renew();
    return valid;
  }

  /**
   * Waits for valid credentials.
   * @throws CredentialsUnavailable when one fetch did not bring them
   */
  async fresh(): Promise<Credentials> {
    const valid = this.current();
    if (valid !== null) return valid;
    await this.#renew();
    const fetched = this.#valid();
    if (fetched !== null) return fetched;
    throw new CredentialsUnavailable(this.#lastError?.message ?? 'the credentials have expired');
  }

  /** AWS called them expired: they are not used again. */
  invalidate(rejected: Credentials): void {
    if (this.#current === rejected) this.#current = null;
  }

  #valid(): Credentials | null {
    const current = this.#current;
    if (current === null) return null;
    return current.expiresAtMs !== null && this.#timers.now() >= current.expiresAtMs ? null : current;
  }

  #renew(): Promise<void> {
    this.#fetching ??= this.#fetch().finally(() => {
      this.#fetching = null;
    });
    return this.#fetching;
  }

  async #fetch(): Promise<void> {
    const sinceLast = this.#timers.now() - this.#fetchedAtMs;
    if (this.#lastError !== null && sinceLast < RETRY_MS) await this.#pause(RETRY_MS - sinceLast);
    try {
      this.#current = await this.#source();
      this.#lastError = null;
    } catch (error) {
      this.#lastError = error as Error;
    }
    this.#fetchedAtMs = this.#timers.now();
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#timers.schedule(ms, resolve));
  }
}
