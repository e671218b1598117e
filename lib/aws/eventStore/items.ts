/**
 * The items of the event table. One stream's HEAD, chunks and plans share a partition key; HEAD has the
 * sort key 0, a chunk the version of its first event, a plan a negative number. Names are aliased in every
 * expression: several of them are reserved words.
 */

import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { type Commit, frozen } from '../../core/eventStore/commit.ts';
import type { CommandMark, StoredHead } from '../../core/eventStore/storedHead.ts';
import { type Item, numberOf, storedText, textOf } from './stored.ts';

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

const marksText = (commands: readonly CommandMark[]): string =>
  commands.map(({ mark, version }) => `${mark}:${version}`).join(' ');

const marksOf = (text: string): CommandMark[] =>
  text.split(' ').map((one) => {
    const [mark = '', version] = one.split(':');
    return { mark, version: Number(version) };
  });

/** How the tail and the state are stored, so that they are not deflated twice. */
export type Texts = { readonly tail: AttributeValue; readonly snapshot: AttributeValue };

/** @param active whether the stream is in the index of streams with something under way */
export function headItem(head: StoredHead, texts: Texts, active: boolean): Item {
  return {
    ...itemKey(streamKey(head.stream)),
    v: { N: String(head.version) },
    base: { N: String(head.base) },
    commits: texts.tail,
    /** For people and for filters: what the newest append was about. */
    last: { S: lastTypes(head) },
    ids: { S: marksText(head.commands) },
    hash: { S: head.hash },
    snapshot: texts.snapshot,
    schema: { N: String(head.snapshot?.schema ?? 0) },
    ...(active ? { active: { S: activeValue } } : {}),
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
  return {
    stream: (item.pk?.S ?? '').slice(streamKey('').length),
    version: numberOf(item.v),
    base: numberOf(item.base),
    commits: frozen(JSON.parse(textOf(item.commits)) as Commit[]),
    tailBytes: bytesOf(item.commits),
    commands: marksOf(item.ids?.S ?? ''),
    hash: item.hash?.S ?? '',
    snapshot: { schema: numberOf(item.schema), state: JSON.parse(textOf(item.snapshot)) },
    snapshotBytes: bytesOf(item.snapshot),
  };
}

function bytesOf(attribute: AttributeValue | undefined): number {
  if (attribute?.S !== undefined) return Buffer.byteLength(attribute.S);
  return attribute?.B?.length ?? 0;
}

export const storedTail = (commits: readonly Commit[]) => storedText(JSON.stringify(commits));
export const tailBytes = (commits: readonly Commit[]): number => storedTail(commits).bytes;

/** A chunk's text never changes and is not paid for again, so it stays plain JSON, for any tool to read. */
export function chunkItem(head: StoredHead): Item {
  return {
    ...itemKey(streamKey(head.stream), head.base),
    n: { N: String(head.version - head.base + 1) },
    hash: { S: head.hash },
    commits: { S: JSON.stringify(head.commits) },
  };
}

export const chunkOf = (item: Item): { readonly first: number; readonly commits: readonly Commit[] } => ({
  first: numberOf(item.sk),
  commits: JSON.parse(textOf(item.commits)) as Commit[],
});
