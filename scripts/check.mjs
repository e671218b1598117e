/**
 * `npm run check`: the gates that need no run of the product. All at once, one line each, and the whole
 * output of those that failed. Exit 0 only when every gate is open.
 */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
/** Our own tools and our own Node come first, also where npm did not start this. */
const PATH = join(root, 'node_modules', '.bin') + delimiter + (process.env.PATH ?? '');
const env = { ...process.env, PATH, NO_COLOR: '1' };
const rooms = ['events', 'functions', 'lib', 'test', 'bench', 'scripts', 'examples'];

/** What a gate's output must show beside exit 0; answers what to add to its line, or throws. */
const gates = [
  { name: 'types', program: 'tsc', words: ['--noEmit', '-p', '.'] },
  {
    name: 'format',
    program: 'biome',
    words: ['check', '--error-on-warnings', '--colors=off', '.'],
    shows: (output) => `${/Checked (\d+) files/.exec(output)?.[1]} files`,
  },
  {
    name: 'imports',
    program: 'depcruise',
    words: ['--config', '.dependency-cruiser.cjs', ...rooms.filter((room) => existsSync(join(root, room)))],
    shows: modulesCruised,
  },
  { name: 'tidy', program: 'vitest', words: ['run', 'test/tidy', '--reporter=dot'], shows: testsPassed },
];

/**
 * dependency-cruiser that cannot read TypeScript (no @swc/core) is content with what it does not see, so it
 * must have seen at least every file that there is.
 */
function modulesCruised(output) {
  const seen = Number(/\((\d+) modules/.exec(output)?.[1] ?? 0);
  const ours = rooms.flatMap(sourcesIn).length;
  if (seen < ours)
    throw new Error(`only ${seen} modules were cruised, and there are ${ours}: is @swc/core installed?`);
  return `${seen} modules`;
}

function testsPassed(output) {
  return `${/Tests\s+(\d+) passed/.exec(output)?.[1]} rules and proofs`;
}

function sourcesIn(room) {
  if (!existsSync(join(root, room))) return [];
  const names = readdirSync(join(root, room), { recursive: true, encoding: 'utf8' });
  return names.filter((name) => /\.[mc]?[jt]s$/.test(name) && !name.endsWith('.d.ts'));
}

/** Runs one gate and prints its line when it is through; resolves with its output when it stays shut. */
function pass({ name, program, words, shows = () => '' }) {
  const started = performance.now();
  return new Promise((resolve) => {
    const gate = spawn(program, words, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], env });
    let output = '';
    const add = (text) => {
      output += text;
    };
    gate.stdout.setEncoding('utf8').on('data', add);
    gate.stderr.setEncoding('utf8').on('data', add);
    gate.on('error', (error) => add(`${program} could not be started (${error.code}): run npm ci\n`));
    gate.on('close', (status) => {
      let shown = '';
      let open = status === 0;
      try {
        if (open) shown = shows(output);
      } catch (error) {
        open = false;
        add(`${error.message}\n`);
      }
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      console.log(
        `${name.padEnd(8)} ${open ? 'ok    ' : 'FAILED'} ${seconds.padStart(6)} s  ${shown}`.trimEnd(),
      );
      resolve(open ? null : { name, output });
    });
  });
}

const failed = (await Promise.all(gates.map(pass))).filter((result) => result !== null);
for (const { name, output } of failed) console.log(`\n—— ${name} ——\n${output.trimEnd()}`);
if (failed.length > 0) {
  console.log(
    `\n${failed.length} of ${gates.length} checks failed: ${failed.map(({ name }) => name).join(', ')}`,
  );
  process.exitCode = 1;
}
