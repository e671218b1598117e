// The peer: @castore's store on DynamoDB, one item per event, with the same events and the same fold.

import { CreateTableCommand, type DynamoDBClient, waitUntilTableExists } from '@aws-sdk/client-dynamodb';
import { EventStore, EventType } from '@castore/core';
import { DynamoDBSingleTableEventStorageAdapter } from '@castore/event-storage-adapter-dynamodb';
import type { ServiceEvent } from '../../events/service.ts';
import { evolve } from '../../lib/core/rollout/evolve.ts';
import { initialState, type ServiceState } from '../../lib/core/rollout/state.ts';
import { rolloutHistory } from '../../test/contracts/rolloutHistory.ts';

type Detail = {
  readonly aggregateId: string;
  readonly version: number;
  readonly type: string;
  readonly timestamp: string;
  readonly payload: ServiceEvent;
};

const table = 'castore-events';

export async function castoreStore(client: DynamoDBClient) {
  await client.send(
    new CreateTableCommand({
      TableName: table,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [
        { AttributeName: 'aggregateId', AttributeType: 'S' },
        { AttributeName: 'version', AttributeType: 'N' },
        { AttributeName: 'eventStoreId', AttributeType: 'S' },
        { AttributeName: 'timestamp', AttributeType: 'S' },
      ],
      KeySchema: [
        { AttributeName: 'aggregateId', KeyType: 'HASH' },
        { AttributeName: 'version', KeyType: 'RANGE' },
      ],
      GlobalSecondaryIndexes: [
        {
          IndexName: 'initialEvents',
          KeySchema: [
            { AttributeName: 'eventStoreId', KeyType: 'HASH' },
            { AttributeName: 'timestamp', KeyType: 'RANGE' },
          ],
          Projection: { ProjectionType: 'KEYS_ONLY' },
        },
      ],
    }),
  );
  await waitUntilTableExists({ client, maxWaitTime: 30, minDelay: 1 }, { TableName: table });
  const types = new Set(
    [4, undefined].flatMap((failsAt) => rolloutHistory(1, failsAt).map(({ type }) => type)),
  );
  const store = new EventStore({
    eventStoreId: 'services',
    eventTypes: [...types].map((type) => new EventType<string, ServiceEvent>({ type })),
    reducer: (aggregate: { state: ServiceState; aggregateId: string; version: number }, detail: Detail) => ({
      aggregateId: detail.aggregateId,
      version: detail.version,
      state: evolve(aggregate?.state ?? initialState, detail.payload),
    }),
    eventStorageAdapter: new DynamoDBSingleTableEventStorageAdapter({
      tableName: table,
      dynamoDBClient: client,
    }),
  } as never);
  return {
    push: async (aggregateId: string, version: number, event: ServiceEvent): Promise<void> => {
      const timestamp = new Date(event.at).toISOString();
      await store.pushEvent({ aggregateId, version, type: event.type, timestamp, payload: event } as never);
    },
    /** The state after all events, as this store's users fold it. */
    load: async (aggregateId: string): Promise<ServiceState> => {
      const { aggregate } = await store.getAggregate(aggregateId);
      return (aggregate as unknown as { state: ServiceState }).state;
    },
  };
}
