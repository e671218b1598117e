/**
 * What is said in two places must be the same: functions and their deployment, error names and who catches
 * them.
 */
import { type Finding, type House, isProgram, lineAt, type Rule, type Source } from './house.ts';

/** Step Functions' and Lambda's own error names (Step Functions Developer Guide, "Error names"). */
const AWS_ERRORS = new Set(
  [
    ...['ALL', 'BranchFailed', 'DataLimitExceeded', 'ExceedToleratedFailureThreshold', 'HeartbeatTimeout'],
    ...['Http.Socket', 'IntrinsicFailure', 'ItemReaderFailed', 'NoChoiceMatched', 'ParameterPathFailure'],
    ...['Permissions', 'QueryEvaluationError', 'ResultPathMatchFailure', 'ResultWriterFailed', 'Runtime'],
    ...['TaskFailed', 'Timeout'],
  ].map((name) => `States.${name}`),
);
for (const name of ['AWSLambdaException', 'ClientExecutionTimeoutException', 'SdkClientException']) {
  AWS_ERRORS.add(`Lambda.${name}`);
}
for (const name of ['ServiceException', 'TooManyRequestsException', 'Unknown'])
  AWS_ERRORS.add(`Lambda.${name}`);
// What Lambda itself says of a function that ran out of time, or whose process ended.
for (const name of ['Sandbox.Timedout', 'Runtime.ExitError']) AWS_ERRORS.add(name);

/** The one list of what is deployed; serverless.yml takes its functions from it. */
const TABLE = 'lib/apps/deploy/functions.ts';

function functionsAndTable({ sources }: House): Finding[] {
  const table = sources.find(({ path }) => path === TABLE);
  if (table === undefined) return [];
  const folders = new Set(
    sources.flatMap(({ path }) => /^functions\/([^/]+)\/handler\.ts$/.exec(path)?.[1] ?? []),
  );
  const deployed = new Map(
    [...table.text.matchAll(/^ {2}'?([a-z]+(?:-[a-z]+)*)'?: \{$/gm)].map((match) => [
      match[1] as string,
      lineAt(table.text, match.index),
    ]),
  );
  const missing = [...folders]
    .filter((folder) => !deployed.has(folder))
    .map((folder) => ({
      path: `functions/${folder}/handler.ts`,
      line: 1,
      says: `not deployed: add its entry to ${TABLE}`,
    }));
  const unknown = [...deployed]
    .filter(([verb]) => !folders.has(verb))
    .map(([verb, line]) => ({ path: TABLE, line, says: `there is no functions/${verb}/handler.ts` }));
  return [...missing, ...unknown];
}

function caughtErrors({ sources }: House): Finding[] {
  const machines = sources.filter(({ path }) => /^statemachines\/.*\.asl\.json$/.test(path));
  const ours = errorNames(sources);
  return machines.flatMap(({ path, text }) => {
    const machine: unknown = JSON.parse(text);
    const failures = new Set(valuesOf(machine, 'Error'));
    return [...new Set(valuesOf(machine, 'ErrorEquals').flat())]
      .filter((name) => !ours.has(name as string) && !AWS_ERRORS.has(name as string) && !failures.has(name))
      .map((name) => ({
        path,
        line: text.slice(0, text.indexOf(`"${name}"`)).split('\n').length,
        says: `${name} is the name of no exported error: nothing will ever be caught`,
      }));
  });
}

/**
 * The `name` that each exported error class sets: AWS matches that, and a bundler leaves the string alone.
 */
function errorNames(sources: readonly Source[]): Set<string> {
  const named = /^export (?:abstract )?class \w+[^{]*\{[^}]*?\breadonly name\b[^=;]*=\s*'(\w+)'/gm;
  return new Set(
    sources
      .filter(isProgram)
      .flatMap(({ text }) => [...text.matchAll(named)].map(([, name]) => name as string)),
  );
}

/** Every value that stands somewhere in `json` under `key`. */
function valuesOf(json: unknown, key: string): unknown[] {
  if (json === null || typeof json !== 'object') return [];
  return Object.entries(json).flatMap(([name, value]) => (name === key ? [value] : valuesOf(value, key)));
}

type Lock = {
  readonly packages?: Readonly<
    Record<string, { resolved?: string; optionalDependencies?: Record<string, string> }>
  >;
};

/**
 * npm leaves a package's build for another platform out of the lock when the registry lacks it, and `npm ci`
 * then refuses the lock. And where a package came from is the machine's own matter.
 */
function wholeLock({ sources }: House): Finding[] {
  const lock = sources.find(({ path }) => path === 'package-lock.json');
  const packages = (lock === undefined ? {} : (JSON.parse(lock.text) as Lock)).packages ?? {};
  return Object.entries(packages).flatMap(([place, { resolved, optionalDependencies = {} }]) => {
    const line = lineAt(lock?.text ?? '', lock?.text.indexOf(`"${place}": {`) ?? 0);
    const says = Object.keys(optionalDependencies)
      .filter((name) => !foldersAbove(place).some((folder) => `${folder}node_modules/${name}` in packages))
      .map((name) => `its ${name} is not in the lock: pin a version that the registry has whole`);
    if (/^https?:/.test(resolved ?? ''))
      says.push('names a registry: npm install --omit-lockfile-registry-resolved');
    return says.map((sentence) => ({ path: 'package-lock.json', line, says: `${place}: ${sentence}` }));
  });
}

/** Where a package's dependency may be installed: inside it, or in a folder above, up to the root. */
function foldersAbove(place: string): string[] {
  const parts = place === '' ? [] : place.split(/(?=(?<=\/)node_modules\/)/);
  return [
    '',
    ...parts.map(
      (_, index) =>
        `${parts
          .slice(0, index + 1)
          .join('')
          .replace(/\/$/, '')}/`,
    ),
  ];
}

export const agreementRules: readonly Rule[] = [
  { name: 'the lockfile is whole', find: wholeLock },
  { name: 'every function is deployed, and nothing else', find: functionsAndTable },
  { name: 'every error that is caught can be thrown', find: caughtErrors },
];
