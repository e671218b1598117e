/** The proofs of documents, agreements and samples. */
import type { Proof } from './proof.ts';

export const documentProofs: Readonly<Record<string, Proof>> = {
  'one title per document': {
    caught: [
      ['docs/a.md:1', { 'docs/a.md': '## A\n' }],
      ['docs/a.md:3', { 'docs/a.md': 'before\n\n# A\n' }],
      ['docs/a.md:3', { 'docs/a.md': '# A\n\n# B\n' }],
    ],
    clean: { 'docs/a.md': '# A\n\n```sh\n# a comment\n```\n\n## B\n' },
  },
  'no dead links between documents': {
    caught: [['docs/a.md:2', { 'docs/a.md': '# A\n[gone](../lib/gone.ts)\n' }]],
    clean: {
      'docs/a.md': '# A\n[b](b.md#there) [lib](../lib/core) [far](https://example.com)\n',
      'docs/b.md': '# B\n',
      'lib/core/a.ts': '',
    },
  },
};

const machine = (name: string) =>
  JSON.stringify(
    { States: { A: { Catch: [{ ErrorEquals: [name] }] }, B: { Type: 'Fail', Error: 'GaveUp' } } },
    null,
    2,
  );
const outage = "export class Lost extends Outage {\n  override readonly name = 'Lost';\n}\n";

const lockOf = (packages: Readonly<Record<string, object>>) => ({
  'package-lock.json': JSON.stringify({ packages }, null, 2),
});
const needs = (...names: string[]) => ({
  optionalDependencies: Object.fromEntries(names.map((name) => [name, '1.0.0'])),
});

const table = (...verbs: string[]) => ({
  'lib/apps/deploy/functions.ts': `export const deployedFunctions = {\n${verbs
    .map((verb) => (verb.includes('-') ? `  '${verb}': {\n  },\n` : `  ${verb}: {\n  },\n`))
    .join('')}};\n`,
});

export const agreementProofs: Readonly<Record<string, Proof>> = {
  'the lockfile is whole': {
    caught: [
      [
        'package-lock.json:3',
        lockOf({ 'node_modules/a': needs('@a/linux', '@a/mac'), 'node_modules/@a/linux': {} }),
      ],
      [
        'package-lock.json:4',
        lockOf({ '': {}, 'node_modules/a': { resolved: 'https://npm.example.com/a.tgz' } }),
      ],
    ],
    clean: lockOf({
      '': needs('node'),
      'node_modules/node': {},
      'node_modules/a': needs('@a/linux', '@a/mac'),
      'node_modules/@a/linux': {},
      'node_modules/a/node_modules/@a/mac': {},
      'node_modules/a/node_modules/@a/b': needs('@a/mac', 'node'),
    }),
  },
  'every function is deployed, and nothing else': {
    caught: [
      ['functions/on-alarm/handler.ts:1', { ...table(), 'functions/on-alarm/handler.ts': '' }],
      ['lib/apps/deploy/functions.ts:2', table('on-alarm')],
      [
        'lib/apps/deploy/functions.ts:4',
        { ...table('on-alarm', 'operate'), 'functions/on-alarm/handler.ts': '' },
      ],
    ],
    clean: {
      ...table('on-alarm', 'operate'),
      'functions/on-alarm/handler.ts': '',
      'functions/operate/handler.ts': '',
      'functions/configuration.d.ts': '',
    },
  },
  'every error that is caught can be thrown': {
    caught: [
      [
        'statemachines/a.asl.json:7',
        { 'statemachines/a.asl.json': machine('Lsot'), 'lib/core/outage.ts': outage },
      ],
      ['statemachines/a.asl.json:7', { 'statemachines/a.asl.json': machine('States.TaskFaild') }],
      [
        'statemachines/a.asl.json:7',
        {
          'statemachines/a.asl.json': machine('Lost'),
          'lib/core/outage.ts': 'export class Lost extends Outage {}',
        },
      ],
    ],
    clean: {
      'statemachines/a.asl.json': machine('Lost'),
      'statemachines/b.asl.json': machine('States.Timeout'),
      'statemachines/c.asl.json': machine('GaveUp'),
      'lib/core/outage.ts': outage,
    },
  },
};

const events = {
  'events/rollout.ts':
    "import * as z from 'zod/mini';\n" +
    'export const Step = z.object({ weight: z.number() });\n' +
    "export const Shifted = z.object({ type: z.literal('Shifted'), weight: z.number() });\n",
  'events/recorded.ts':
    'export const schemaVersions = { Shifted: 2 };\n' +
    'export const upcast = ({ schema, event }) =>\n' +
    '  schema === 1 ? { ...event, weight: event.percent } : event;\n',
  'events/samples/Shifted.1.json': '{ "type": "Shifted", "percent": 5 }',
  'events/samples/Shifted.2.json': '{ "type": "Shifted", "weight": 5 }',
};
const without = (path: string) =>
  Object.fromEntries(Object.entries(events).filter(([name]) => name !== path));
const alarm =
  "import * as z from 'zod/mini';\nexport const Alarm = z.object({ source: z.literal('aws.cloudwatch') });\n";

export const sampleProofs: Readonly<Record<string, Proof>> = {
  'every event has a sample of each shape, and it parses': {
    caught: [
      ['events/rollout.ts:1', without('events/samples/Shifted.1.json')],
      [
        'events/samples/Shifted.2.json:3',
        { ...events, 'events/samples/Shifted.2.json': '{\n"type": "Shifted",\n"weight": "5"\n}' },
      ],
      ['events/samples/Shifted.2.json:1', { ...events, 'events/samples/Shifted.2.json': '{' }],
      ['events/samples/Shfited.json:1', { ...events, 'events/samples/Shfited.json': '{}' }],
      ['events/aws/alarm.ts:1', { ...events, 'events/aws/alarm.ts': alarm }],
    ],
    clean: {
      ...events,
      'events/aws/alarm.ts': alarm,
      'events/samples/Alarm.json': '{ "source": "aws.cloudwatch" }',
    },
    onDisk: true,
  },
};
