import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isProgram, readHouse } from './house.ts';
import { plant, repositoryRoot, run } from './plant.ts';

const configuration = '.dependency-cruiser.cjs';
const rooms = ['events', 'functions', 'lib', 'test', 'bench', 'scripts', 'examples'];

type Cruised = {
  readonly summary: {
    readonly totalCruised: number;
    readonly violations: readonly {
      readonly rule: { readonly name: string };
      readonly from: string;
      readonly to: string;
    }[];
  };
  readonly modules: readonly { readonly source: string }[];
};

async function cruise(root: string): Promise<Cruised> {
  const program = join(repositoryRoot, 'node_modules/.bin/depcruise');
  const there = rooms.filter((room) => existsSync(join(root, room)));
  const { output } = await run(program, ['--config', configuration, '--output-type', 'json', ...there], root);
  return JSON.parse(output.slice(output.indexOf('{')));
}

/** By rule: a file, what it must not import, and the files between them where a chain is what is refused. */
const violations: Readonly<Record<string, readonly string[]>> = {
  'events-are-words': ['events/a.ts', 'lib/core/fine.ts'],
  'core-is-pure': ['lib/core/a.ts', 'lib/aws/fine.ts'],
  'ports-name-only-the-domain': ['lib/ports.ts', 'lib/asl/fine.ts'],
  'flows-see-ports-not-worlds': ['lib/flows/a.ts', 'lib/aws/fine.ts'],
  'worlds-do-not-meet': ['lib/aws/a.ts', 'lib/sim/fine.ts'],
  'worlds-do-not-drive': ['lib/nats/a.ts', 'lib/flows/fine.ts'],
  'the-local-cloud-knows-nothing-of-us': ['lib/local/a.ts', 'lib/core/fine.ts'],
  'the-interpreter-knows-nothing-of-us': ['lib/asl/a.ts', 'events/fine.ts'],
  'functions-do-not-reach-the-workbench': [
    'functions/a/handler.ts',
    'functions/a/between.ts',
    'lib/local/fine.ts',
  ],
  'fire-exit-skips-the-event-store': [
    'functions/fall-back/handler.ts',
    'lib/aws/between.ts',
    'lib/aws/eventStore.ts',
  ],
  'nothing-needs-tests': ['lib/apps/a.ts', 'test/fine.ts'],
  'no-dangling': ['lib/apps/b.ts', 'lib/apps/gone.ts'],
  'no-circular': ['lib/apps/c.ts', 'lib/apps/d.ts', 'lib/apps/c.ts'],
};

/** What the house allows, each way once. */
const lawful: readonly (readonly string[])[] = [
  ['functions/b/handler.ts', 'lib/flows/fine.ts', 'lib/ports.ts', 'lib/core/fine.ts', 'events/fine.ts'],
  ['functions/b/handler.ts', 'lib/aws/lawful.ts', 'lib/ports.ts'],
  ['lib/apps/e.ts', 'lib/local/lawful.ts', 'lib/asl/fine.ts'],
  ['lib/apps/e.ts', 'lib/sim/fine.ts'],
  ['test/lawful.ts', 'lib/sim/fine.ts'],
];

/** Files that import each other as the chains say; `gone.ts` is imported and not there. */
function filesOf(chains: readonly (readonly string[])[]): Record<string, string> {
  const imports = new Map<string, Set<string>>();
  for (const chain of chains) {
    chain.forEach((path, index) => {
      const next = chain[index + 1];
      const known = imports.get(path) ?? new Set();
      imports.set(path, next === undefined ? known : known.add(next));
    });
  }
  const text = (path: string, targets: ReadonlySet<string>) =>
    [...targets].map((target) => `import '${'../'.repeat(path.split('/').length - 1)}${target}';\n`).join('');
  return Object.fromEntries(
    [...imports]
      .filter(([path]) => !path.endsWith('gone.ts'))
      .map(([path, targets]) => [path, `${text(path, targets)}export const a = 1;\n`]),
  );
}

const plantChains = (chains: readonly (readonly string[])[]) =>
  plant(filesOf(chains), { copies: [configuration, 'tsconfig.json'], packages: true });

describe('the import rules', () => {
  it('are each broken by a planted violation, which is found where it is', async () => {
    const { forbidden } = createRequire(import.meta.url)(join(repositoryRoot, configuration));
    const { summary } = await cruise(plantChains(Object.values(violations)));

    expect(Object.keys(violations).sort()).toEqual(
      forbidden.map(({ name }: { name: string }) => name).sort(),
    );
    for (const [rule, [from, ...chain]] of Object.entries(violations)) {
      const refused = chain.filter((path) => path !== from).at(-1) as string;
      const to = expect.stringContaining(basename(refused));
      const found = summary.violations.filter((violation) => violation.rule.name === rule);
      expect(found, rule).toContainEqual(expect.objectContaining({ from, to }));
    }
  });

  it('allow what the house allows', async () => {
    const { summary } = await cruise(plantChains(lawful));

    expect(summary.violations).toEqual([]);
    expect(summary.totalCruised).toBeGreaterThanOrEqual(Object.keys(filesOf(lawful)).length);
  });

  it('were held against every program of the house', async () => {
    const { modules } = await cruise(repositoryRoot);
    const cruised = new Set(modules.map(({ source }) => source));
    const programs = readHouse(repositoryRoot)
      .sources.filter((source) => isProgram(source) && rooms.includes(source.path.split('/')[0] as string))
      .map(({ path }) => path)
      .filter((path) => !path.endsWith('.d.ts'));

    expect(programs.filter((path) => !cruised.has(path))).toEqual([]);
  });
});
