/** A rule's `where`: every condition on headers and JSON fields must hold. */
import type { ConditionConfig, ConfigFault, RuleConfig } from './config.ts';
import { atPointer, type BridgeMessage, pointerSteps } from './message.ts';

export type Condition = {
  readonly holds: (message: BridgeMessage) => boolean;
  /** For `explain`: `header x-env = prod`. */
  readonly words: string;
};

/** The conditions of a rule, or the faults in them. */
export function compileConditions(
  where: RuleConfig['where'],
  path: readonly (string | number)[],
): { readonly conditions: readonly Condition[]; readonly faults: readonly ConfigFault[] } {
  const conditions: Condition[] = [];
  const faults: ConfigFault[] = [];
  for (const [name, wanted] of Object.entries(where?.header ?? {})) {
    const accepts = acceptanceOf(wanted);
    conditions.push({
      holds: (message) => accepts(message.header(name)),
      words: `header ${name} ${wordsOf(wanted)}`,
    });
  }
  for (const [pointer, wanted] of Object.entries(where?.json ?? {})) {
    const steps = pointerSteps(pointer);
    if (steps === null) {
      faults.push({
        path: [...path, 'json', pointer],
        message: `'${pointer}' is no JSON pointer: it begins with '/'`,
      });
      continue;
    }
    const accepts = acceptanceOf(wanted);
    conditions.push({
      holds: (message) => accepts(atPointer(message.json(), steps)),
      words: `json ${pointer} ${wordsOf(wanted)}`,
    });
  }
  return { conditions, faults };
}

/** Headers are text, so a number or boolean is also accepted in its written form. */
function acceptanceOf(wanted: ConditionConfig): (value: unknown) => boolean {
  if (Array.isArray(wanted)) {
    const each = wanted.map(acceptanceOf);
    return (value) => each.some((accepts) => accepts(value));
  }
  if (typeof wanted === 'object') {
    if ('exists' in wanted) return (value) => (value !== undefined) === wanted.exists;
    return (value) => typeof value === 'string' && value.startsWith(wanted.prefix);
  }
  const written = String(wanted);
  return (value) => value === wanted || value === written;
}

function wordsOf(wanted: ConditionConfig): string {
  if (Array.isArray(wanted)) return `is one of ${wanted.join(', ')}`;
  if (typeof wanted !== 'object') return `= ${wanted}`;
  if ('exists' in wanted) return wanted.exists ? 'exists' : 'is absent';
  return `begins with ${wanted.prefix}`;
}
