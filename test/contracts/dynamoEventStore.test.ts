/**
 * What only the event store on DynamoDB has: items of a size, calls that are counted, and a wire that
 * fails.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { deflateRawSync } from 'node:zlib';
import { type AttributeValue, type DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DynamoEventStore } from '../../lib/aws/eventStore/dynamoEventStore.ts';
import { headOf, itemKey, storedBody, streamKey } from '../../lib/aws/eventStore/items.ts';
import { textOf } from '../../lib/aws/eventStore/stored.ts';
import { headBytes } from '../../lib/core/eventStore/storedHead.ts';
import { EventStoreUnavailable } from '../../lib/core/outage.ts';
import { evolve } from '../../lib/core/rollout/evolve.ts';
import { initialState, stateSchema } from '../../lib/core/rollout/state.ts';
import { appendMany, appendOf, collected, range, versionsOf } from './eventStoreEvents.ts';
import { dynaliteTable, faulty } from './eventStoreWorlds.ts';
import { rolloutHistory } from './rolloutHistory.ts';

let cloud: Awaited<ReturnType<typeof dynaliteTable>>;
let client: DynamoDBClient;
let store: DynamoEventStore;

beforeAll(async () => {
  cloud = await dynaliteTable();
  client = cloud.connect();
  store = new DynamoEventStore(client, cloud.table);
});
afterAll(() => cloud.close());

/**
 * An item's size by DynamoDB's published rules: names and texts in UTF-8, a number half a byte per digit
 * plus one.
 */
function itemBytes(item: Record<string, AttributeValue>): number {
  const sizeOf = (value: AttributeValue): number => {
    if (value.S !== undefined) return Buffer.byteLength(value.S);
    if (value.N !== undefined) return Math.ceil(value.N.length / 2) + 1;
    if (value.B !== undefined) return value.B.length;
    if (value.L !== undefined) return 3 + value.L.reduce((sum, element) => sum + 1 + sizeOf(element), 0);
    throw new Error(`no rule for ${JSON.stringify(value)}`);
  };
  return Object.entries(item).reduce((sum, [name, value]) => sum + name.length + sizeOf(value), 0);
}

async function headItem(stream: string) {
  const key = itemKey(streamKey(stream));
  const { Item: item } = await client.send(new GetItemCommand({ TableName: cloud.table, Key: key }));
  return item ?? {};
}

