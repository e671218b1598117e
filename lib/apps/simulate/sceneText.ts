/** A scenario as a test that can be pasted beside the others: `play` throws where it breaks a promise. */
import type { Scenario } from './scenario.ts';

/** A line of the house is so long; what fits on one stands on one. */
const columnsMax = 100;

export function sceneText(scenario: Scenario, check: string): string {
  const { seed } = scenario;
  return `it('seed ${seed}: ${check}', async () => {\n  await play(${literal(scenario, 2)});\n});\n`;
}

function literal(value: unknown, indent: number): string {
  const flat = flatLiteral(value);
  if (flat.length + indent <= columnsMax || typeof value !== 'object' || value === null) return flat;
  const inner = ' '.repeat(indent + 2);
  const lines = Array.isArray(value)
    ? value.map((item) => `${inner}${literal(item, indent + 2)},`)
    : entriesOf(value).map(([key, item]) => `${inner}${keyText(key)}: ${literal(item, indent + 2)},`);
  const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{', '}'];
  return `${open}\n${lines.join('\n')}\n${' '.repeat(indent)}${close}`;
}

function flatLiteral(value: unknown): string {
  if (typeof value === 'string') return `'${value.replace(/['\\]/g, '\\$&').replace(/\n/g, '\\n')}'`;
  if (Array.isArray(value)) return `[${value.map(flatLiteral).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  const inner = entriesOf(value).map(([key, item]) => `${keyText(key)}: ${flatLiteral(item)}`);
  return inner.length === 0 ? '{}' : `{ ${inner.join(', ')} }`;
}

/** What is left out is not written. */
const entriesOf = (value: object): [string, unknown][] =>
  Object.entries(value).filter(([, item]) => item !== undefined);

const keyText = (key: string): string => (/^[A-Za-z_]\w*$/.test(key) ? key : `'${key}'`);
