/**
 * The rule of a composite alarm: `ALARM(a) AND NOT (OK("b") OR INSUFFICIENT_DATA(arn:…:c))`, `TRUE`, `FALSE`.
 * Grammar: PutCompositeAlarm reference, `AlarmRule`. NOT binds tighter than AND, AND tighter than OR.
 */
import type { StateValue } from '@aws-sdk/client-cloudwatch';

export type CompositeRule =
  | { readonly kind: 'state'; readonly state: StateValue; readonly alarm: string }
  | { readonly kind: 'constant'; readonly value: boolean }
  | { readonly kind: 'not'; readonly of: CompositeRule }
  | { readonly kind: 'and' | 'or'; readonly left: CompositeRule; readonly right: CompositeRule };

/** The rule, or the sentence that says why it is none. */
export function parseCompositeRule(text: string): CompositeRule | { readonly refused: string } {
  const tokens = text.match(/"[^"]*"|[()]|[^\s()"]+/g) ?? [];
  let next = 0;
  const fail = (expected: string): never => {
    throw new Refused(
      `expected ${expected} at ${tokens[next] === undefined ? 'the end' : `'${tokens[next]}'`}`,
    );
  };
  const take = (token: string): boolean => {
    if (tokens[next] !== token) return false;
    next++;
    return true;
  };
  const either = (): CompositeRule => {
    let left = both();
    while (take('OR')) left = { kind: 'or', left, right: both() };
    return left;
  };
  const both = (): CompositeRule => {
    let left = single();
    while (take('AND')) left = { kind: 'and', left, right: single() };
    return left;
  };
  const single = (): CompositeRule => {
    if (take('NOT')) return { kind: 'not', of: single() };
    if (take('TRUE')) return { kind: 'constant', value: true };
    if (take('FALSE')) return { kind: 'constant', value: false };
    if (take('(')) {
      const inner = either();
      return take(')') ? inner : fail("')'");
    }
    const state = tokens[next];
    if (state !== 'ALARM' && state !== 'OK' && state !== 'INSUFFICIENT_DATA') return fail('a state function');
    next++;
    if (!take('(')) return fail("'('");
    const alarm = (tokens[next++] ?? '').replace(/^"|"$/g, '').replace(/^arn:[^:]+:cloudwatch:.*:alarm:/, '');
    if (alarm === '' || !take(')')) return fail("an alarm's name and ')'");
    return { kind: 'state', state, alarm };
  };
  try {
    const rule = either();
    return next === tokens.length ? rule : fail('AND, OR or the end');
  } catch (error) {
    if (error instanceof Refused) return { refused: error.message };
    throw error;
  }
}

class Refused extends Error {
  override readonly name = 'Refused';
}

/** @param stateOf the state of the alarm of that name, or null when there is none */
export function ruleHolds(rule: CompositeRule, stateOf: (alarm: string) => StateValue | null): boolean {
  switch (rule.kind) {
    case 'constant':
      return rule.value;
    case 'state':
      return stateOf(rule.alarm) === rule.state;
    case 'not':
      return !ruleHolds(rule.of, stateOf);
    case 'and':
      return ruleHolds(rule.left, stateOf) && ruleHolds(rule.right, stateOf);
    case 'or':
      return ruleHolds(rule.left, stateOf) || ruleHolds(rule.right, stateOf);
  }
}

/** The names of the alarms a rule looks at. */
export function alarmsIn(rule: CompositeRule): readonly string[] {
  switch (rule.kind) {
    case 'constant':
      return [];
    case 'state':
      return [rule.alarm];
    case 'not':
      return alarmsIn(rule.of);
    default:
      return [...new Set([...alarmsIn(rule.left), ...alarmsIn(rule.right)])];
  }
}
