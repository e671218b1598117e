/** Reads what a container's `secrets` name: a secret's ARN and a JSON key, or a parameter's name or ARN. */
import type { Place } from './cloudEvent.ts';
import { type LocalService, type RequestContext, ServiceError } from './service.ts';
import type { Parameters } from './ssm/parameters.ts';

/** @returns a reader that rejects with a `ServiceError` when there is no such secret */
export function secretReader(
  secrets: LocalService,
  parameters: Parameters,
  place: Place,
): (valueFrom: string) => Promise<string> {
  const context: RequestContext = { ...place, requestId: 'secret', accessKeyId: 'task' };
  return async (valueFrom) => {
    if (!valueFrom.includes(':secretsmanager:')) return parameterOf(parameters, valueFrom);
    const parts = valueFrom.split(':');
    const id = parts.slice(0, 7).join(':');
    const [key = '', stage = ''] = parts.slice(7);
    const input = { SecretId: id, VersionStage: stage === '' ? undefined : stage };
    const answer = (await secrets.operations.GetSecretValue?.(input, context)) as {
      readonly SecretString?: string;
    };
    const text = answer.SecretString ?? '';
    if (key === '') return text;
    const value = (JSON.parse(text) as Readonly<Record<string, unknown>>)[key];
    if (value === undefined)
      throw missing(`retrieved secret from Secrets Manager did not contain json key ${key}`);
    return String(value);
  };
}

function parameterOf(parameters: Parameters, valueFrom: string): string {
  const name = valueFrom.startsWith('arn:')
    ? valueFrom.slice(valueFrom.indexOf(':parameter') + ':parameter'.length)
    : valueFrom;
  const found = parameters.find(name) ?? parameters.find(name.replace(/^\//, ''));
  if (found === null) throw missing(`invalid ssm parameters: ${valueFrom}`);
  return found.value;
}

const missing = (message: string) => new ServiceError('ResourceNotFoundException', message);
