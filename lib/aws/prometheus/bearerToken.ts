/** A token by reference: read from Parameter Store when first needed, and again a while later. */
import { WorldUnavailable } from '../../core/outage.ts';
import type { Environment } from '../lean/credentials.ts';
import { signedHeaders } from './signedPost.ts';

/** A rotated token is taken up within this time. */
const keptMs = 5 * 60_000;
const timeoutMs = 5000;

const kept = new Map<string, { readonly token: string; readonly readAtMs: number }>();

/** @throws WorldUnavailable when the parameter cannot be read; the token stands in no message */
export async function bearerToken(name: string, environment: Environment, nowMs: number): Promise<string> {
  const known = kept.get(name);
  if (known !== undefined && nowMs - known.readAtMs < keptMs) return known.token;
  const token = await readParameter(name, environment, nowMs);
  kept.set(name, { token, readAtMs: nowMs });
  return token;
}

async function readParameter(name: string, environment: Environment, nowMs: number): Promise<string> {
  const region = environment.AWS_REGION ?? 'us-east-1';
  const endpoint = environment.AWS_ENDPOINT_URL ?? `https://ssm.${region}.amazonaws.com`;
  const post = {
    url: new URL('/', endpoint),
    body: JSON.stringify({ Name: name, WithDecryption: true }),
    headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'AmazonSSM.GetParameter' },
  };
  try {
    const headers = await signedHeaders(post, { region, service: 'ssm' }, environment, nowMs);
    const signal = AbortSignal.timeout(timeoutMs);
    const answer = await fetch(post.url, { method: 'POST', headers, body: post.body, signal });
    if (!answer.ok) throw new Error(`Parameter Store answered ${answer.status}`);
    const { Parameter } = (await answer.json()) as { Parameter?: { Value?: string } };
    const token = Parameter?.Value?.trim() ?? '';
    // A header's own complaint would show it.
    if (!/^[\x21-\x7e]+$/.test(token)) throw new Error('its value is no token');
    return token;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new WorldUnavailable(`the bearer token in parameter ${name} cannot be read: ${why}`, { cause });
  }
}
