/** What the parts of a definition have to know of each other while it is loaded. */
import { compileExpression, type Expression, isExpression, type Place } from './expression.ts';
import type { StatesMember } from './expressionChecks.ts';
import type { Fields } from './fields.ts';
import { isObject } from './json.ts';
import type { Exit, Quantity } from './machine.ts';
import { MachineRefused, type PathSegment } from './refusal.ts';
import { compileTemplate, type Template } from './template.ts';

const MEMBERS_BEFORE: ReadonlySet<StatesMember> = new Set(['input', 'context']);
const MEMBERS_AFTER_WORK: ReadonlySet<StatesMember> = new Set(['input', 'context', 'result']);
const MEMBERS_IN_CATCH: ReadonlySet<StatesMember> = new Set(['input', 'context', 'errorOutput']);

/** When a field is evaluated, and so what `$states` has. */
export type Moment = 'before' | 'after-work' | 'in-catch';
const membersAt: Record<Moment, ReadonlySet<StatesMember>> = {
  before: MEMBERS_BEFORE,
  'after-work': MEMBERS_AFTER_WORK,
  'in-catch': MEMBERS_IN_CATCH,
};

// Unicode identifiers of at most 80 characters ("Passing data between states with variables").
const VARIABLE_NAME = /^[\p{ID_Start}_][\p{ID_Continue}]{0,79}$/u;

export class LoadContext {
  /** Every state of the machine: names are unique across all scopes. */
  readonly stateNames = new Set<string>();
  /** The functions that expressions call, with a place for each. */
  readonly #called = new Map<string, readonly PathSegment[]>();
  readonly #assigned = new Map<string, readonly PathSegment[]>();

  template(fields: Fields, name: string, moment: Moment, prefix = ''): Template | undefined {
    if (!fields.has(name)) return undefined;
    const template = compileTemplate(fields.take(name), this.#place(fields, name, moment, prefix));
    for (const expression of template.expressions) this.#note(expression, [...fields.path, name]);
    return template;
  }

  /** The field's one expression, or null when its value is something else. */
  expression(fields: Fields, name: string, moment: Moment, prefix = ''): Expression | null {
    const value = fields.take(name);
    if (typeof value !== 'string' || !isExpression(value)) return null;
    const expression = compileExpression(value, this.#place(fields, name, moment, prefix));
    this.#note(expression, [...fields.path, name]);
    return expression;
  }

  quantity(fields: Fields, name: string, limits: { min: number; max: number }): Quantity | undefined {
    return this.expression(fields, name, 'before') ?? fields.number(name, limits);
  }

  /** `Assign` and `Output` of a state, a rule or a catcher that goes on to `next`. */
  exit(fields: Fields, next: string | null, moment: Moment, prefix = ''): Exit {
    const assign = this.template(fields, 'Assign', moment, prefix);
    return { next, assign, output: this.template(fields, 'Output', moment, prefix) };
  }

  /** Notes what a scope assigns; an inner scope cannot assign a name of an outer one. */
  assigns(names: ReadonlyMap<string, readonly PathSegment[]>, outer: ReadonlySet<string>): void {
    for (const [name, path] of names) {
      if (!VARIABLE_NAME.test(name))
        throw new MachineRefused(path, `${name} cannot be the name of a variable.`);
      if (name === 'states') throw new MachineRefused(path, '$states belongs to Step Functions.');
      if (outer.has(name))
        throw new MachineRefused(path, `$${name} is a variable of the scope outside this one.`);
      this.#assigned.set(name, path);
    }
  }

  /** What can only be said once every expression has been read. */
  finish(): void {
    for (const [name, path] of this.#called) {
      if (this.#assigned.has(name)) {
        throw new MachineRefused(path, `$${name}() is called, but the machine has a variable of that name.`);
      }
    }
  }

  #place(fields: Fields, name: string, moment: Moment, prefix: string): Place {
    return {
      location: `${prefix}${name}`,
      members: membersAt[moment],
      refuse: (sentence) => fields.refuse(name, sentence),
    };
  }

  #note(expression: Expression, path: readonly PathSegment[]): void {
    for (const name of expression.facts.functions) this.#called.set(name, path);
  }
}

/** The variables that the states of one scope assign, its branches not included. */
export function assignedNames(
  states: object,
  path: readonly PathSegment[],
): Map<string, readonly PathSegment[]> {
  const names = new Map<string, readonly PathSegment[]>();
  const collect = (holder: unknown, at: readonly PathSegment[]) => {
    if (!isObject(holder) || !isObject(holder.Assign)) return;
    for (const name of Object.keys(holder.Assign)) names.set(name, [...at, 'Assign', name]);
  };
  for (const [name, state] of Object.entries(states)) {
    collect(state, [...path, name]);
    for (const list of ['Choices', 'Catch']) {
      const rules = isObject(state) ? state[list] : undefined;
      if (!Array.isArray(rules)) continue;
      for (const [index, rule] of rules.entries()) collect(rule, [...path, name, list, index]);
    }
  }
  return names;
}
