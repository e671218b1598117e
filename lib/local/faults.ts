/**
 * Faults before the operations: which call fails, and how. A rule matches calls by service, operation,
 * caller and input, and says which of the matching calls it strikes: the nth ones, or some by chance from
 * the seed. Everything that can go wrong between a client and AWS is one of the kinds below.
 *
 *   throttle  refused, nothing applied            half     applied, the answer breaks off in its middle
 *   error     a 5xx, nothing applied              applied  applied, but an error or a reset is answered
 *   reset     connection reset, nothing applied   late     an error or silence, and applied `ms` later
 *   slow      applied and answered `ms` later     kill     the caller ends before or after it is applied
 */
import { type Random, seededRandom } from './random.ts';

export type Fault =
  | { readonly kind: 'throttle'; readonly code?: string; readonly status?: 400 | 429 }
  | { readonly kind: 'error'; readonly status?: number; readonly code?: string }
  | { readonly kind: 'reset' }
  | { readonly kind: 'slow'; readonly ms: number }
  | { readonly kind: 'half' }
  | { readonly kind: 'applied'; readonly answer?: 'error' | 'reset' }
  | { readonly kind: 'late'; readonly ms: number; readonly answer?: 'error' | 'silence' }
  | { readonly kind: 'kill'; readonly when?: 'before' | 'after' };

/** One call as rules see it. */
export type Call = {
  /** The SigV4 scope: `dynamodb`, `elasticloadbalancing` … */
  readonly service: string;
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
  /** The caller's access key id. */
  readonly caller: string;
};

export type FaultRule = {
  readonly service?: string;
  readonly operation?: string;
  /** The caller's access key id, or what it starts with. */
  readonly caller?: string;
  /** A predicate, or the members that the input must have (compared deeply; others are ignored). */
  readonly input?: Readonly<Record<string, unknown>> | ((input: Call['input'], call: Call) => boolean);
  /** Which of the matching calls, counted from 1; all of them when absent. */
  readonly nth?: number | readonly number[];
  /** The chance that a matching call is struck, 0 to 1; certain when absent. */
  readonly probability?: number;
  /** Retires the rule after so many strikes. */
  readonly times?: number;
  readonly fault: Fault;
};

export type Strike = { readonly rule: FaultRule; readonly call: Call };

type Armed = { readonly rule: FaultRule; matched: number; struck: number };

/** The rules in force, asked in order: the first that strikes wins, and every rule counts what it matches. */
export class Faults {
  readonly #random: Random;
  #armed: Armed[] = [];
  /** What was struck, oldest first. */
  readonly strikes: Strike[] = [];

  constructor(seed = 1) {
    this.#random = seededRandom(seed);
  }

  /** Adds one rule; the returned function takes it back. */
  add(rule: FaultRule): () => void {
    const armed: Armed = { rule, matched: 0, struck: 0 };
    this.#armed.push(armed);
    return () => {
      this.#armed = this.#armed.filter((other) => other !== armed);
    };
  }

  /** Puts these rules in place of all others. */
  set(rules: readonly FaultRule[]): void {
    this.clear();
    for (const rule of rules) this.add(rule);
  }

  clear(): void {
    this.#armed = [];
  }

  get rules(): readonly FaultRule[] {
    return this.#armed.map((armed) => armed.rule);
  }

  /** The fault that strikes this call; null when it goes through. */
  strike(call: Call): Fault | null {
    let chosen: Armed | null = null;
    for (const armed of this.#armed) {
      if (!matches(armed.rule, call)) continue;
      armed.matched += 1;
      if (chosen === null && this.#strikes(armed)) chosen = armed;
    }
    if (chosen === null) return null;
    chosen.struck += 1;
    this.strikes.push({ rule: chosen.rule, call });
    return chosen.rule.fault;
  }

  #strikes({ rule, matched, struck }: Armed): boolean {
    if (rule.times !== undefined && struck >= rule.times) return false;
    if (rule.nth !== undefined && ![rule.nth].flat().includes(matched)) return false;
    return rule.probability === undefined || this.#random() < rule.probability;
  }
}

function matches(rule: FaultRule, call: Call): boolean {
  if (rule.service !== undefined && rule.service !== call.service) return false;
  if (rule.operation !== undefined && rule.operation !== call.operation) return false;
  if (rule.caller !== undefined && !call.caller.startsWith(rule.caller)) return false;
  if (rule.input === undefined) return true;
  return typeof rule.input === 'function' ? rule.input(call.input, call) : contains(call.input, rule.input);
}

function contains(value: unknown, part: unknown): boolean {
  if (part === null || typeof part !== 'object') return value === part;
  if (value === null || typeof value !== 'object') return false;
  return Object.entries(part).every(([key, item]) => contains((value as Record<string, unknown>)[key], item));
}
