/**
 * The configuration compiled into what runs: a router over rules, one target per destination, reverse rules.
 */
import { checkRelations } from './checks.ts';
import { type Condition, compileConditions } from './condition.ts';
import type { BridgeConfig, ConfigFault, RuleConfig } from './config.ts';
import { compileDeadLetters, type DeadLetterSpec } from './deadLetter.ts';
import { compileDestination, type DraftRender } from './draft.ts';
import { parseBridgeConfig } from './parseConfig.ts';
import { compileReverse, type ReverseRule } from './reverse.ts';
import { Router } from './router.ts';
import { patternFault } from './subject.ts';
import { API_LIMITS, type TargetSpec, targetOf } from './target.ts';

export type Rule = {
  readonly index: number;
  readonly name: string;
  readonly match: string;
  readonly conditions: readonly Condition[];
  /** Null when the rule drops what it matches. */
  readonly target: TargetSpec | null;
  readonly render: DraftRender;
  readonly deadLetters: DeadLetterSpec | null;
};

export type Plan = {
  readonly config: BridgeConfig;
  readonly rules: readonly Rule[];
  readonly router: Router<Rule>;
  readonly targets: readonly TargetSpec[];
  readonly reverse: readonly ReverseRule[];
  readonly deadLetters: DeadLetterSpec | null;
};

/** Parses and compiles a configuration document, or names every fault in it. */
export function planOf(
  document: unknown,
): { readonly plan: Plan } | { readonly faults: readonly ConfigFault[] } {
  const parsed = parseBridgeConfig(document);
  return 'faults' in parsed ? parsed : compilePlan(parsed.config);
}

/** Compiles a configuration of valid form, or names every fault in its relations. */
function compilePlan(
  config: BridgeConfig,
): { readonly plan: Plan } | { readonly faults: readonly ConfigFault[] } {
  const faults: ConfigFault[] = [];
  const deadLetters = compileDeadLetters(config.dlq, ['dlq'], faults);
  const targets = new Map<string, TargetSpec>();
  const rules = config.rules.map((rule, index) =>
    compileRule(rule, index, { config, deadLetters, targets, faults }),
  );
  const reverse = config.reverse.map((rule, index) =>
    compileReverse(rule, index, compileDeadLetters(rule.dlq, ['reverse', index, 'dlq'], faults), faults),
  );
  faults.push(...checkRelations(config));
  if (faults.length > 0) return { faults };
  const router = new Router(rules);
  return { plan: { config, rules, router, targets: [...targets.values()], reverse, deadLetters } };
}

type Bench = {
  readonly config: BridgeConfig;
  readonly deadLetters: DeadLetterSpec | null;
  readonly targets: Map<string, TargetSpec>;
  readonly faults: ConfigFault[];
};

function compileRule(rule: RuleConfig, index: number, bench: Bench): Rule {
  const { faults } = bench;
  const path = ['rules', index];
  const { conditions, faults: ofConditions } = compileConditions(rule.where, [...path, 'where']);
  faults.push(...ofConditions);
  const badPattern = patternFault(rule.match);
  if (badPattern !== null)
    faults.push({ path: [...path, 'match'], message: `'${rule.match}' ${badPattern}` });
  const { render, faults: ofDestination } = compileDestination(rule, path);
  faults.push(...ofDestination);
  const target = targetOf(rule, bench.config.aws);
  return {
    index,
    name: rule.name ?? `rule ${index + 1}`,
    match: rule.match,
    conditions,
    target: target === null ? null : shareTarget(target, bench, path),
    render,
    deadLetters: compileDeadLetters(rule.dlq, [...path, 'dlq'], faults) ?? bench.deadLetters,
  };
}

/** Two rules with one destination share its queue, so they have to agree on how it is served. */
function shareTarget(target: TargetSpec, bench: Bench, path: readonly (string | number)[]): TargetSpec {
  const limit = API_LIMITS[target.kind];
  if (target.batch.max > limit.entries) {
    const message = `the API takes at most ${limit.entries} entries in a request`;
    bench.faults.push({ path: [...path, 'batch', 'max'], message });
  }
  if (target.batch.bytes > limit.bytes) {
    const message = `the API takes at most ${limit.bytes} bytes in a request`;
    bench.faults.push({ path: [...path, 'batch', 'bytes'], message });
  }
  const known = bench.targets.get(target.key);
  if (known === undefined) {
    bench.targets.set(target.key, target);
    return target;
  }
  if (JSON.stringify(known) !== JSON.stringify(target)) {
    const other = 'with other batch, limits, order or retry';
    const message = `${target.key} is also another rule's destination, ${other}`;
    bench.faults.push({ path: [...path, 'to'], message });
  }
  return known;
}
