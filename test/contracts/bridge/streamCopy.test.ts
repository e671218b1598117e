/** A stream copied into DynamoDB and back, over a real nats-server and the local cloud. */
import { DeleteItemCommand, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { RetentionPolicy } from '@nats-io/jetstream';
import { headers } from '@nats-io/transport-node';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CheckpointKeeper } from '../../../lib/apps/bridge/copyCheckpoint.ts';
import { StreamCopy } from '../../../lib/apps/bridge/streamCopy.ts';
import { restoreStream } from '../../../lib/apps/bridge/streamRestore.ts';
import { realClock } from '../../../lib/asl/clock.ts';
import { ItemTable } from '../../../lib/aws/lean/itemTable.ts';
import { LeanSender } from '../../../lib/aws/lean/leanSender.ts';
import { readGaps, readMessages } from '../../../lib/aws/lean/streamItems.ts';
import type { CopyName } from '../../../lib/core/bridge/streamCopy.ts';
import { NatsLink } from '../../../lib/nats/natsLink.ts';
import { JetStreamPublisher } from '../../../lib/nats/publisher.ts';
import { type CopyEnds, createStreamTable, openCopyEnds } from './copyEnds.ts';
import { eventually } from './natsServer.ts';

let ends: CopyEnds;
let server: CopyEnds['server'];
let nats: CopyEnds['nats'];
let api: CopyEnds['api'];
let link: NatsLink;
let publisher: JetStreamPublisher;
let dynamodb: CopyEnds['dynamodb'];
let client: CopyEnds['client'];
let table: ItemTable;
let serial = 0;

beforeAll(async () => {
  ends = await openCopyEnds();
  ({ server, nats, api, dynamodb, client } = ends);
  link = await NatsLink.open({ servers: [server.url], name: 'copy' }, {});
  publisher = new JetStreamPublisher(link.nats, realClock, { window: 512, timeoutMs: 5_000 });
});
afterAll(async () => {
  publisher.close();
  await link.close();
  await ends.close();
});
beforeEach(async () => {
  const name = `streams${++serial}`;
  await createStreamTable(dynamodb, name);
  table = new ItemTable(client, name);
});

/** A stream of `count` messages with headers and payloads of all kinds. */
async function stream(count: number): Promise<string> {
  const name = `S${serial}`;
  await api.streams.add({ name, subjects: [`s${serial}.>`], retention: RetentionPolicy.Limits });
  await publish(name, count);
  return name;
}

async function publish(name: string, count: number): Promise<void> {
  const before = (await api.streams.info(name)).state.last_seq;
  for (let i = 0; i < count; i++) {
    const head = headers();
    if (i % 3 === 0) head.set('Nats-Msg-Id', `${before}-${i}`);
    if (i % 5 === 0) head.append('x-list', 'a: b');
    if (i % 5 === 0) head.append('x-list', 'grün');
    const data = i % 7 === 0 ? Buffer.from([0, 255, i % 256]) : Buffer.from(i % 11 === 0 ? '' : `{"n":${i}}`);
    nats.publish(`${name.toLowerCase()}.k${i % 10}`, data, i % 2 === 0 ? { headers: head } : {});
  }
  await nats.flush();
  await eventually(async () => (await api.streams.info(name)).state.last_seq === before + count, 'stored');
}

const copyOf = (name: CopyName) =>
  new StreamCopy(name, {
    link,
    sender: new LeanSender(client, { eventbridge: 0, sqs: 0, sns: 0 }, null),
    table,
    timers: realClock,
    chance: Math.random,
    log: () => {},
  });
const stored = async (name: string) => {
  const messages: unknown[] = [];
  const { state } = await api.streams.info(name);
  for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
    const message = await api.streams.getMessage(name, { seq }).catch(() => null);
    if (message !== null)
      messages.push([seq, message.subject.split('.').slice(1), Buffer.from(message.data).toString('base64')]);
  }
  return messages;
};

