import { expect, it } from 'vitest';
import { houseOf } from './house.ts';
import { lengthRules } from './lengths.ts';

const house = houseOf({ 'lib/core/a.ts': 'void 0;\n'.repeat(300) });

async function says(fileLines: Record<string, number>) {
  const rule = lengthRules({ fileLines, functionLines: {} }).find(({ name }) => name.startsWith('files of'));
  return (await rule?.find(house))?.map((finding) => finding.says);
}

it('lets a file that was too long be as long as it was', async () => {
  expect(await says({ 'lib/core/a.ts': 300 })).toEqual([]);
});

it('does not let it grow', async () => {
  expect(await says({ 'lib/core/a.ts': 299 })).toEqual([
    '300 lines, 299 at most: split it by what its parts are for',
  ]);
});

it('holds it to what it shrank to', async () => {
  expect(await says({ 'lib/core/a.ts': 320 })).toEqual([
    'shrank from 320 lines to 300: write 300 into test/tidy/ratchet.json',
  ]);
});

it('forgets a file that is short enough, or gone', async () => {
  expect(await says({ 'lib/core/a.ts': 300, 'lib/core/b.ts': 260 })).toEqual([
    'shrank from 260 lines to 0: take it out of test/tidy/ratchet.json',
  ]);
});
