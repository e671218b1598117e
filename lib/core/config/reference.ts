/**
 * Values that stand elsewhere. `{ ssm: name }` is a parameter of Parameter Store, `{ secret: name }` a secret
 * of Secrets Manager. A secret is named and never read by us: CloudFormation hands it over where it is used.
 */
import * as z from 'zod';

const ParameterReference = z.strictObject({
  ssm: z
    .string()
    .regex(/^[\w./-]{1,1011}$/, 'a parameter is named by letters, digits and . _ / -')
    .describe('A parameter of Parameter Store, by its name.'),
});

const SecretReference = z.strictObject({
  secret: z
    .string()
    .regex(/^[\w/+=.@:-]{1,512}$/, 'a secret is named by its name or its ARN')
    .describe('A secret of Secrets Manager, by its name or its ARN.'),
  key: z
    .string()
    .regex(/^[\w.-]{1,64}$/, 'a key of the secret’s JSON')
    .optional()
    .describe('The key within the secret, where it is JSON.'),
});

/** Text, or where it stands: for what a deployment hands over and nobody else reads. */
export const referable = (what: z.ZodString, right: string) =>
  z.union([what, ParameterReference, SecretReference], {
    error: `must be ${right}, or stand elsewhere: { ssm: name } or { secret: name }`,
  });

export type Referable = z.infer<ReturnType<typeof referable>>;

/** As CloudFormation resolves it, in the template's own words. */
export function dynamicReference(value: Referable): string {
  if (typeof value === 'string') return value;
  if ('ssm' in value) return `{{resolve:ssm:${value.ssm}}}`;
  return `{{resolve:secretsmanager:${value.secret}:SecretString${value.key === undefined ? '' : `:${value.key}`}}}`;
}

/** A reference where plain settings stand: `{ ssm: … }` or `{ secret: … }` and nothing beside it. */
export type FoundReference = {
  readonly path: readonly (string | number)[];
  readonly store: 'ssm' | 'secret';
  readonly name: string;
};

export function referencesIn(
  value: unknown,
  path: readonly (string | number)[] = [],
): readonly FoundReference[] {
  if (typeof value !== 'object' || value === null) return [];
  const entries: readonly (readonly [string | number, unknown])[] = Array.isArray(value)
    ? value.map((inner, index) => [index, inner] as const)
    : Object.entries(value);
  const [[store, name] = [null, null]] = entries;
  if ((store === 'ssm' || store === 'secret') && typeof name === 'string') return [{ path, store, name }];
  return entries.flatMap(([key, inner]) => referencesIn(inner, [...path, key]));
}