describe.each([1, 4])('a copy over %d partition keys', (shards) => {
  it('has every message under its sequence, is verified, and goes on where it stopped', async () => {
    const name = { stream: await stream(2_500), shards };
    expect(await copyOf(name).run({ follow: false })).toEqual({
      phase: 'tail',
      floor: 2_500,
      count: 2_500,
      gaps: 0,
    });
    await publish(name.stream, 300);
    expect(await copyOf(name).run({ follow: false })).toMatchObject({ floor: 2_800, count: 2_800 });
    const messages = await readMessages(table, name, 1, 3_000);
    expect(messages.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 2_800 }, (_, i) => i + 1));
    expect(await copyOf(name).verify()).toEqual({
      verified: true,
      messages: 2_800,
      mismatches: [],
      keptLonger: 0,
    });
    expect((await CheckpointKeeper.read(table, name))?.phase).toBe('verified');
  });

  it('is made back into the same stream, sequences and gaps and all', async () => {
    const name = { stream: await stream(1_200), shards };
    for (const seq of [5, 6, 7, 600, 1_199]) await api.streams.deleteMessage(name.stream, seq);
    await api.streams.purge(name.stream, { seq: 3 });
    expect(await copyOf(name).run({ follow: false })).toMatchObject({ floor: 1_200, count: 1_193, gaps: 4 });
    expect(await readGaps(table, name, 1, 1_300)).toEqual([
      { from: 1, through: 2 },
      { from: 5, through: 7 },
      { from: 600, through: 600 },
      { from: 1_199, through: 1_199 },
    ]);
    const before = await stored(name.stream);
    await api.streams.delete(name.stream);
    const report = await restoreStream(name, name.stream, { link, publisher, table });
    expect(report).toEqual({ stream: name.stream, next: 1_201, written: 1_193 });
    expect(await stored(name.stream)).toEqual(before);
    expect(await copyOf(name).verify()).toMatchObject({ verified: true, messages: 1_193 });
    // Run again, there is nothing left to do.
    expect(await restoreStream(name, name.stream, { link, publisher, table })).toMatchObject({
      next: 1_201,
      written: 0,
    });
  });
});