describe('the HEAD of a service', () => {
  it('stays under 4 KB through twelve rollouts, and under 8 on the alarm’s way', async () => {
    const stream = 'service/orchestrator';
    let state = initialState;
    let version = 0;
    const sizes: number[] = [];
    for (const number of range(1, 12)) {
      for (const event of rolloutHistory(number, number % 2 === 0 ? 4 : undefined)) {
        state = evolve(state, event);
        const urgent = event.type === 'AlarmReceived' || event.type === 'RollbackInitiated';
        const commandId = `arn:aws:states:eu-west-1:123456789012:execution:rollout:${number}#${version}`;
        const correlationId = '6f7c1b8e-5d0c-4a64-9f0e-2a6a0b6c8e11';
        const snapshot = { schema: stateSchema, state };
        const over = { events: [event], actor: 'evaluate-canary', correlationId, snapshot, urgent };
        const answer = await store.append(stream, appendOf(version, commandId, over));
        expect(answer.outcome).toBe('appended');
        version++;
        if (urgent) expect(itemBytes(await headItem(stream))).toBeLessThan(8192);
        if (urgent) await store.compact(stream);
        const item = await headItem(stream);
        sizes.push(itemBytes(item));
        expect(headBytes(stream, storedBody(headOf(item)).bytes)).toBeGreaterThan(sizes.at(-1) ?? 0);
      }
    }
    expect(Math.max(...sizes)).toBeLessThan(4096);
    expect((await store.head(stream)).snapshot?.state).toEqual(JSON.parse(JSON.stringify(state)));
    const folded = (await collected(store.read(stream))).reduce(
      (all, { event }) => evolve(all, event as never),
      initialState,
    );
    expect(folded).toEqual(state);
    expect(await store.verify(stream)).toEqual({ version, brokenAt: null });
  });

  it('reads as plain JSON in the table where it is short', async () => {
    const stream = 'service/agent';
    await appendMany(store, stream, 2);
    const { pk, sk, v, active, last, body } = await headItem(stream);
    expect({ pk, sk, v, active, last }).toEqual({
      ...{ pk: { S: 'S#service/agent' }, sk: { N: '0' }, v: { N: '2' }, active: { S: 'y' } },
      last: { S: 'TrafficShifted' },
    });
    expect(JSON.parse(body?.S ?? '')).toMatchObject({
      commits: [{ command: 'fill-0' }, { command: 'fill-1', actor: 'test' }],
      snapshot: { state: { version: 2 } },
    });
  });

  it('is read from the image of a stream event, where bytes are base64', async () => {
    const stream = 'service/imaged';
    const long = { schema: 1, state: { steps: range(1, 600) } };
    await store.append(stream, appendOf(0, 'long', { snapshot: long }));
    const item = await headItem(stream);
    const base64 = Buffer.from(item.body?.B ?? []).toString('base64');
    expect(base64).not.toBe('');
    const image = { ...item, body: { B: base64 } } as unknown as typeof item;
    expect(headOf(image)).toMatchObject({ stream, version: 1, snapshot: long });
  });
});

it('reads a HEAD that was deflated, as they once were', async () => {
  const stream = 'service/deflated';
  const long = { schema: 1, state: { steps: range(1, 600) } };
  await store.append(stream, appendOf(0, 'long', { snapshot: long }));
  const item = await headItem(stream);
  const deflated = { ...item, body: { B: deflateRawSync(textOf(item.body)) } };
  expect(headOf(deflated)).toEqual(headOf(item));
});

it('reads a history whose page was taken before HEAD was', async () => {
  const stream = 'service/torn-page';
  await appendMany(store, stream, 40);
  const own = cloud.connect();
  let torn = 0;
  const send = own.send.bind(own) as (command: object) => Promise<{ Items?: { sk?: { N?: string } }[] }>;
  const tornSend = async (command: object) => {
    const answer = await send(command);
    if (answer.Items === undefined || torn++ > 0) return answer;
    return { ...answer, Items: answer.Items.filter((item) => item.sk?.N !== '17') };
  };
  Object.assign(own, { send: tornSend });
  const versions = (await collected(new DynamoEventStore(own, cloud.table).read(stream))).map(
    ({ version }) => version,
  );
  expect(versions).toEqual(range(1, 40));
  expect(torn).toBe(2);
});

/** The calls a new store makes, by command and key. */
function counted(): { readonly calls: string[]; readonly store: DynamoEventStore } {
  const calls: string[] = [];
  const own = cloud.connect();
  faulty(own, (step, when) => {
    if (when === 'before') calls.push(step);
  });
  return { calls, store: new DynamoEventStore(own, cloud.table) };
}

describe('round trips', () => {
  it('are one for a read and one for the append after it', async () => {
    const stream = 'service/counted';
    await appendMany(store, stream, 5);
    const { calls, store: own } = counted();
    const head = await own.head(stream);
    await own.append(stream, appendOf(head.version, 'one'));
    await own.append(stream, appendOf(head.version + 1, 'two'));
    expect(calls).toEqual(['read-head', 'write-head', 'write-head']);
  });

  it('are two for an urgent append behind a full tail, too', async () => {
    const stream = 'service/counted-full';
    await appendMany(store, stream, 16);
    const { calls, store: own } = counted();
    const { version } = await own.head(stream);
    await own.append(stream, appendOf(version, 'alarm', { urgent: true }));
    expect(calls).toEqual(['read-head', 'write-head']);
  });

  it('are one more where the version is one this store has not seen', async () => {
    const stream = 'service/counted-unseen';
    await appendMany(store, stream, 3);
    const { calls, store: own } = counted();
    await own.append(stream, appendOf(3, 'unseen'));
    expect(calls).toEqual(['read-head', 'write-head']);
  });
});

