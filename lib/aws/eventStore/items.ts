/**
 * The items of the event table. One stream's HEAD, chunks and plans share a partition key; HEAD has the
 * sort key 0, a chunk the version of its first event, a plan a negative number. Names are aliased in every
 * expression: several of them are reserved words.
 */

import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { type Commit, frozen } from '../../core/eventStore/commit.ts';
import type { StoredHead } from '../../core/eventStore/storedHead.ts';
import { hotText, type Item, numberOf, storedText, textOf } from './stored.ts';

/** The sparse index of streams with something under way, and the one value its key has. */
export const activeIndex = 'active';
export const activeValue = 'y';

export const streamKey = (stream: string): string => `S#${stream}`;
export const itemKey = (pk: string, sk: number | string = 0): Item => ({
  pk: { S: pk },
  sk: { N: String(sk) },
});

/** `#name` stands for the attribute `name`. */
export const namesIn = (...expressions: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    expressions
      .join(' ')
      .match(/#\w+/g)
      ?.map((alias) => [alias, alias.slice(1)]) ?? [],
  );

/** What HEAD holds beside its version, as one text: its parts share most of their words. */
type Body = Pick<StoredHead, 'base' | 'hash' | 'commands' | 'commits' | 'snapshot'>;

export function storedBody({ base, hash, commands, commits, snapshot }: StoredHead) {
  const rest: Omit<Body, 'commits'> = { base, hash, commands, snapshot };
  return hotText(`{"commits":${commitsText(commits)},${JSON.stringify(rest).slice(1)}`);
}

/** Commits never change and are written again with every append: most of a HEAD's text is made but once. */
const texts = new WeakMap<Commit, string>();

function commitsText(commits: readonly Commit[]): string {
  const all = commits.map((commit) => {
    const text = texts.get(commit) ?? JSON.stringify(commit);
    texts.set(commit, text);
    return text;
  });
  return `[${all.join(',')}]`;
}

/** @param body as `storedBody` made it, so that it is not deflated twice */
export function headItem(head: StoredHead, body: AttributeValue): Item {
  return {
    ...itemKey(streamKey(head.stream)),
    v: { N: String(head.version) },
    /** For people and for filters: what the newest append was about. */
    last: { S: lastTypes(head) },
    body,
    ...(head.active ? { active: { S: activeValue } } : {}),
  };
}

const lastTypesMax = 100;
const lastTypes = ({ commits }: StoredHead): string =>
  (commits.at(-1)?.events ?? [])
    .map(({ event }) => event.type)
    .join(' ')
    .slice(0, lastTypesMax);

/** HEAD from its item; also from the image of a Lambda stream event. */
export function headOf(item: Item): StoredHead {
  const { commits, ...body } = JSON.parse(textOf(item.body)) as Body;
  return {
    ...body,
    stream: (item.pk?.S ?? '').slice(streamKey('').length),
    version: numberOf(item.v),
    commits: frozen(commits),
    active: item.active !== undefined,
  };
}

export function chunkItem(head: StoredHead): Item {
  return {
    ...itemKey(streamKey(head.stream), head.base),
    n: { N: String(head.version - head.base + 1) },
    hash: { S: head.hash },
    commits: storedText(commitsText(head.commits)).attribute,
  };
}

export const chunkOf = (item: Item): { readonly first: number; readonly commits: readonly Commit[] } => ({
  first: numberOf(item.sk),
  commits: JSON.parse(textOf(item.commits)) as Commit[],
});
