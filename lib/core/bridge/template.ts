/**
 * Texts with holes: `orders.{{wildcard(1)}}`, `{{header(Nats-Msg-Id)|streamSeq}}`,
 * `Canary{{pascal(wildcard(2))}}`. A hole holds calls separated by `|`; the first that gives something wins.
 * Parsed and checked once, when the configuration is loaded; what runs per message is a closure.
 */

export type Render<C> = (context: C) => string;

/** A function's arguments as written, and the means to compile an argument that is itself a call. */
export type CallSite<C> = {
  readonly args: readonly string[];
  compile(expression: string): Render<C> | Fault;
};

/** Builds the closure of one call, or says what is wrong with it. */
export type TemplateFunction<C> = (site: CallSite<C>) => Render<C> | Fault;
export type FunctionTable<C> = ReadonlyMap<string, TemplateFunction<C>>;

/** What is wrong, in words. */
export type Fault = { readonly fault: string };

export function fault(reason: string): Fault {
  return { fault: reason };
}

export function isFault(value: unknown): value is Fault {
  return typeof value === 'object' && value !== null && 'fault' in value;
}

export type Template<C> = {
  readonly render: Render<C>;
  /** The text when it has no holes, else null. */
  readonly constant: string | null;
};

const HOLE = /\{\{(.*?)\}\}/gs;
/** NATS's older form of wildcard(n), a whole token: `orders.$1`. */
const DOLLAR_TOKEN = /(^|\.)\$(\d+)(?=\.|$)/g;

/**
 * Compiles a template against the functions that exist in its place.
 * @returns the template, or every fault found in it
 */
export function compileTemplate<C>(
  source: string,
  functions: FunctionTable<C>,
): Template<C> | readonly Fault[] {
  const text = functions.has('wildcard') ? source.replace(DOLLAR_TOKEN, '$1{{wildcard($2)}}') : source;
  const parts: (string | Render<C>)[] = [];
  const faults: Fault[] = [];
  let from = 0;
  for (const hole of text.matchAll(HOLE)) {
    if (hole.index > from) parts.push(text.slice(from, hole.index));
    const compiled = compileExpression(hole[1] as string, functions);
    if (isFault(compiled)) faults.push(compiled);
    else parts.push(compiled);
    from = hole.index + hole[0].length;
  }
  const rest = text.slice(from);
  if (rest.includes('{{') || rest.includes('}}')) faults.push(fault("has '{{' and '}}' that do not pair"));
  if (rest !== '') parts.push(rest);
  if (faults.length > 0) return faults;
  return templateOf(parts);
}

function templateOf<C>(parts: readonly (string | Render<C>)[]): Template<C> {
  if (parts.every((part) => typeof part === 'string')) {
    const constant = parts.join('');
    return { render: () => constant, constant };
  }
  const [first, second, third] = parts;
  if (parts.length === 1) return { render: first as Render<C>, constant: null };
  const renders = parts.map((part): Render<C> => (typeof part === 'string' ? () => part : part));
  if (parts.length === 2 && typeof first === 'string' && typeof second === 'function') {
    return { render: (context) => first + second(context), constant: null };
  }
  if (parts.length === 3 && third !== undefined) {
    const [a, b, c] = renders as [Render<C>, Render<C>, Render<C>];
    return { render: (context) => a(context) + b(context) + c(context), constant: null };
  }
  return {
    render: (context) => {
      let text = '';
      for (const render of renders) text += render(context);
      return text;
    },
    constant: null,
  };
}

function compileExpression<C>(expression: string, functions: FunctionTable<C>): Render<C> | Fault {
  const alternatives: Render<C>[] = [];
  for (const term of splitOutside(expression, '|')) {
    const compiled = compileTerm(term.trim(), functions);
    if (isFault(compiled)) return compiled;
    alternatives.push(compiled);
  }
  const [only, ...others] = alternatives as [Render<C>, ...Render<C>[]];
  if (others.length === 0) return only;
  return (context) => {
    for (const alternative of alternatives) {
      const text = alternative(context);
      if (text !== '') return text;
    }
    return '';
  };
}

const CALL = /^([A-Za-z][A-Za-z0-9]*)\s*(?:\((.*)\))?$/s;
const QUOTED = /^'([^']*)'$|^"([^"]*)"$/;

function compileTerm<C>(term: string, functions: FunctionTable<C>): Render<C> | Fault {
  const quoted = QUOTED.exec(term);
  if (quoted !== null) {
    const text = quoted[1] ?? quoted[2] ?? '';
    return () => text;
  }
  const dollar = /^\$(\d+)$/.exec(term);
  const call = CALL.exec(dollar === null ? term : `wildcard(${dollar[1]})`);
  if (call === null) return fault(`'${term}' is not a function call`);
  const written = call[1] as string;
  // The server accepts both {{Wildcard(1)}} and {{wildcard(1)}}.
  const make = functions.get(written.charAt(0).toLowerCase() + written.slice(1));
  if (make === undefined) {
    return fault(`'${written}' is not a function here; there are: ${[...functions.keys()].join(', ')}`);
  }
  const args =
    call[2] === undefined || call[2].trim() === '' ? [] : splitOutside(call[2], ',').map((a) => a.trim());
  const made = make({ args, compile: (expression) => compileExpression(expression, functions) });
  return isFault(made) ? fault(`${written}: ${made.fault}`) : made;
}

/** Splits at a separator that stands outside parentheses and quotes. */
function splitOutside(text: string, separator: string): readonly string[] {
  const parts: string[] = [];
  let depth = 0;
  let quote = '';
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const char = text.charAt(i);
    if (quote !== '') quote = char === quote ? '' : quote;
    else if (char === "'" || char === '"') quote = char;
    else if (char === '(') depth++;
    else if (char === ')') depth--;
    else if (char === separator && depth === 0) {
      parts.push(text.slice(from, i));
      from = i + 1;
    }
  }
  parts.push(text.slice(from));
  return parts;
}
