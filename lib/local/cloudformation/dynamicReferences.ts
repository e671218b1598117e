/**
 * Dynamic references: `{{resolve:ssm:name}}`, `{{resolve:ssm:name:version}}` and
 * `{{resolve:secretsmanager:id:SecretString:key:stage}}`, replaced when a resource is made (CloudFormation
 * user guide, “Get values stored in other services”). The template keeps the reference.
 */
import type { Making } from './resourceType.ts';
import { invalid } from './template.ts';

const reference = /\{\{resolve:(ssm|secretsmanager):([^}]+)\}\}/g;

/** @throws ServiceError of the store that has no such value */
export async function withReferences<T>(value: T, call: Making['call']): Promise<T> {
  if (typeof value === 'string') return (await replaced(value, call)) as T;
  if (Array.isArray(value)) {
    return (await Promise.all(value.map((inner) => withReferences(inner, call)))) as T;
  }
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(async ([key, inner]) => [key, await withReferences(inner, call)]);
  return Object.fromEntries(await Promise.all(entries)) as T;
}

async function replaced(text: string, call: Making['call']): Promise<string> {
  let done = text;
  for (const [whole, store, path = ''] of text.matchAll(reference)) {
    const value = store === 'ssm' ? await parameter(path, call) : await secret(path, call);
    done = done.replace(whole, () => value);
  }
  return done;
}

async function parameter(path: string, call: Making['call']): Promise<string> {
  const { Parameter } = await call('ssm', 'GetParameter', { Name: path.replace(/:\d+$/, '') });
  if (Parameter.Type === 'SecureString')
    throw invalid(`${path}: a SecureString needs {{resolve:ssm-secure:…}}`);
  return Parameter.Value;
}

async function secret(path: string, call: Making['call']): Promise<string> {
  const [, SecretId = '', rest = ''] =
    /^(arn:[^:]+(?::[^:]*){5}|[^:]+)(?::SecretString)?(?::(.*))?$/.exec(path) ?? [];
  const [key = '', stage = ''] = rest.split(':');
  const input = { SecretId, ...(stage === '' ? {} : { VersionStage: stage }) };
  const { SecretString } = await call('secretsmanager', 'GetSecretValue', input);
  if (key === '') return SecretString;
  const value = JSON.parse(SecretString)[key];
  if (value === undefined) throw invalid(`Could not find a value associated with JSONKey in SecretString`);
  return String(value);
}
