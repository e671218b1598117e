/** A YAML file that a person wrote: its value, and for every problem with it the line where it stands. */
import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import type { Problem } from '../../core/config/problem.ts';

/** The file cannot be used; the message has one line per problem. */
export class ConfigurationRefused extends Error {
  override readonly name = 'ConfigurationRefused';
}

/** @throws ConfigurationRefused when it is no YAML */
export function readYaml(text: string, name: string) {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: true, merge: true });
  const [broken] = document.errors;
  if (broken !== undefined) throw new ConfigurationRefused(`${name}: ${broken.message.split('\n')[0]}`);
  return { value: document.toJS() as unknown, document: document.contents, lines };
}

/** Every problem as `file:line: path: sentence`, each once. */
export function refused(
  problems: readonly Problem[],
  document: Node | null,
  lines: LineCounter,
  name: string,
): ConfigurationRefused {
  const said = problems.map(
    (problem) =>
      `${name}:${lineOf(document, problem, lines)}: ${problem.path.join('.')}: ${problem.sentence}`,
  );
  return new ConfigurationRefused([...new Set(said)].join('\n'));
}

/** Line of the deepest part of the problem's path that stands in the file; 1 when none does. */
export function lineOf(root: Node | null, { path }: Pick<Problem, 'path'>, lines: LineCounter): number {
  let node: unknown = root;
  let offset = 0;
  for (const part of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && key.value === part);
      if (pair === undefined) break;
      offset = isScalar(pair.key) ? (pair.key.range?.[0] ?? offset) : offset;
      node = pair.value;
    } else if (isSeq(node) && typeof part === 'number') {
      node = node.items[part];
      offset = (node as Node | undefined)?.range?.[0] ?? offset;
    } else break;
  }
  return lines.linePos(offset).line;
}
