/** Where a copy's operations are recorded: in an event table, or beside the copy in its own. */
import type { AwsClientOptions } from '../../aws/lean/awsClient.ts';
import { ItemEventStore } from '../../aws/lean/itemEventStore.ts';
import type { ItemTable } from '../../aws/lean/itemTable.ts';
import type { OperationStore } from '../../flows/recordOperation.ts';
import { CopyRefused } from './copyCheckpoint.ts';

export type CopyRecord = { readonly store: OperationStore; readonly close: () => void };

/** @throws CopyRefused when there is no such event table */
export async function openRecord(
  events: string | undefined,
  table: ItemTable,
  { region, endpoint }: Pick<AwsClientOptions, 'region' | 'endpoint'>,
): Promise<CopyRecord> {
  if (events === undefined) return { store: new ItemEventStore(table), close: () => undefined };
  // Whoever keeps the record beside the copy needs no SDK, and loading it takes a second.
  const { DynamoDBClient } = await import('@aws-sdk/client-dynamodb');
  const { DynamoEventStore } = await import('../../aws/eventStore/dynamoEventStore.ts');
  const client = new DynamoDBClient({ region, maxAttempts: 1, ...(endpoint === null ? {} : { endpoint }) });
  const store = new DynamoEventStore(client, events);
  try {
    await store.head('operation/none');
  } catch (error) {
    client.destroy();
    if (!/ResourceNotFound|ValidationException/.test(`${error}`)) throw error;
    throw new CopyRefused(
      `${events} is no event table: name Switchback's own with --events, ` +
        'or leave it out, and the record is kept beside the copy',
    );
  }
  return { store, close: () => client.destroy() };
}
