/**
 * IAM's rules as far as our policies use them: an explicit deny wins, an allow is needed, resources and
 * actions match by `*` and `?`, every condition of a statement must hold. (IAM user guide, "Policy evaluation
 * logic".)
 */
export type Statement = {
  readonly Effect: 'Allow' | 'Deny';
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Principal?: '*' | Readonly<Record<string, string | readonly string[]>>;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
};

export type Request = {
  readonly action: string;
  readonly resource: string;
  /** Who asks, for policies on resources: `{ AWS: arn }` or `{ Service: name }`. */
  readonly principal?: Readonly<Record<string, string>>;
  /** Condition keys of the request. */
  readonly context?: Readonly<Record<string, string>>;
};

export function decide(
  statements: readonly Statement[],
  request: Request,
): 'allowed' | 'denied' | 'not allowed' {
  const applies = statements.filter((statement) => covers(statement, request));
  if (applies.some(({ Effect }) => Effect === 'Deny')) return 'denied';
  return applies.some(({ Effect }) => Effect === 'Allow') ? 'allowed' : 'not allowed';
}

function covers(statement: Statement, request: Request): boolean {
  return (
    listed(statement.Action).some((action) => matches(action.toLowerCase(), request.action.toLowerCase())) &&
    listed(statement.Resource).some((resource) => matches(resource, request.resource)) &&
    (statement.Principal === undefined || isPrincipal(statement.Principal, request.principal ?? {})) &&
    Object.entries(statement.Condition ?? {}).every(([operator, keys]) =>
      Object.entries(keys).every(([key, wanted]) => holds(operator, listed(wanted), request.context?.[key])),
    )
  );
}

function isPrincipal(wanted: NonNullable<Statement['Principal']>, given: Readonly<Record<string, string>>) {
  if (wanted === '*') return true;
  return Object.entries(wanted).some(([kind, names]) =>
    listed(names).some((name) => given[kind] !== undefined && matches(name, given[kind])),
  );
}

function holds(operator: string, wanted: readonly string[], given: string | undefined): boolean {
  const [, not, ifExists] = /(Not)?(?:Equals|Like)(IfExists)?$/.exec(operator) ?? [];
  if (given === undefined) return not !== undefined || ifExists !== undefined;
  if (operator === 'Bool') return wanted.includes(given);
  const like = /^(?:Arn|StringLike|StringNotLike)/.test(operator);
  const found = wanted.some((one) => (like ? matches(one, given) : one === given));
  return not === undefined ? found : !found;
}

const listed = (value: string | readonly string[]): readonly string[] =>
  typeof value === 'string' ? [value] : value;

function matches(pattern: string, text: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`).test(text);
}
