import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SFNClient } from '@aws-sdk/client-sfn';
import middy from '@middy/core';
import {
  type MigrationRequested,
  migrationDetailType,
  parseMigrationRequest,
} from '../../events/migrationRequest.ts';
import { clientSettings } from '../../lib/aws/answered.ts';
import { DynamoEventStore } from '../../lib/aws/eventStore/dynamoEventStore.ts';
import { edge, jsonLog, systemClock } from '../../lib/aws/lambda/edge.ts';
import { environment } from '../../lib/aws/lambda/environment.ts';
import { tellRefusals } from '../../lib/aws/lambda/refusals.ts';
import { executionStarts } from '../../lib/aws/machines.ts';
import { startMigration } from '../../lib/flows/startMigration.ts';
import { services } from '../configured.ts';

const bus = new EventBridgeClient(clientSettings);
const world = {
  clock: systemClock,
  log: jsonLog('start-migration'),
  store: new DynamoEventStore(new DynamoDBClient(clientSettings), environment('EVENT_TABLE')),
  machines: executionStarts(new SFNClient(clientSettings), { migration: environment('MIGRATION_MACHINE') }),
};

export const handler = middy(async (request: MigrationRequested) => {
  const started = await startMigration(world, request, services, request.eventId);
  world.log.write({ message: 'migration requested', correlationId: request.eventId, ...started });
  return started;
})
  .use(edge(parseMigrationRequest, world.log))
  .use(tellRefusals(bus, environment('EVENT_BUS'), migrationDetailType, world.log));
