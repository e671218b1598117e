/**
 * What can be known of a JSONata expression before it runs. Step Functions gives an expression no context
 * value, only `$states` and the workflow's variables; an expression that reads anything else would be
 * undefined at its first use, hours into a rollout, so it is refused when the machine is loaded.
 */
import { builtins } from './builtins.ts';

/** A node of jsonata's syntax tree, whose own type leaves out half of the members. */
// biome-ignore lint/suspicious/noExplicitAny: the tree is read by node type, as jsonata's evaluator does
export type Ast = any;

export type StatesMember = 'input' | 'result' | 'errorOutput' | 'context';

export type ExpressionFacts = {
  /** The members of `$states` that are read; all of them where `$states` is used as a whole. */
  readonly reads: ReadonlySet<StatesMember>;
  /** Every variable that is read and not bound by the expression itself; `states` is not among them. */
  readonly variables: ReadonlySet<string>;
  /** Every function that is called by name. */
  readonly functions: ReadonlySet<string>;
};

// jsonata registers these at run time; there is no list to ask it for (jsonata.js, "Function registration").
const JSONATA_FUNCTIONS = new Set(
  (
    'abs append assert average base64decode base64encode boolean ceil clone contains count decodeUrl ' +
    'decodeUrlComponent distinct each encodeUrl encodeUrlComponent error exists filter floor formatBase ' +
    'formatInteger formatNumber fromMillis join keys length lookup lowercase map match max merge min not ' +
    'number pad parseInteger power reduce replace reverse round sift single sort split spread sqrt string ' +
    'substring substringAfter substringBefore sum toMillis trim type uppercase zip'
  ).split(' '),
);

export const isFunctionName = (name: string) => JSONATA_FUNCTIONS.has(name) || Object.hasOwn(builtins, name);

/**
 * Reads an expression's tree. `refuse` is called with a sentence for the first thing that cannot work;
 * `members` are those of `$states` that exist where the expression stands.
 */
export function inspect(
  ast: Ast,
  members: ReadonlySet<StatesMember>,
  refuse: (sentence: string) => never,
): ExpressionFacts {
  const locals = new Set<string>();
  collectLocals(ast, locals);
  const reads = new Set<StatesMember>();
  const variables = new Set<string>();
  const functions = new Set<string>();

  const variable = (name: string, inContext: boolean, member?: string) => {
    if (name === '$') refuse('$$ has no value in Step Functions; use $states.input.');
    if (name === '') return inContext ? undefined : refuse('$ has no value here; use $states.input.');
    if (name === 'states') {
      if (member !== undefined && !members.has(member as StatesMember)) {
        const known = [...members].map((each) => `$states.${each}`).join(', ');
        refuse(`$states.${member} does not exist here, only ${known}.`);
      }
      for (const read of member === undefined ? members : [member as StatesMember]) reads.add(read);
    } else if (!locals.has(name)) variables.add(name);
  };

  const call = (procedure: Ast, inContext: boolean) => {
    if (procedure.type !== 'variable') return walk(procedure, inContext);
    const name = procedure.value as string;
    if (name === 'eval') refuse('$eval is not available in Step Functions; use $parse for JSON.');
    functions.add(name);
    if (!locals.has(name) && !isFunctionName(name)) {
      refuse(`$${name} is not a function of JSONata or Step Functions.`);
    }
  };

  const walkPath = (node: Ast, inContext: boolean) => {
    node.steps.forEach((step: Ast, index: number) => {
      const next = node.steps[index + 1];
      if (index === 0 && step.type === 'variable') {
        variable(step.value, inContext, next?.type === 'name' ? next.value : undefined);
        walkFilters(step);
      } else walk(step, inContext || index > 0);
    });
    if (node.group) walkPairs(node.group.lhs, true);
  };

  const walkPairs = (pairs: readonly [Ast, Ast][], inContext: boolean) => {
    for (const [key, value] of pairs) {
      walk(key, inContext);
      walk(value, inContext);
    }
  };

  const walkFilters = (node: Ast) => {
    for (const filter of [...(node.predicate ?? []), ...(node.stages ?? [])])
      if (filter.expr) walk(filter.expr, true);
    if (node.group && node.type !== 'path') walkPairs(node.group.lhs, true);
  };

  const walk = (node: Ast, inContext: boolean): void => {
    if (node === undefined || node === null) return;
    switch (node.type) {
      case 'path':
        walkPath(node, inContext);
        break;
      case 'name':
        if (!inContext)
          refuse(`the name ${node.value} has nothing to be looked up in; use $states.input.${node.value}.`);
        break;
      case 'wildcard':
      case 'descendant':
      case 'parent':
        if (!inContext) refuse('a wildcard has nothing to be looked up in; start from $states.input.');
        break;
      case 'variable':
        variable(node.value, inContext);
        break;
      case 'function':
      case 'partial':
        call(node.procedure, inContext);
        for (const argument of node.arguments) walk(argument, inContext);
        break;
      case 'lambda':
        walk(node.body, inContext);
        break;
      case 'transform':
        for (const part of [node.pattern, node.update, node.delete]) walk(part, true);
        break;
      case 'sort':
        for (const term of node.terms) walk(term.expression, true);
        break;
      default:
        for (const child of [node.lhs, node.rhs, node.expression, node.condition, node.then, node.else]) {
          if (Array.isArray(child)) walkPairs(child, inContext);
          else walk(child, inContext);
        }
        for (const child of node.expressions ?? []) walk(child, inContext);
    }
    if (node.type !== 'path') walkFilters(node);
  };

  walk(ast, false);
  return { reads, variables, functions };
}

/** Names that the expression binds itself: `:=`, the parameters of its functions, `@$x` and `#$i`. */
function collectLocals(node: Ast, locals: Set<string>): void {
  if (typeof node !== 'object' || node === null) return;
  if (node.type === 'bind') locals.add(node.lhs.value);
  if (node.type === 'lambda') for (const parameter of node.arguments) locals.add(parameter.value);
  if (typeof node.focus === 'string') locals.add(node.focus);
  if (typeof node.index === 'string') locals.add(node.index);
  for (const child of Object.values(node)) collectLocals(child, locals);
}
