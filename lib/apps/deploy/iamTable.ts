/** Who may do what, as a table for docs/security.md: read off the roles as compiled, right by right. */
import { type Cfn, functionId, type Resource, roleId } from './cloudFormation.ts';
import type { Deployment } from './deployment.ts';
import { deployedFunctions } from './functions.ts';
import { machines } from './machines.ts';
import { roles } from './roles.ts';

type Statement = {
  readonly Action: readonly string[];
  readonly Resource: '*' | readonly Cfn[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
};

type Properties = {
  readonly Policies: readonly { readonly PolicyDocument: { readonly Statement: readonly Statement[] } }[];
};

/** Everybody writes a log and a trace: said once above the table. */
const everybodys = /^(?:logs|xray):/;

type Right = { readonly action: string; readonly on: string; readonly who: string };

/** Markdown: actions with the same resources and the same holders share a row. */
export function iamTable(deployment: Deployment): string {
  const made = roles(deployment);
  const holders = [
    ...Object.keys(deployedFunctions).map((verb) => ({ who: verb, id: roleId(verb) })),
    ...machines.map(({ name }) => ({ who: `machine ${name}`, id: roleId(`${name}-machine`) })),
  ];
  const rights = holders.flatMap(({ who, id }) =>
    statementsOf(made[id]).flatMap((statement) => rightsOf(statement, who)),
  );
  const holdersOf = Map.groupBy(rights, ({ action, on }) => `${action} ${on}`);
  const rows = Map.groupBy(
    [...holdersOf.values()].map((same) => ({
      action: same[0]?.action ?? '',
      on: same[0]?.on ?? '',
      who: [...new Set(same.map(({ who }) => who))].join(', '),
    })),
    ({ on, who, action }) => `${action.split(':')[0]}${on}${who}`,
  );
  const lines = [...rows.values()].map(
    (same) => `| ${same.map(({ action }) => action).join(', ')} | ${same[0]?.on} | ${same[0]?.who} |`,
  );
  return ['| may | on | who |', '|---|---|---|', ...lines.sort()].join('\n');
}

const statementsOf = (role: Resource | undefined): readonly Statement[] =>
  ((role?.Properties ?? { Policies: [] }) as unknown as Properties).Policies.flatMap(
    ({ PolicyDocument }) => PolicyDocument.Statement,
  );

function rightsOf({ Action, Resource: resources, Condition }: Statement, who: string): readonly Right[] {
  const names = resources === '*' ? ['`*`'] : [...new Set(resources.map(nameOf))];
  const only = Object.entries(Condition ?? {}).flatMap(([, keys]) =>
    Object.entries(keys).map(([key, value]) => `${key} is ${wanted(value)}`),
  );
  const on = `${names.join(', ')}${only.length === 0 ? '' : `, where ${only.join(' and ')}`}`;
  return Action.filter((action) => !everybodys.test(action)).map((action) => ({ action, on, who }));
}

const wanted = (value: unknown): string =>
  typeof value === 'string'
    ? value
    : String(Object.values(value as object)[0]).replaceAll('${AWS::Region}', '…');

const verbs = new Map(
  Object.keys(deployedFunctions).map((verb) => [`${functionId(verb)}LambdaFunction`, verb]),
);

/** What the configuration names, in its own words. */
const configured: Readonly<Record<string, string>> = {
  service: 'the configured ECS services',
  targetgroup: 'the configured target groups',
  'listener-rule': 'the configured listener rules',
  listener: 'the configured listeners',
  role: 'the roles in `passRoles`',
};

/** A resource as a person calls it: its logical id, or the end of its ARN. */
function nameOf(resource: Cfn): string {
  const [[intrinsic = '', argument] = []] =
    typeof resource === 'string' ? [['Fn::Sub', resource] as const] : Object.entries(resource ?? {});
  if (intrinsic === 'Fn::Sub') {
    const text = String(argument)
      .replaceAll('${AWS::', '${')
      .replace(/\$\{(\w+)\.Arn\}/, '$1');
    const end = text.startsWith('arn:') ? text.split(':').slice(5).join(':') : text;
    return configured[end.split('/')[0] ?? ''] ?? `\`${end}\``;
  }
  const [id = '', attribute] = [argument].flat() as readonly string[];
  return verbs.get(id) ?? (attribute === 'StreamArn' ? `the stream of \`${id}\`` : `\`${id}\``);
}
