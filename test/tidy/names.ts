/** Names say what a thing is. If a thing has no better name than one of these, it is not yet a thing. */
import { type Finding, type House, isProgram, lineAt, type Rule } from './house.ts';

/** Words at the end of a name, or the whole of it, that say nothing. AWS names a service of its own so. */
const EMPTY_WORD = /(?<!ecrets|ystems)(?:[uU]til(?:itie)?s?|[hH]elpers?|[mM]anagers?|Impl)$/;
const EMPTY_FILE = /^(?:common|misc|shared|index)$/;
const HUNGARIAN = /^I[A-Z][a-z]/;

function namelessFiles({ sources }: House): Finding[] {
  return sources.flatMap(({ path }) => {
    const word = path.split('/').find((part) => {
      const stem = part.split('.')[0] as string;
      return EMPTY_WORD.test(stem) || EMPTY_FILE.test(stem);
    });
    return word === undefined ? [] : [{ path, line: 1, says: `${word}: name it after what it does` }];
  });
}

function namelessThings({ sources }: House): Finding[] {
  const declaration = /\b(class|interface|type|function\*?|const|let) ([\w$]+)/g;
  return sources.filter(isProgram).flatMap(({ path, code }) =>
    [...code.matchAll(declaration)]
      .filter(
        ([, kind, name = '']) => EMPTY_WORD.test(name) || (kind === 'interface' && HUNGARIAN.test(name)),
      )
      .map((match) => ({
        path,
        line: lineAt(code, match.index),
        says: `${match[2]}: name it after what it does`,
      })),
  );
}

/** `judgeWindow.ts`, `dynamoEventStore.test.ts`, `DYNAMO.md` no; a Lambda's folder is a resource's name. */
function misspelledFiles({ sources }: House): Finding[] {
  const camelCase = /^(?:[a-z][a-zA-Z0-9]*)(?:\.(?:test|contract|config|d))?\.(?:ts|mjs)$/;
  return sources
    .filter(
      (source) => isProgram(source) && /^(?:events|functions|lib|test|bench|scripts)\//.test(source.path),
    )
    .flatMap(({ path }) => {
      const says = camelCase.test(path.split('/').at(-1) as string)
        ? []
        : ['name the file in camelCase after its main export'];
      const folder = /^functions\/([^/]+)\//.exec(path)?.[1];
      if (folder !== undefined && !/^[a-z]+(?:-[a-z]+)*$/.test(folder))
        says.push('name the folder in kebab-case after its verb');
      return says.map((sentence) => ({ path, line: 1, says: sentence }));
    });
}

export const nameRules: readonly Rule[] = [
  { name: 'no file or folder without a name of its own', find: namelessFiles },
  { name: 'nothing declared without a name of its own', find: namelessThings },
  { name: 'files in camelCase, functions in kebab-case', find: misspelledFiles },
];
