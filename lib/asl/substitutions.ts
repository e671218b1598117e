/**
 * `${Name}` in a definition, filled in as CloudFormation's `DefinitionSubstitutions` does, so that the very
 * file that is deployed also runs here.
 */
import { isObject } from './json.ts';
import { MachineRefused, type PathSegment } from './refusal.ts';

const PLACEHOLDER = /\$\{([A-Za-z0-9_]+)\}/g;

/**
 * Replaces every `${Name}` in every string of `definition`. A placeholder without a value is refused:
 * CloudFormation would deploy it as text, and the machine would fail at its first use.
 */
export function substitute(definition: unknown, substitutions: Readonly<Record<string, string>>): unknown {
  const fill = (value: unknown, path: readonly PathSegment[]): unknown => {
    if (typeof value === 'string') {
      return value.replace(PLACEHOLDER, (placeholder, name: string) => {
        const replacement = Object.hasOwn(substitutions, name) ? substitutions[name] : undefined;
        if (replacement === undefined)
          throw new MachineRefused(path, `no substitution is given for ${placeholder}.`);
        return replacement;
      });
    }
    if (Array.isArray(value)) return value.map((item, index) => fill(item, [...path, index]));
    if (!isObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, member]) => [key, fill(member, [...path, key])]),
    );
  };
  return fill(definition, []);
}
