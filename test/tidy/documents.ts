/** What a reader finds: every document has one title and no dead link into the house. */
import { posix } from 'node:path';
import type { Finding, House, Rule, Source } from './house.ts';

const isDocument = ({ path }: Source) => path.endsWith('.md');

/** The lines of a document with those inside code fences emptied. */
function prose(text: string): string[] {
  let fenced = false;
  return text.split('\n').map((line) => {
    const fence = /^\s*(?:```|~~~)/.test(line);
    if (fence) fenced = !fenced;
    return fenced || fence ? '' : line;
  });
}

function titles({ sources }: House): Finding[] {
  return sources.filter(isDocument).flatMap(({ path, text }) => {
    const lines = prose(text);
    const titled = lines.flatMap((line, index) => (/^# /.test(line) ? [index + 1] : []));
    const first = lines.findIndex((line) => line.trim() !== '') + 1;
    if (titled.length === 0) return [{ path, line: 1, says: 'begin with one title: # …' }];
    if (titled[0] !== first) return [{ path, line: titled[0] as number, says: 'the title comes first' }];
    return titled
      .slice(1)
      .map((line) => ({ path, line, says: 'a second title: make it ## or another document' }));
  });
}

function deadLinks({ sources }: House): Finding[] {
  const there = new Set(sources.flatMap(({ path }) => ancestors(path)));
  return sources.filter(isDocument).flatMap(({ path, text }) =>
    prose(text).flatMap((line, index) =>
      [...line.matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)[^)]*\)/g)]
        .map(([, link = '']) => ({ link, meant: posix.join(posix.dirname(path), link).replace(/\/$/, '') }))
        .filter(({ meant }) => !there.has(meant))
        .map(({ link }) => ({ path, line: index + 1, says: `${link} is not there` })),
    ),
  );
}

/** A file's path and those of its folders: a link may mean either. */
function ancestors(path: string): string[] {
  const parts = path.split('/');
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}

export const documentRules: readonly Rule[] = [
  { name: 'one title per document', find: titles },
  { name: 'no dead links between documents', find: deadLinks },
];
