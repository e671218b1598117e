/** The repository as the tidy rules see it: every text file that ships, by path. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Masked, mask } from './mask.ts';

export type Source = {
  /** From the repository's root, with slashes: `lib/core/slo/burnRate.ts`. */
  readonly path: string;
  readonly text: string;
  /** The text without comments and literals; the text itself where it is no program. */
  readonly code: string;
  readonly literals: Masked['literals'];
};

export type House = { readonly root: string; readonly sources: readonly Source[] };

export type Finding = { readonly path: string; readonly line: number; readonly says: string };

/** What a rule of the house finds; an empty list is a tidy house. */
export type Rule = {
  readonly name: string;
  find(house: House): readonly Finding[] | Promise<readonly Finding[]>;
};

/** What tools make or fetch, and git. */
const NOT_OURS = new Set(['node_modules', '.git', 'dist', '.serverless', '.switchback', 'coverage']);
const TEXT =
  /\.(?:ts|mjs|cjs|js|json|md|ya?ml|sh|html|css|svg|sql|py)$|(?:^|\/)(?:run|Dockerfile|LICENSE|\.gitignore|\.npmrc)$/;
const PROGRAM = /\.(?:ts|mjs|cjs|js)$/;

export function readHouse(root: string): House {
  const sources: Source[] = [];
  const walk = (folder: string) => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      if (NOT_OURS.has(entry.name)) continue;
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) walk(path);
      else if (entry.isFile() && TEXT.test(path))
        sources.push(sourceOf(path, readFileSync(join(root, path), 'utf8')));
    }
  };
  walk('');
  return { root, sources };
}

/** A house that stands nowhere: its files by path and text, for the proofs of the rules. */
export function houseOf(files: Readonly<Record<string, string>>, root = ''): House {
  return { root, sources: Object.entries(files).map(([path, text]) => sourceOf(path, text)) };
}

function sourceOf(path: string, text: string): Source {
  return PROGRAM.test(path) ? { path, text, ...mask(text) } : { path, text, code: text, literals: [] };
}

export const isProgram = ({ path }: Source) => PROGRAM.test(path);

/** The line of an offset, from 1. */
export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) line += 1;
  return line;
}

export const show = ({ path, line, says }: Finding) => `${path}:${line} ${says}`;
