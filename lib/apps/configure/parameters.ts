/**
 * `{ ssm: name }` in a service's settings: read when the file is compiled, because roles and bundles are made
 * of what it says. Nothing is read where nothing refers, so that packaging needs no account by itself.
 */
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import type { Problem } from '../../core/config/problem.ts';
import { type FoundReference, referencesIn } from '../../core/config/reference.ts';

/** The file's value with its references read, and a sentence for each that cannot be. */
export async function withParameters(
  file: unknown,
): Promise<{ readonly value: unknown; readonly problems: readonly Problem[] }> {
  const services = (file as { readonly services?: unknown } | null)?.services;
  const references = referencesIn(services, ['services']);
  if (references.length === 0) return { value: file, problems: [] };
  const value = structuredClone(file);
  const problems: Problem[] = [];
  const ssm = new SSMClient({ maxAttempts: 2 });
  for (const reference of references) {
    const read = await readReference(ssm, reference);
    if ('sentence' in read) problems.push({ path: reference.path, sentence: read.sentence });
    else put(value, reference.path, read.text);
  }
  return { value, problems };
}

type Read = { readonly text: string } | { readonly sentence: string };

async function readReference(ssm: SSMClient, { store, name }: FoundReference): Promise<Read> {
  if (store === 'secret') {
    return {
      sentence:
        'a secret may not stand here, where it would become part of bundles and plans: ' +
        'it may in notifications, and a metrics source names its token’s parameter.',
    };
  }
  try {
    const { Parameter } = await ssm.send(new GetParameterCommand({ Name: name, WithDecryption: false }));
    if (Parameter?.Type === 'SecureString') {
      return {
        sentence: `${name} is a SecureString, and this becomes part of bundles and plans: say it plainly.`,
      };
    }
    return { text: Parameter?.Value ?? '' };
  } catch (error) {
    const { name: what, message } = error as Error;
    return {
      sentence: `${name} cannot be read from Parameter Store (${what}: ${message}): make it, or set AWS_PROFILE.`,
    };
  }
}

function put(root: unknown, path: readonly (string | number)[], value: string): void {
  const [last] = path.slice(-1);
  const at = path.slice(0, -1).reduce((one, key) => (one as Record<string | number, unknown>)[key], root);
  (at as Record<string | number, unknown>)[last as string] = value;
}
