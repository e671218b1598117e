import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { onTestFinished } from 'vitest';

export const repositoryRoot = resolve(import.meta.dirname, '../..');

/**
 * A folder of its own for one test, gone afterwards: the files by path and text, beside copies of `copies`
 * from the repository. `packages` links the installed packages in, for tools that look for them there.
 */
export function plant(
  files: Readonly<Record<string, string>>,
  { copies = [], packages = false }: { copies?: readonly string[]; packages?: boolean } = {},
): string {
  const root = mkdtempSync(join(tmpdir(), 'switchback-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  for (const path of copies) cpSync(join(repositoryRoot, path), join(root, path), { recursive: true });
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  if (packages) symlinkSync(join(repositoryRoot, 'node_modules'), join(root, 'node_modules'));
  return root;
}

export type Ran = { readonly status: number; readonly output: string };

/** Runs a program to its end; `output` is what it said on both streams. */
export function run(
  program: string,
  words: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Ran> {
  return new Promise((done) => {
    execFile(program, words, { cwd, env, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      const status = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
      done({ status, output: stdout + stderr });
    });
  });
}
