/** Which rules carry a message: the first that wants it, or all. */
import type { BridgeMessage } from './message.ts';
import type { Plan, Rule } from './plan.ts';

const NONE: readonly Rule[] = [];

/** The rules that take this message, in order; empty when none does. */
export function rulesFor(plan: Plan, message: BridgeMessage): readonly Rule[] {
  const candidates = plan.router.routesFor(message.subject);
  if (plan.config.match === 'first') {
    const first = candidates[0];
    if (first === undefined) return NONE;
    if (first.conditions.length === 0) return candidates.length === 1 ? candidates : [first];
    const wanting = candidates.find((rule) => wants(rule, message));
    return wanting === undefined ? NONE : [wanting];
  }
  if (candidates.every((rule) => rule.conditions.length === 0)) return candidates;
  return candidates.filter((rule) => wants(rule, message));
}

export function wants(rule: Rule, message: BridgeMessage): boolean {
  for (const condition of rule.conditions) if (!condition.holds(message)) return false;
  return true;
}
