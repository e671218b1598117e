/**
 * The inverse of a copy: makes the stream again from the table, message by message under its old sequence, or
 * brings back what was added to the table since. It can be stopped and run again at any time; the stream says
 * how far it is.
 */
import type { ItemTable } from '../../aws/lean/itemTable.ts';
import { readMessages } from '../../aws/lean/streamItems.ts';
import type { Publisher } from '../../core/bridge/ports.ts';
import {
  blockOf,
  type CopyName,
  firstOfBlock,
  HASH_BLOCK,
  settingsKey,
} from '../../core/bridge/streamCopy.ts';
import type { NatsLink } from '../../nats/natsLink.ts';
import { type StreamSettings, StreamWriter } from '../../nats/streamWriter.ts';
import { CheckpointKeeper, CopyRefused } from './copyCheckpoint.ts';

export type RestoreDeps = {
  readonly link: NatsLink;
  readonly publisher: Publisher;
  readonly table: ItemTable;
};
export type RestoreReport = { readonly stream: string; readonly next: number; readonly written: number };

/** Blocks without an item before the table counts as read to its end. */
const EMPTY_BLOCKS_MAX = 1;

/**
 * @param as the stream to write; the copied one's name when absent
 * @throws CopyRefused when there is no such copy; StreamUnwritable, TableUnavailable
 */
export async function restoreStream(name: CopyName, as: string, deps: RestoreDeps): Promise<RestoreReport> {
  const { link, publisher, table } = deps;
  const checkpoint = await CheckpointKeeper.read(table, name);
  if (checkpoint === null || checkpoint.count === 0)
    throw new CopyRefused(`there is no copy of ${name.stream}`);
  const isWayBack = as === name.stream && ['switched', 'returning'].includes(checkpoint.phase);
  const keeper = isWayBack ? await CheckpointKeeper.take(table, name, 'returning') : null;
  const first = await firstSequence(name, table, checkpoint.floor);
  const writer = new StreamWriter(link, publisher, as);
  await writer.open(await readSettings(name, table), first);
  let written = 0;
  const last = blockOf(checkpoint.floor);
  for (let block = blockOf(writer.next), empty = 0; block <= last || empty < EMPTY_BLOCKS_MAX; block++) {
    const messages = await readMessages(table, name, firstOfBlock(block), (block + 1) * HASH_BLOCK);
    if (messages.length === 0) empty++;
    else empty = 0;
    written += messages.filter(({ sequence }) => sequence >= writer.next).length;
    await writer.write(messages);
  }
  // The stream leads again, and the copy follows it.
  await keeper?.advance({ phase: 'tail' });
  return { stream: as, next: writer.next, written };
}

async function firstSequence(name: CopyName, table: ItemTable, floor: number): Promise<number> {
  for (let block = 0; block <= blockOf(floor); block++) {
    const [first] = await readMessages(table, name, firstOfBlock(block), (block + 1) * HASH_BLOCK);
    if (first !== undefined) return first.sequence;
  }
  throw new CopyRefused(`the copy of ${name.stream} is empty`);
}

/** Keeps what is needed to make the stream again. @throws TableUnavailable */
export async function keepSettings({ stream }: CopyName, table: ItemTable, link: NatsLink): Promise<void> {
  const { config } = await link.api.streams.info(stream);
  const { partition, sequence } = settingsKey(stream);
  const item = {
    StreamName: { S: partition },
    SequenceNumber: { N: sequence },
    Settings: { S: JSON.stringify(config) },
  };
  await table.put(item, null);
}

async function readSettings({ stream }: CopyName, table: ItemTable): Promise<StreamSettings | null> {
  const item = await table.get(settingsKey(stream));
  return item === null ? null : (JSON.parse(item.Settings?.S ?? 'null') as StreamSettings | null);
}
