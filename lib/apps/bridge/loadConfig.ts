/**
 * Reads the bridge's configuration file and says where in it something is wrong: file, line, what and why.
 */
import { readFile } from 'node:fs/promises';
import { type Document, isNode, LineCounter, parseDocument } from 'yaml';
import type { ConfigFault } from '../../core/bridge/config.ts';
import { type Plan, planOf } from '../../core/bridge/plan.ts';

/** The file cannot be used as it is; the message has one line per fault. */
export class ConfigRefused extends Error {
  override readonly name = 'ConfigRefused';
}

const VARIABLE = 'env:';

/** Whether `--config` names an environment variable: it holds the document itself, and does not change. */
export const isVariable = (place: string): boolean => place.startsWith(VARIABLE);

/**
 * Reads and compiles a YAML or JSON file, or what an environment variable holds.
 * @param file its path, or `env:NAME`
 * @throws ConfigRefused
 */
export async function loadPlan(file: string): Promise<Plan> {
  if (isVariable(file)) {
    const name = file.slice(VARIABLE.length);
    const document = process.env[name];
    if (document === undefined) throw new ConfigRefused(`the environment variable ${name} is not set`);
    return parsePlan(document, name);
  }
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new ConfigRefused(`${file}: ${(error as Error).message}`);
  }
  return parsePlan(text, file);
}

/**
 * Compiles the text of a configuration.
 * @param name what the text is called in messages
 * @throws ConfigRefused
 */
export function parsePlan(text: string, name: string): Plan {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const [syntax] = document.errors;
  if (syntax !== undefined) {
    const at = lines.linePos(syntax.pos[0]);
    throw new ConfigRefused(`${name}:${at.line}: ${syntax.message.split('\n')[0]}`);
  }
  const result = planOf(document.toJS());
  if ('plan' in result) return result.plan;
  const told = result.faults.map(
    (fault) => `${name}:${lineOf(document, lines, fault)}: ${placeOf(fault)}${fault.message}`,
  );
  throw new ConfigRefused([...new Set(told)].join('\n'));
}

const placeOf = ({ path }: ConfigFault) => (path.length === 0 ? '' : `${path.join('.')}: `);

/** The line of the innermost node on the fault's path that exists. */
function lineOf(document: Document, lines: LineCounter, { path }: ConfigFault): number {
  for (let depth = path.length; depth >= 0; depth--) {
    const node = depth === 0 ? document.contents : document.getIn(path.slice(0, depth), true);
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return 1;
}