type Trouble = 'reset' | 'half' | 'silence' | '503';

/** Stands before the table, passes everything on, and spoils the answers it is told to. */
async function troubledWire(troubleOf: (operation: string) => Trouble | null) {
  const pass = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const headers = { ...request.headers } as Record<string, string>;
    for (const name of ['host', 'connection', 'content-length']) delete headers[name];
    const answer = await fetch(cloud.endpoint, { method: 'POST', headers, body: Buffer.concat(chunks) });
    const body = await answer.text();
    const trouble = troubleOf(String(request.headers['x-amz-target']).split('.')[1] ?? '');
    if (trouble === 'silence') return;
    if (trouble === 'reset') return void request.socket.destroy();
    response.writeHead(trouble === '503' ? 503 : answer.status, {
      'content-type': 'application/x-amz-json-1.0',
    });
    response.end(trouble === 'half' ? `{"Attributes":${body.slice(1, -1)}` : trouble === '503' ? '{}' : body);
  };
  const server = createServer((request, response) => void pass(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { endpoint, close: () => server.closeAllConnections() ?? server.close() };
}

describe('an append whose answer is lost', () => {
  it.each<Trouble>(['reset', 'half', 'silence', '503'])(
    '(%s) is sent again and stands once',
    async (trouble) => {
      const stream = `service/lost-${trouble}`;
      await appendMany(store, stream, 4);
      let left = 1;
      const wire = await troubledWire((operation) =>
        operation === 'PutItem' && left-- > 0 ? trouble : null,
      );
      const own = new DynamoEventStore(cloud.connect({ endpoint: wire.endpoint }), cloud.table, {
        attemptMs: 250,
        wait: () => Promise.resolve(),
      });
      const answer = await own.append(stream, appendOf(4, 'once'));
      expect(answer).toMatchObject({ outcome: 'repeated', version: 5, events: [{ commandId: 'once' }] });
      expect(await versionsOf(store, stream)).toEqual(range(1, 5));
      wire.close();
    },
  );

  it('is an outage by the deadline where nobody answers', async () => {
    const wire = await troubledWire((operation) => (operation === 'PutItem' ? 'silence' : null));
    const own = new DynamoEventStore(cloud.connect({ endpoint: wire.endpoint }), cloud.table, {
      urgentDeadlineMs: 150,
    });
    const begun = performance.now();
    const attempt = own.append('service/silent', appendOf(0, 'alarm', { urgent: true }));
    await expect(attempt).rejects.toThrow(EventStoreUnavailable);
    expect(performance.now() - begun).toBeLessThan(900); // an attempt alone may take 1 s
    wire.close();
  });

  it('is an outage once the time is up, and stands or does not', async () => {
    const stream = 'service/lost-for-good';
    await appendMany(store, stream, 4);
    const wire = await troubledWire((operation) => (operation === 'PutItem' ? 'reset' : null));
    const own = new DynamoEventStore(cloud.connect({ endpoint: wire.endpoint }), cloud.table, {
      wait: () => Promise.resolve(),
    });
    const attempt = own.append(stream, appendOf(4, 'once'));
    await expect(attempt).rejects.toThrow(EventStoreUnavailable);
    await expect(attempt).rejects.toThrow(
      /^writing the HEAD of service\/lost-for-good failed after 6 attempts: /,
    );
    expect(await store.append(stream, appendOf(4, 'once'))).toMatchObject({
      outcome: 'repeated',
      version: 5,
    });
    wire.close();
  });
});
