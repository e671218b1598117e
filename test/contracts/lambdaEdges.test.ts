/** What Lambda hands a function from a queue or the table's stream, and what it is answered. */
import { describe, expect, it } from 'vitest';
import { malformed, parsed } from '../../events/parsed.ts';
import { headItem, storedBody } from '../../lib/aws/eventStore/items.ts';
import { eachMessage } from '../../lib/aws/lambda/queue.ts';
import { deliveriesOf, firstFailure, type StreamEvent } from '../../lib/aws/lambda/tableStream.ts';
import type { Log } from '../../lib/ports.ts';
import { SimEventStore, SimTable } from '../../lib/sim/eventStore.ts';
import { appendMany } from './eventStoreEvents.ts';

type Line = Parameters<Log['write']>[0];

function journal() {
  const lines: Line[] = [];
  return { lines, log: { write: (line: Line) => void lines.push(line) } };
}

describe('messages of a queue', () => {
  const parse = (body: unknown) =>
    typeof body === 'object' ? parsed(body as { readonly eventId: string }) : malformed('it is no object');
  const clock = { now: () => 0 };
  const messages = (...bodies: readonly string[]) => ({
    Records: bodies.map((body, index) => ({ messageId: `m${index + 1}`, body })),
  });
  const events = messages('{"eventId":"one"}', 'not JSON', '7', '{"eventId":"two"}', '{"eventId":"three"}');

  it('are dealt with one by one, and only those that failed come again', async () => {
    const { log } = journal();
    const dealt: string[] = [];
    const answer = await eachMessage(events, parse, { clock, log }, async ({ eventId }) => {
      if (eventId === 'two') throw new Error('the balancer is away');
      dealt.push(eventId);
    });
    expect(dealt).toEqual(['one', 'three']);
    expect(answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier)).toEqual(['m2', 'm3', 'm4']);
  });

  it('that failed leave a line with the id of what brought them', async () => {
    const { lines, log } = journal();
    await eachMessage(events, parse, { clock, log }, async ({ eventId }) => {
      if (eventId === 'two') throw new Error('the balancer is away');
    });
    expect(lines).toMatchObject([
      { message: 'message not understood', messageId: 'm2', reason: expect.stringContaining('not JSON') },
      { message: 'message not understood', messageId: 'm3', reason: 'it is no object' },
      { message: 'message failed, it comes again', correlationId: 'two', reason: 'the balancer is away' },
    ]);
  });
});

describe('a batch of messages that takes long', () => {
  const Records = ['one', 'two', 'three', 'four'].map((eventId) => ({
    messageId: eventId,
    body: JSON.stringify({ eventId }),
  }));
  const parse = (body: unknown) => parsed(body as { readonly eventId: string });

  it('leaves the rest for the next, before the function runs out of its 30 s', async () => {
    const { lines, log } = journal();
    let now = 1_780_000_000_000;
    const dealt: string[] = [];
    const answer = await eachMessage({ Records }, parse, { clock: { now: () => now }, log }, async (one) => {
      now += 8_000;
      dealt.push(one.eventId);
    });
    expect(dealt).toEqual(['one', 'two']);
    expect(answer.batchItemFailures).toEqual([{ itemIdentifier: 'three' }, { itemIdentifier: 'four' }]);
    expect(lines).toEqual([
      { message: 'message left for the next batch', messageId: 'three' },
      { message: 'message left for the next batch', messageId: 'four' },
    ]);
  });
});

describe('records of the event table’s stream', () => {
  const now = 1_780_000_030_000;

  /** The record of a stream's newest HEAD, as JSON brings it: binary values as base64. */
  async function record(stream: string, count: number, SequenceNumber: string) {
    const table = new SimTable();
    await appendMany(new SimEventStore(table), stream, count);
    const head = table.heads.get(stream);
    if (head === undefined) throw new Error('the stream was just written');
    const item = headItem(head, storedBody(head).attribute);
    const NewImage = JSON.parse(
      JSON.stringify(item, (_, value) =>
        isBytes(value) ? Buffer.from(value.data).toString('base64') : value,
      ),
    );
    return { dynamodb: { SequenceNumber, ApproximateCreationDateTime: now / 1000 - 30, NewImage } };
  }
  type Bytes = { readonly type: 'Buffer'; readonly data: readonly number[] };
  const isBytes = (value: unknown): value is Bytes => (value as Bytes | null)?.type === 'Buffer';

  it('are deliveries where they are of a HEAD, and nothing where they are not', async () => {
    const head = await record('service/shop', 12, '100');
    const checkpoint = { pk: { S: 'C#bus#service/shop' }, sk: { N: '0' }, v: { N: '4' } };
    const chunk = { pk: { S: 'S#service/shop' }, sk: { N: '1' } };
    const Records: StreamEvent['Records'] = [
      { dynamodb: { SequenceNumber: '98', NewImage: checkpoint } },
      { dynamodb: { SequenceNumber: '99', NewImage: chunk } },
      head,
      { dynamodb: { SequenceNumber: '101' } },
    ];
    const deliveries = deliveriesOf({ Records }, now);
    expect(deliveries).toMatchObject([
      { stream: 'service/shop', version: 12, sequenceNumber: '100', ageSeconds: 30 },
    ]);
    expect(deliveries[0]?.events.at(-1)).toMatchObject({ version: 12, id: 'service/shop#12' });
  });

  it('come again from the first that failed on', async () => {
    const Records = [await record('service/a', 1, '1'), await record('service/b', 2, '2')];
    const deliveries = deliveriesOf({ Records: [...Records, await record('service/c', 3, '3')] }, now);
    expect(firstFailure(deliveries, [])).toEqual({ batchItemFailures: [] });
    expect(firstFailure(deliveries, deliveries.slice(1))).toEqual({
      batchItemFailures: [{ itemIdentifier: '2' }],
    });
  });
});
