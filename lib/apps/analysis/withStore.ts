/** The event store of the account, or of the local cloud, for one question. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoEventStore } from '../../aws/eventStore/dynamoEventStore.ts';
import type { EventStore } from '../../ports.ts';
import { clientAt } from './clientAt.ts';

export async function withStore<T>(
  table: string,
  endpoint: string | null,
  ask: (store: EventStore) => Promise<T>,
): Promise<T> {
  const client = new DynamoDBClient(clientAt(endpoint));
  try {
    return await ask(new DynamoEventStore(client, table));
  } finally {
    client.destroy();
  }
}
