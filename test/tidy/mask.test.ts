import { describe, expect, it } from 'vitest';
import { isProgram, readHouse } from './house.ts';
import { mask } from './mask.ts';
import { repositoryRoot } from './plant.ts';

const code = (text: string) => mask(text).code;

describe('the mask', () => {
  it('blanks comments and keeps every line and column', () => {
    expect(code('a // b\n/* c\n d */ e')).toBe('a     \n    \n      e');
  });

  it('blanks what stands between quotes, escaped quotes too', () => {
    expect(code(`f('a\\'b', "c") + 1`)).toBe(`f('    ', " ") + 1`);
  });

  it('keeps the code inside a template, however deep', () => {
    expect(code('`a${b}c${`d${{ e: 1 }}`}f` + g')).toBe('` ${b} ${` ${{ e: 1 }}`} ` + g');
  });

  it('does not take a quote in a regular expression for a string, nor a division for one', () => {
    expect(code(`x.replace(/['"/]/g, y) + a / b / c;`)).toBe('x.replace(/     /g, y) + a / b / c;');
  });

  it('answers each literal with its place', () => {
    const text = `import { a } from './a.ts'; const b = \`./b.ts\`;`;

    expect(mask(text).literals).toEqual([
      { at: text.indexOf('./a.ts'), text: './a.ts' },
      { at: text.indexOf('./b.ts'), text: './b.ts' },
    ]);
  });

  it('leaves the brackets of every program in the repository balanced', () => {
    const unbalanced = readHouse(repositoryRoot)
      .sources.filter(isProgram)
      .filter(({ code }) => !balanced(code));

    expect(unbalanced.map(({ path }) => path)).toEqual([]);
  });
});

function balanced(code: string): boolean {
  const open: string[] = [];
  for (const [bracket] of code.matchAll(/[()[\]{}]/g)) {
    if ('([{'.includes(bracket)) open.push(bracket);
    else if ('([{'.indexOf(open.pop() ?? '') !== ')]}'.indexOf(bracket)) return false;
  }
  return open.length === 0;
}
