/**
 * A client's error schemas and classes, written short. Most of a service's errors carry a message and nothing
 * else, and the SDK gives each of them a class and a schema, some 350 bytes together; here they are rows of
 * one text.
 * What is thrown has the same class hierarchy, name, fault and members. An error with members of its own
 * stays as it is, and so does a file that is not written as expected.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const constants = /^const (_\w+) = "([^"]*)";$/gm;

const block =
  /^export var (\w+)\$ = \[-3, n0, (_\w+),\n {4}(\{.*\}),\n {4}\[(_[mM])?\],\n {4}\[0?\]\n\];\nn0_registry\.registerError\(\1\$, \1\);\n/gm;

/** `{ [_aQE]: [`Code`, 400], [_e]: _c, [_hE]: 400 }`, each part optional but the fault. */
const traits = /^\{ (?:\[_aQE\]: \[`([\w.]+)`, (\d+)\], )?\[_e\]: (_c|_se)(?:, \[_hE\]: (\d+))? \}$/;

/**
 * @param text of a client's schemas_0.js, at `path`; its classes stand in the models beside it
 * @returns null where there is nothing to shorten
 */
export function shortErrorSchemas(text, path) {
  const classes = readFileSync(join(dirname(path), '../models/errors.js'), 'utf8');
  const values = new Map([...text.matchAll(constants)].map(([, name, value]) => [name, value]));
  const base = /_s_registry\.registerError\(\w+\$, (\w+)\);/.exec(text)?.[1];
  if (base === undefined || !text.includes('const n0_registry = new TypeRegistry(n0);')) return null;
  const rows = [];
  const shown = new Set();
  const shorter = text.replace(block, (whole, exported, name, given, member) => {
    const [, code = '', codeStatus = '', fault, status = ''] = traits.exec(given) ?? [];
    if (fault === undefined || isRetryable(exported, classes)) return whole;
    rows.push([values.get(name), code, codeStatus, fault === '_c' ? 'c' : 's', status, member ?? ''].join());
    shown.add(exported);
    return '';
  });
  if (rows.length === 0) return null;
  return withoutImports(shorter, shown).replace(
    /^export const errorTypeRegistries/m,
    `${register(base, rows)}export const errorTypeRegistries`,
  );
}

/** The SDK tries again after it: only its class says so. */
const isRetryable = (name, classes) =>
  new RegExp(`^export class ${name} extends(?:(?!^export).)*\\$retryable`, 'ms').test(classes);

/** The classes that are no longer named. */
function withoutImports(text, shown) {
  return text.replace(/^import \{ ([^}]*?),? \} from "\.\.\/models\/errors";\n/m, (_, names) => {
    const left = names.split(', ').filter((name) => !shown.has(name));
    return left.length === 0 ? '' : `import { ${left.join(', ')} } from "../models/errors";\n`;
  });
}

const register = (base, rows) => `
for (const row of ${JSON.stringify(rows.join(';'))}.split(';')) {
  const [name, code, codeStatus, kind, status, member] = row.split(',');
  const $fault = kind === 'c' ? 'client' : 'server';
  const traits = { error: $fault };
  if (code) traits.awsQueryError = [code, Number(codeStatus)];
  if (status) traits.httpError = Number(status);
  const members = member === '_M' ? ['Message'] : member === '_m' ? ['message'] : [];
  n0_registry.registerError([-3, n0, name, traits, members, members.map(() => 0)], class extends ${base} {
    constructor(given) {
      super({ name, $fault, ...given });
      Object.setPrototypeOf(this, new.target.prototype);
      this.name = name;
      this.$fault = $fault;
      if (member === '_M') this.Message = given.Message;
    }
  });
}
`;

/**
 * The SDK's error classes from one function. Its exports, each error's name, fault and own members stay;
 * null, and so the file as it is, when it holds anything that is not understood.
 */
export function shortErrorClasses(text) {
  const [base] = text.match(/^import \{ \w+ as __BaseException \} from "[^"]+";\n/) ?? [];
  if (base === undefined) return null;
  const classes = text.slice(base.length).split(/^(?=export class )/m);
  const short = classes.map(shortError);
  if (short.includes(null)) return null;
  return `${base}${errorFunction}${short.join('')}`;
}

const errorFunction = `
const error = (name, fault, members = [], more = undefined) => class extends __BaseException {
  constructor(given) {
    super({ name, $fault: fault, ...given });
    Object.setPrototypeOf(this, new.target.prototype);
    this.name = name;
    this.$fault = fault;
    Object.assign(this, more);
    for (const member of members) this[member] = given[member];
  }
};
`;

const errorClass =
  /^export class (\w+) extends __BaseException \{\n(?: {4}static shapeId = "[^"]+";\n)? {4}name = "(\w+)";\n {4}\$fault = "(client|server)";\n(?: {4}\$retryable = (\{[^}]*\});\n)?((?: {4}\w+;\n)*) {4}constructor\(opts\) \{\n {8}super\(\{\n {12}name: "\w+",\n {12}\$fault: "\w+",\n {12}\.\.\.opts,\n {8}\}\);\n {8}Object\.setPrototypeOf\(this, \w+\.prototype\);\n((?: {8}this\.\w+ = opts\.\w+;\n)*) {4}\}\n\}\n*$/;

function shortError(text) {
  const [, exported, name, fault, retryable, , assigned = ''] = errorClass.exec(text) ?? [];
  if (exported === undefined) return null;
  const members = [...assigned.matchAll(/this\.(\w+) = opts\.\1;/g)].map(([, member]) => member);
  const more = retryable === undefined ? '' : `, ${JSON.stringify(members)}, { $retryable: ${retryable} }`;
  const own = more !== '' ? more : members.length > 0 ? `, ${JSON.stringify(members)}` : '';
  return `export const ${exported} = /* @__PURE__ */ error('${name}', '${fault}'${own});\n`;
}
