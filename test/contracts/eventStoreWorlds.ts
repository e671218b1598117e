/** The two worlds an event store lives in, opened as processes open them: many stores on one table. */
import type { Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import {
  type AttributeValue,
  DynamoDBClient,
  type DynamoDBClientConfig,
  GetItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { DynamoConsumers, DynamoEffects, DynamoTokens } from '../../lib/aws/eventStore/consumers.ts';
import { DynamoEventStore } from '../../lib/aws/eventStore/dynamoEventStore.ts';
import { createEventTable } from '../../lib/aws/eventStore/eventTable.ts';
import { headOf, itemKey, storedBody, streamKey } from '../../lib/aws/eventStore/items.ts';
import { storedText, textOf } from '../../lib/aws/eventStore/stored.ts';
import type { Commit } from '../../lib/core/eventStore/commit.ts';
import type { Consumers, Effects, EventStore, Tokens } from '../../lib/ports.ts';
import { SimConsumers, SimEffects, SimTokens } from '../../lib/sim/consumers.ts';
import { SimEventStore, SimTable, type StoreFault, type StoreStep } from '../../lib/sim/eventStore.ts';

export type EventStoreWorld = {
  /** A store as a process opens it that just began. */
  open(fault?: StoreFault): EventStore;
  readonly consumers: Consumers;
  readonly effects: Effects;
  readonly tokens: Tokens;
  /** Changes what is stored of the commits in HEAD, or in the chunk that begins at `chunk`. */
  tamper(stream: string, change: (commits: Commit[]) => Commit[], chunk?: number): Promise<void>;
  close(): Promise<void>;
};

/** A part of the contract. Every test takes a stream of its own. */
export type Given = (world: () => EventStoreWorld, newStream: () => string) => void;

export async function simWorld(): Promise<EventStoreWorld> {
  const table = new SimTable();
  return {
    open: (fault) => new SimEventStore(table, fault),
    consumers: new SimConsumers(),
    effects: new SimEffects(),
    tokens: new SimTokens(),
    async tamper(stream, change, chunk) {
      if (chunk !== undefined) {
        const chunks = table.chunks.get(stream);
        chunks?.set(chunk, change([...(chunks.get(chunk) ?? [])]));
        return;
      }
      const head = table.heads.get(stream);
      if (head !== undefined) table.heads.set(stream, { ...head, commits: change([...head.commits]) });
    },
    close: async () => undefined,
  };
}

const table = 'events';

/** A table on dynalite, in this process. */
export async function dynaliteTable() {
  const dynalite = createRequire(import.meta.url)('dynalite') as (options: object) => Server;
  const server = dynalite({ createTableMs: 0 });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const clients: DynamoDBClient[] = [];
  const connect = (config: DynamoDBClientConfig = {}) => {
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
    const client = new DynamoDBClient({
      region: 'eu-west-1',
      credentials,
      endpoint,
      maxAttempts: 1,
      ...config,
    });
    clients.push(client);
    return client;
  };
  await createEventTable(connect(), table);
  return {
    table,
    endpoint,
    connect,
    async close() {
      for (const client of clients) client.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A busy machine is no outage. */
const patient = { attemptMs: 30_000, deadlineMs: 30_000, urgentDeadlineMs: 30_000 };

export async function dynamoWorld(): Promise<EventStoreWorld> {
  const { connect, close } = await dynaliteTable();
  const client = connect();
  return {
    open(fault) {
      if (fault === undefined) return new DynamoEventStore(client, table, patient);
      const own = connect();
      faulty(own, fault);
      return new DynamoEventStore(own, table, patient);
    },
    consumers: new DynamoConsumers(client, table),
    effects: new DynamoEffects(client, table),
    tokens: new DynamoTokens(client, table),
    async tamper(stream, change, chunk = 0) {
      const { Item: item } = await client.send(
        new GetItemCommand({ TableName: table, Key: itemKey(streamKey(stream), chunk) }),
      );
      const changed = { ...item };
      if (chunk > 0) {
        const commits = JSON.stringify(change(JSON.parse(textOf(item?.commits))));
        changed.commits = storedText(commits).attribute;
      } else {
        const head = headOf(item ?? {});
        changed.body = storedBody({ ...head, commits: change([...head.commits]) }).attribute;
      }
      await client.send(new PutItemCommand({ TableName: table, Item: changed }));
    },
    close,
  };
}

/** Calls `fault` around each of the client's calls, by the name the step has in every world. */
export function faulty(client: DynamoDBClient, fault: StoreFault): void {
  const send = client.send.bind(client) as (command: Command) => Promise<object>;
  const faultySend = async (command: Command) => {
    const step = stepOf(command);
    await fault(step, 'before');
    const answer = await send(command);
    await fault(step, 'after');
    return answer;
  };
  Object.assign(client, { send: faultySend });
}

type Command = { readonly input: Record<string, Record<string, AttributeValue>> };

function stepOf({ input }: Command): StoreStep {
  if (input.Key !== undefined) return input.Key.sk?.N === '0' ? 'read-head' : 'read-beside';
  if (input.KeyConditionExpression !== undefined) return 'read-chunks';
  if (input.Item?.body !== undefined) return 'write-head';
  return input.Item?.commits === undefined ? 'write-beside' : 'write-chunk';
}
