/**
 * Reads `switchback.yml` (or JSON), checks it whole and answers complete settings. Everything that is wrong is
 * said at once, each with file, line and remedy; nothing is half read.
 */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import { type Configuration, type Problem, settingsOf } from '../../core/config/configuration.ts';

/** The file cannot be used; the message has one line per problem. */
export class ConfigurationRefused extends Error {
  override readonly name = 'ConfigurationRefused';
}

/** @throws ConfigurationRefused with every problem, each with its line */
export async function compileConfiguration(path: string): Promise<Configuration> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new ConfigurationRefused(`${path} cannot be read: name an existing file`, { cause });
  }
  return configurationFrom(text, basename(path));
}

/** @param name the file's name, for the messages */
export function configurationFrom(text: string, name: string): Configuration {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: true });
  const [broken] = document.errors;
  if (broken !== undefined) throw new ConfigurationRefused(`${name}: ${broken.message.split('\n')[0]}`);
  const result = settingsOf(document.toJS());
  if ('problems' in result) {
    const said = result.problems.map((problem) => {
      const line = lineOf(document.contents, problem, lines);
      return `${name}:${line}: ${problem.path.join('.')}: ${problem.sentence}`;
    });
    throw new ConfigurationRefused([...new Set(said)].join('\n'));
  }
  return result;
}

/** Line of the deepest part of the problem's path that stands in the file; 1 when none does. */
function lineOf(root: Node | null, { path }: Problem, lines: LineCounter): number {
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
