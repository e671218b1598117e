import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { plant, type Ran, run } from '../tidy/plant.ts';

const tidy = {
  'lib/core/a.ts': 'export const a = (b: number): number => b + 1;\n',
  'test/tidy/a.test.ts':
    "import { expect, it } from 'vitest';\nimport { a } from '../../lib/core/a.ts';\n\n" +
    "it('adds one', () => {\n  expect(a(1)).toBe(2);\n});\n",
};

/** The checks of a house with these files and our own settings. */
function check(files: Readonly<Record<string, string>>): Promise<Ran> {
  const settings = [
    'package.json',
    'tsconfig.json',
    'biome.json',
    '.dependency-cruiser.cjs',
    'scripts/check.mjs',
  ];
  const root = plant(
    { ...files, 'vitest.config.ts': 'export default {};\n' },
    { copies: settings, packages: true },
  );
  return run(process.execPath, ['scripts/check.mjs'], root);
}

describe('npm run check', () => {
  it('says one line for each gate, with its seconds, when all are open', async () => {
    const { status, output } = await check(tidy);

    expect(output.trim().split('\n').sort()).toEqual([
      expect.stringMatching(/^format +ok +\d+\.\d s +\d+ files$/),
      expect.stringMatching(/^imports +ok +\d+\.\d s +\d+ modules$/),
      expect.stringMatching(/^tidy +ok +\d+\.\d s +1 rules and proofs$/),
      expect.stringMatching(/^types +ok +\d+\.\d s$/),
    ]);
    expect(status).toBe(0);
  });

  it('shows the whole output of the gates that stay shut, and of no other', async () => {
    const { status, output } = await check({
      ...tidy,
      'lib/core/wrong.ts': "import { c } from '../aws/c.ts';\n\nexport const d: string = c;\n",
      'lib/aws/c.ts': 'export const c = 1;\n',
    });

    expect(status).toBe(1);
    expect(output).toContain("lib/core/wrong.ts(3,14): error TS2322: Type 'number' is not assignable");
    expect(output).toContain('error core-is-pure: lib/core/wrong.ts → lib/aws/c.ts');
    expect(output).not.toContain('—— format ——');
    expect(output.trimEnd().split('\n').at(-1)).toBe('2 of 4 checks failed: types, imports');
  });

  it('is not content with imports that nobody read', async () => {
    const blind = "#!/usr/bin/env node\nconsole.log('no dependency violations found (0 modules cruised)');\n";
    const programs = ['tsc', 'biome', 'depcruise', 'vitest'].map((name) => `node_modules/.bin/${name}`);
    const root = plant(
      { ...tidy, ...Object.fromEntries(programs.map((path) => [path, blind])) },
      { copies: ['scripts/check.mjs'] },
    );
    for (const path of programs) chmodSync(join(root, path), 0o755);

    const { status, output } = await run(process.execPath, ['scripts/check.mjs'], root);

    expect(status).toBe(1);
    expect(output).toContain('only 0 modules were cruised, and there are 3: is @swc/core installed?');
  });
});

describe('the count of a whole run', () => {
  const suite = (...statuses: string[]) => ({
    name: 'a.test.ts',
    status: statuses.includes('failed') || statuses.length === 0 ? 'failed' : 'passed',
    message: '',
    assertionResults: statuses.map((status) => ({ status })),
  });
  const report = (...testResults: ReturnType<typeof suite>[]) => {
    const all = testResults.flatMap(({ assertionResults }) => assertionResults.map(({ status }) => status));
    const count = (wanted: string) => all.filter((status) => status === wanted).length;
    const numPendingTests = count('skipped');
    return { numPassedTests: count('passed'), numFailedTests: count('failed'), numPendingTests, testResults };
  };

  it.each([
    ['0', '0', report(suite('passed', 'passed')), '3 passed, 0 failed', 0],
    ['1', '0', report(suite('passed', 'passed')), '2 passed, 1 failed', 1],
    ['0', '1', report(suite('passed', 'failed')), '2 passed, 1 failed', 1],
    ['0', '0', report(suite('passed', 'skipped')), '2 passed, 0 failed, 1 skipped', 0],
    ['0', '1', report(suite('passed'), suite()), '2 passed, 1 failed', 1],
    ['0', '1', report(suite('passed')), '2 passed, 1 failed', 1],
    ['0', '0', report(), '1 passed, 1 failed', 1],
    ['0', '1', null, '1 passed, 1 failed', 1],
  ])('of check %s, tests %s and this report ends as it must (%#)', async (gates, tests, json, line, exit) => {
    const root = plant(json === null ? {} : { 'report.json': JSON.stringify(json) }, { copies: ['.ci'] });

    const { status, output } = await run(
      process.execPath,
      ['.ci/count.mjs', gates, tests, 'report.json'],
      root,
    );

    expect(output.trimEnd().split('\n').at(-1)).toBe(line);
    expect(status).toBe(exit);
  });
});