describe('a copy', () => {
  const one = async (count: number) => ({ stream: await stream(count), shards: 1 });

  it('stopped anywhere and run again is complete, and no message is in it twice', async () => {
    const name = await one(6_000);
    for (let i = 0; i < 4; i++) {
      const stop = new AbortController();
      const running = copyOf(name).run({ follow: true, signal: stop.signal });
      await eventually(
        async () => ((await CheckpointKeeper.read(table, name))?.run ?? 0) === i + 1,
        'it runs',
      );
      stop.abort();
      await running;
    }
    expect(await copyOf(name).run({ follow: false })).toMatchObject({ floor: 6_000, count: 6_000 });
    expect(await copyOf(name).verify()).toMatchObject({ verified: true, messages: 6_000 });
  });

  it('follows what is stored later', async () => {
    const name = await one(10);
    const stop = new AbortController();
    const running = copyOf(name).run({ follow: true, signal: stop.signal });
    await eventually(async () => (await CheckpointKeeper.read(table, name))?.floor === 10, 'ten are copied');
    await publish(name.stream, 20);
    await eventually(
      async () => (await CheckpointKeeper.read(table, name))?.floor === 30,
      'thirty are copied',
    );
    stop.abort();
    expect(await running).toMatchObject({ phase: 'tail', count: 30 });
  });

  it('survives nats-server being killed', async () => {
    const name = await one(8_000);
    const stop = new AbortController();
    const running = copyOf(name).run({ follow: true, signal: stop.signal });
    await eventually(async () => (await CheckpointKeeper.read(table, name)) !== null, 'it runs');
    await server.down('SIGKILL');
    await server.up();
    await eventually(() => link.connected, 'connected again');
    await eventually(
      async () => (await CheckpointKeeper.read(table, name))?.floor === 8_000,
      'all are copied',
    );
    stop.abort();
    await running;
    expect(await copyOf(name).verify()).toMatchObject({ verified: true });
  });

  it('begun while nats-server is away waits for it', async () => {
    const name = await one(10);
    await server.down('SIGKILL');
    await eventually(() => !link.connected, 'the connection is gone');
    const running = copyOf(name).run({ follow: false });
    await eventually(async () => (await CheckpointKeeper.read(table, name)) !== null, 'it has begun');
    await server.up();
    expect(await running).toMatchObject({ phase: 'tail', count: 10 });
  });

  it('refuses a second run beside it: the older one can write no checkpoint any more', async () => {
    const name = await one(10);
    const first = await CheckpointKeeper.take(table, name, 'backfill');
    const second = await CheckpointKeeper.take(table, name, 'backfill');
    await expect(first.advance({ floor: 5 })).rejects.toMatchObject({ name: 'CopyRefused' });
    await second.advance({ floor: 7 });
    expect((await CheckpointKeeper.read(table, name))?.floor).toBe(7);
  });

  it('that is not the same is not verified, and says where', async () => {
    const name = await one(2_500);
    await copyOf(name).run({ follow: false });
    const key = { StreamName: { S: name.stream }, SequenceNumber: { N: '1500' } };
    await dynamodb.send(new DeleteItemCommand({ TableName: table.name, Key: key }));
    expect(await copyOf(name).verify()).toMatchObject({
      verified: false,
      mismatches: [{ from: 1_000, through: 1_999, inStream: 1_000, inTable: 999 }],
    });
    await dynamodb.send(
      new PutItemCommand({
        TableName: table.name,
        Item: { ...key, Subject: { S: 'other' }, StoredAt: { N: '1' } },
      }),
    );
    expect((await copyOf(name).verify()).mismatches).toMatchObject([{ inStream: 1_000, inTable: 1_000 }]);
  });

  it('keeps what the stream drops by its own limits, and is still verified', async () => {
    const name = await one(100);
    await copyOf(name).run({ follow: false });
    await api.streams.purge(name.stream, { seq: 41 });
    expect(await copyOf(name).verify()).toEqual({
      verified: true,
      messages: 60,
      mismatches: [],
      keptLonger: 40,
    });
  });

  it('is cut over only when it is verified and whole; what the table gets then goes back into the stream', async () => {
    const name = await one(20);
    await copyOf(name).run({ follow: false });
    await expect(copyOf(name).cutOver()).rejects.toThrow("a copy that is 'tail' cannot become 'switched'");
    await copyOf(name).verify();
    await publish(name.stream, 1);
    await expect(copyOf(name).cutOver()).rejects.toThrow(/goes to 21 and its copy to 20: stop what writes/);
    await copyOf(name).run({ follow: false });
    await copyOf(name).verify();
    const switched = { phase: 'switched', floor: 21 };
    expect(await copyOf(name).cutOver()).toEqual(switched);
    expect(await copyOf(name).cutOver()).toEqual(switched);
    await expect(copyOf(name).run({ follow: false })).rejects.toMatchObject({ name: 'CopyRefused' });
    const Item = {
      StreamName: { S: name.stream },
      SequenceNumber: { N: '22' },
      Subject: { S: `${name.stream.toLowerCase()}.new` },
      StoredAt: { N: String(Date.now()) },
      Data: { B: Buffer.from('written to the table') },
    };
    await dynamodb.send(new PutItemCommand({ TableName: table.name, Item }));
    const report = await restoreStream(name, name.stream, { link, publisher, table });
    expect(report).toEqual({ stream: name.stream, next: 23, written: 1 });
    expect((await api.streams.getMessage(name.stream, { seq: 22 }))?.string()).toBe('written to the table');
    expect(await copyOf(name).run({ follow: false })).toMatchObject({ phase: 'tail', floor: 22, count: 22 });
    expect(await copyOf(name).verify()).toMatchObject({ verified: true, messages: 22 });
  });

  it('undone leaves no item of it but the mark that it was', async () => {
    const name = await one(300);
    await api.streams.deleteMessage(name.stream, 7);
    await copyOf(name).run({ follow: false });
    await copyOf(name).undo();
    const { Items = [] } = await dynamodb.send(new ScanCommand({ TableName: table.name }));
    expect(Items.map(({ StreamName, Phase }) => [StreamName?.S, Phase?.S])).toEqual([
      [`${name.stream}#copy`, 'undone'],
    ]);
    expect(await copyOf(name).run({ follow: false })).toMatchObject({ floor: 300, count: 299 });
  });

  it('holds a message larger than an item', async () => {
    const name = await one(3);
    const large = Buffer.alloc(900_000, 'x');
    nats.publish(`${name.stream.toLowerCase()}.large`, large);
    await nats.flush();
    await copyOf(name).run({ follow: false });
    const messages = await readMessages(table, name, 1, 100);
    expect(messages.map(({ data }) => data.length)).toEqual([3, 7, 7, 900_000]);
    expect(Buffer.compare(messages[3]?.data as Buffer, large)).toBe(0);
    expect(await copyOf(name).verify()).toMatchObject({ verified: true, messages: 4 });
  });

  it('restores messages that share an id, which the server would take for one', async () => {
    const name = await one(0);
    await api.streams.update(name.stream, { duplicate_window: 100_000_000 });
    const send = async () => {
      const head = headers();
      head.set('Nats-Msg-Id', 'same');
      await nats.request(`${name.stream.toLowerCase()}.k`, 'x', { headers: head, timeout: 1_000 });
    };
    await send();
    await eventually(async () => {
      await send();
      return (await api.streams.info(name.stream)).state.messages >= 3;
    }, 'the window has passed twice');
    const count = (await api.streams.info(name.stream)).state.messages;
    await copyOf(name).run({ follow: false });
    await api.streams.delete(name.stream);
    await restoreStream(name, name.stream, { link, publisher, table });
    expect((await api.streams.info(name.stream)).state.messages).toBe(count);
    expect(await copyOf(name).verify()).toMatchObject({ verified: true, messages: count });
  });
});
