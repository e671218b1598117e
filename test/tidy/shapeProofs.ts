/** The proofs of names, lengths and modules. */
import type { Proof } from './proof.ts';

const lines = (count: number, text = 'void 0;') => `${text}\n`.repeat(count);

export const nameProofs: Readonly<Record<string, Proof>> = {
  'no file or folder without a name of its own': {
    caught: [
      ['lib/core/utils/a.ts:1', { 'lib/core/utils/a.ts': '' }],
      ['test/helpers.ts:1', { 'test/helpers.ts': '' }],
      ['lib/aws/trafficManager.ts:1', { 'lib/aws/trafficManager.ts': '' }],
    ],
    clean: { 'lib/local/secretsManager.ts': '', 'lib/core/analysis/manageable.ts': '' },
  },
  'nothing declared without a name of its own': {
    caught: [
      ['lib/core/a.ts:1', { 'lib/core/a.ts': 'export class RolloutManager {}' }],
      ['lib/core/a.ts:1', { 'lib/core/a.ts': 'export interface ITraffic {}' }],
      ['lib/core/a.ts:1', { 'lib/core/a.ts': 'const dateUtils = {};' }],
    ],
    clean: {
      'lib/core/a.ts': 'export interface Inspection {}\nexport class SecretsManager {}\nconst helpersOf = 1;',
    },
  },
  'files in camelCase, functions in kebab-case': {
    caught: [
      ['lib/core/burn-rate.ts:1', { 'lib/core/burn-rate.ts': '' }],
      ['lib/core/BurnRate.ts:1', { 'lib/core/BurnRate.ts': '' }],
      ['functions/onAlarm/handler.ts:1', { 'functions/onAlarm/handler.ts': '' }],
    ],
    clean: {
      'lib/core/burnRate.ts': '',
      'functions/on-alarm/handler.ts': '',
      'test/core/burnRate.test.ts': '',
    },
  },
};

export const lengthProofs: Readonly<Record<string, Proof>> = {
  'lines of at most 110 columns': {
    caught: [['lib/core/a.ts:2', { 'lib/core/a.ts': `void 0;\n// ${'a'.repeat(108)}` }]],
    clean: {
      'lib/core/a.ts': `// ${'é'.repeat(107)}\n// https://example.com/${'a'.repeat(100)}\nconst says = '${'a'.repeat(110)}';\n`,
    },
  },
  'files of at most 250 lines': {
    caught: [
      ['lib/core/a.ts:1', { 'lib/core/a.ts': lines(251) }],
      ['test/core/a.test.ts:1', { 'test/core/a.test.ts': lines(401) }],
    ],
    clean: { 'lib/core/a.ts': lines(250), 'test/core/a.test.ts': lines(400), 'docs/a.md': lines(300) },
  },
  'functions of at most 60 lines': {
    caught: [
      [
        'lib/core/a.ts#decide:2',
        { 'lib/core/a.ts': `void 0;\nexport function decide(): void {\n${lines(59)}}\n` },
      ],
      [
        'lib/core/a.ts#decide:1',
        { 'lib/core/a.ts': `const decide = async (a: number) => {\n${lines(59)}};\n` },
      ],
      [
        'lib/core/a.ts#decide:2',
        {
          'lib/core/a.ts': `class A {\n  decide(a: A): Map<string, { b: 1 }> {\n${lines(59)}  }\n}\n`,
        },
      ],
    ],
    clean: {
      'lib/core/a.ts': `export function decide() {\n${lines(58)}}\nif (decide()) {\n${lines(70)}}\n`,
      'lib/core/b.ts':
        `const b = () => ({\n  c(d: 1) {\n${lines(50)}  },\n` + `  e: async () => {\n${lines(50)}  },\n});\n`,
      'test/core/a.test.ts': `describe('a', () => {\n${lines(70)}});\n`,
    },
  },
};

const twoThatReachEachOther = {
  'lib/core/a.ts': "import './b.ts';",
  'lib/core/b.ts': "import './a.ts';",
  'test/b.test.ts': "import '../lib/core/b.ts';",
};

export const moduleProofs: Readonly<Record<string, Proof>> = {
  'no dead files': {
    caught: [
      ['lib/core/c.ts:1', { 'lib/core/c.ts': "import './a.ts';", ...twoThatReachEachOther }],
      ['lib/core/c.ts:1', { 'lib/core/c.ts': "import './c.ts';" }],
    ],
    clean: {
      'functions/on-alarm/handler.ts': "import { a } from '../../lib/core/a.ts';",
      'lib/core/a.ts': "const worker = new URL('./worker.ts', import.meta.url);",
      'lib/core/worker.ts': '',
      'package.json': '{ "scripts": { "prestart": "node scripts/setup.mjs start" } }',
      'scripts/setup.mjs': "const { b } = await import('./setup/b.mjs');",
      'scripts/setup/b.mjs': '',
    },
  },
  'no dead exports': {
    caught: [
      [
        'lib/core/a.ts:2',
        {
          'lib/core/a.ts': 'export const a = 1;\nexport const b = a;',
          'bench/a.ts': "import { a } from '../lib/core/a.ts';",
        },
      ],
      [
        'lib/core/a.ts:1',
        {
          'lib/core/a.ts': 'export type A = 1;\nexport const a = 1;',
          'bench/a.ts': "import { a } from '../lib/core/a.ts';",
        },
      ],
    ],
    clean: {
      'lib/core/a.ts': 'export type A = 1;\nexport const a: A = 1;\nexport function b() {}',
      'lib/core/c.ts': 'const c = 1;\nexport { c as d };',
      'bench/a.ts': "import { a } from '../lib/core/a.ts';\nimport { d } from '../lib/core/c.ts';",
      'bench/b.ts': "const { b } = await import('../lib/core/a.ts');",
    },
  },
};
