/** One POST to AWS, signed with the environment's credentials, for services that no client here speaks to. */
import { createHash } from 'node:crypto';
import { credentialSource, type Environment } from '../lean/credentials.ts';
import { amzDate, authorization } from '../lean/signer.ts';

export type Post = {
  readonly url: URL;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
};

/** @throws Error when the environment names no credentials */
export async function signedHeaders(
  { url, body, headers }: Post,
  scope: { readonly region: string; readonly service: string },
  environment: Environment,
  nowMs: number,
): Promise<Readonly<Record<string, string>>> {
  const source = credentialSource(environment);
  if (source === null) throw new Error('there are no AWS credentials in the environment');
  const credentials = await source();
  const date = amzDate(nowMs);
  const token: Readonly<Record<string, string>> =
    credentials.sessionToken === null ? {} : { 'x-amz-security-token': credentials.sessionToken };
  const sent = { ...headers, 'x-amz-date': date, ...token };
  const signable = {
    method: 'POST',
    path: url.pathname,
    query: [...url.searchParams],
    headers: Object.entries({ ...sent, host: url.host }),
    bodyHash: createHash('sha256').update(body).digest('hex'),
  };
  return { ...sent, authorization: authorization(signable, date, scope, credentials) };
}
