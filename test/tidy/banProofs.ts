import type { Files, Proof } from './proof.ts';

/** The same line in one place where it is banned, and where it is not. */
const line = (place: string, text: string, clean: Files): Proof => ({
  caught: [[`${place}:2`, { [place]: `// The ban begins below.\n${text}\n` }]],
  clean,
});

export const banProofs: Readonly<Record<string, Proof>> = {
  'no Date.now where time is an argument': {
    caught: [
      ['lib/core/a.ts:1', { 'lib/core/a.ts': 'export const a = () => Date.now();' }],
      ['lib/sim/a.ts:1', { 'lib/sim/a.ts': 'export const a = () => performance.now();' }],
    ],
    clean: {
      'lib/aws/a.ts': 'export const a = () => Date.now();',
      'lib/core/a.ts': "// Date.now() is for others\nexport const a = 'Date.now';",
    },
  },
  'no new Date() where time is an argument': line('events/a.ts', 'export const at = new Date();', {
    'events/a.ts': 'export const at = (ms: number) => new Date(ms).toISOString();',
  }),
  'no Math.random where chance is an argument': line('lib/flows/a.ts', 'export const a = Math.random();', {
    'lib/local/random.ts': 'export const a = Math.random();',
  }),
  'no timers where time is an argument': line('lib/asl/a.ts', 'setTimeout(() => undefined, 10);', {
    'lib/asl/clock.ts': 'setTimeout(() => undefined, 10);',
  }),
  'no process.env in what decides': line('lib/core/a.ts', 'export const a = process.env.STAGE;', {
    'lib/aws/a.ts': 'export const a = process.env.STAGE;',
  }),
  'no console in what decides': line('lib/flows/a.ts', "console.log('a');", {
    'lib/apps/demo/main.ts': "console.log('a');",
  }),
  'no sleeping in tests': {
    caught: [
      ['test/a.test.ts:1', { 'test/a.test.ts': 'await new Promise((resolve) => setTimeout(resolve, 500));' }],
      ['test/a.test.ts:1', { 'test/a.test.ts': 'await sleep(500);' }],
      ['bench/a.ts:1', { 'bench/a.ts': 'await sleep(realClock, 500);' }],
    ],
    clean: {
      'test/a.test.ts': 'void sleep(clock, 500);\nawait clock.advance(500);',
      'test/until.ts': 'await new Promise((resolve) => setTimeout(resolve, 10));',
    },
  },
  'no sleeping with node:timers/promises in tests': line(
    'test/a.test.ts',
    "import { setTimeout } from 'node:timers/promises';",
    { 'test/a.test.ts': "import { until } from './until.ts';" },
  ),
  'no module mocks': line('test/a.test.ts', "vi.mock('../lib/flows/a.ts');", {
    'test/a.test.ts': 'const seen = vi.fn();',
  }),
  'no SDK mocks outside the contracts': line(
    'test/drills/a.test.ts',
    "import { mockClient } from 'aws-sdk-client-mock';",
    { 'test/contracts/aws/a.test.ts': "import { mockClient } from 'aws-sdk-client-mock';" },
  ),
  'no skipped or single tests': {
    caught: [
      ['test/a.test.ts:1', { 'test/a.test.ts': "it.skip('waits', () => undefined);" }],
      ['test/a.test.ts:1', { 'test/a.test.ts': "describe.only('waits', () => undefined);" }],
      ['test/a.test.ts:1', { 'test/a.test.ts': "it.todo('waits');" }],
      ['test/a.test.ts:1', { 'test/a.test.ts': "xit('waits', () => undefined);" }],
    ],
    clean: { 'test/a.test.ts': "it('skips the step .only when asked', () => expect(exit(1)).toBe(1));" },
  },
  'test names are facts': line('test/a.test.ts', "it('should wait', () => undefined);", {
    'test/a.test.ts': "it('waits as it should', () => undefined);",
  }),
  'no default exports': line('lib/core/a.ts', 'export default 1;', {
    'vitest.config.ts': 'export default 1;',
    'lib/core/a.ts': 'export const a = 1;',
  }),
  'no barrels': line('lib/core/a.ts', "export * from './b.ts';", {
    'lib/core/a.ts': "import * as b from './b.ts';",
  }),
  'no unexplained silence of the type checker': {
    caught: [
      ['lib/core/a.ts:1', { 'lib/core/a.ts': '// @ts-ignore\nvoid 0;' }],
      ['lib/core/a.ts:1', { 'lib/core/a.ts': '// @ts-expect-error\nvoid 0;' }],
    ],
    clean: { 'lib/core/a.ts': '// @ts-expect-error: the package has no types\nvoid 0;' },
  },
  'nothing left to do': {
    caught: [
      ['lib/core/a.ts:1', { 'lib/core/a.ts': '// TODO: later' }],
      ['README.md:3', { 'README.md': '# A\n\nFIXME: say more\n' }],
    ],
    clean: { 'README.md': '# A\n\nWhat to do: nothing.\n' },
  },
  'no machine’s own paths': {
    caught: [
      ['lib/core/a.ts:1', { 'lib/core/a.ts': "export const a = '/home/ann/switchback/dist';" }],
      ['docs/a.md:1', { 'docs/a.md': 'cd /root/.npm' }],
    ],
    clean: {
      'lib/core/a.ts': "export const a = ['/usr/bin/aws', './work/a', 'https://example.com/work/a'];",
    },
  },
  'no folder for temporary files by its path': line('test/a.test.ts', "const folder = '/tmp/switchback';", {
    'test/a.test.ts': "const folder = mkdtempSync(join(tmpdir(), 'switchback-'));",
    'functions/on-alarm/handler.ts': "const folder = '/tmp/cache';",
  }),
  'no registry’s host': {
    caught: [
      ['.npmrc:1', { '.npmrc': 'registry=somewhere' }],
      ['README.md:1', { 'README.md': 'npm install from https://registry.npmjs.org/switchback' }],
    ],
    clean: { 'README.md': 'npm install, from the registry your npm is set to. See https://nodejs.org/' },
  },
};
