import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { plant, repositoryRoot, run } from '../tidy/plant.ts';

const words = (count: number) => Array.from({ length: count }, (_, index) => `word${index}`).join(' ');

async function wrapped(text: string): Promise<string> {
  const root = plant({ 'a.ts': text });
  const wrap = () => run(process.execPath, [join(repositoryRoot, 'scripts/wrapComments.mjs'), root], root);
  expect(await wrap()).toMatchObject({ status: 0 });
  const once = readFileSync(join(root, 'a.ts'), 'utf8');
  await wrap();
  expect(readFileSync(join(root, 'a.ts'), 'utf8')).toBe(once);
  return once;
}

const flat = (text: string) => text.replace(/[/*\s]+/g, ' ');

it.each([
  ['a line', `  // ${words(40)}\nvoid 0;\n`],
  ['a block of one line', `/** ${words(20)}. */\nvoid 0;\n`],
  ['a paragraph', `/**\n * ${words(20)}\n * and ${words(15)}.\n *\n * ${words(30)}\n */\n`],
])('breaks %s before column 110 and keeps every word in its order', async (_, text) => {
  const result = await wrapped(text);

  expect(Math.max(...result.split('\n').map((line) => line.length))).toBeLessThanOrEqual(110);
  expect(flat(result)).toBe(flat(text));
});

it('moves a comment behind code above it, as a sentence', async () => {
  expect(await wrapped(`  const a = 'it'; // as ${words(15)}\n`)).toBe(
    `  // As ${words(15)}\n  const a = 'it';\n`,
  );
});

it.each([
  ['code', `const a = f(${words(20).replaceAll(' ', ', ')});\n`],
  ['a string that looks like a comment', `const a = 'x // ${words(20)}';\n`],
  ['a link', `// https://example.com/${words(1)} ${words(20)}\n`],
  ['an instruction to a tool', `// biome-ignore lint/suspicious/noExplicitAny: ${words(20)}\n`],
  ['what is short enough', `// ${words(10)}\n// ${words(10)}\n`],
])('leaves %s alone', async (_, text) => {
  expect(await wrapped(text)).toBe(text);
});
