/** The configuration's schema as editors read it: JSON Schema, made of the schema that refuses. */
import * as z from 'zod';
import { type AnalysisPolicy, defaultAnalysisPolicy } from '../../core/analysis/policy.ts';
import { ConfigurationFile } from '../../core/config/file.ts';

type Json = { readonly [key: string]: unknown };

/** Words of the policy that are a choice: a default shows its type, not its neighbours. */
const choices: Readonly<Record<string, readonly string[]>> = {
  answer: ['wait', 'extend', 'pause', 'roll-back'] satisfies readonly AnalysisPolicy['unknown']['answer'][],
};

/** Said elsewhere in the file, or made by us. */
const absent = ['objective', 'objectivePeriodDays', 'stepCount'];

export function configurationSchema(): Json {
  const schema = z.toJSONSchema(ConfigurationFile, {
    io: 'input',
    target: 'draft-7',
    unrepresentable: 'any',
  }) as Json;
  const analysis = { ...(ofDefault('', defaultAnalysisPolicy) as Json), description: 'Checks and limits.' };
  const title = { title: 'switchback.yml', ...schema };
  return replaced(
    title,
    ({ description }) => description === 'Checks and limits; see docs.',
    analysis,
  ) as Json;
}

/** What a value may be, by the one that stands when nothing is said. */
function ofDefault(key: string, value: unknown): Json {
  if (Array.isArray(value)) return { type: 'array', default: value };
  if (typeof value !== 'object' || value === null) {
    const choice = choices[key];
    return { ...(choice === undefined ? { type: typeof value } : { enum: choice }), default: value };
  }
  const properties = Object.entries(value)
    .filter(([inner]) => !absent.includes(inner))
    .map(([inner, one]) => [inner, ofDefault(inner, one)] as const);
  return { type: 'object', properties: Object.fromEntries(properties), additionalProperties: false };
}

function replaced(value: unknown, is: (value: Json) => boolean, by: Json): unknown {
  if (Array.isArray(value)) return value.map((inner) => replaced(inner, is, by));
  if (typeof value !== 'object' || value === null) return value;
  if (is(value as Json)) return by;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, replaced(inner, is, by)]));
}
