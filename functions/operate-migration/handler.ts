import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ECSClient } from '@aws-sdk/client-ecs';
import { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SFNClient } from '@aws-sdk/client-sfn';
import middy from '@middy/core';
import {
  type MigrationOperationRequested,
  migrationOperationDetailType,
  parseMigrationOperation,
} from '../../events/migrationRequest.ts';
import { clientSettings } from '../../lib/aws/answered.ts';
import { DynamoEventStore } from '../../lib/aws/eventStore/dynamoEventStore.ts';
import { edge, jsonLog, pause, systemClock } from '../../lib/aws/lambda/edge.ts';
import { environment } from '../../lib/aws/lambda/environment.ts';
import { tellRefusals } from '../../lib/aws/lambda/refusals.ts';
import { executionStarts } from '../../lib/aws/machines.ts';
import { awsTraffic, awsWorkload } from '../../lib/aws/targets.ts';
import { operateMigration } from '../../lib/flows/operateMigration.ts';

const bus = new EventBridgeClient(clientSettings);
const balancer = new ElasticLoadBalancingV2Client(clientSettings);
const world = {
  clock: systemClock,
  log: jsonLog('operate-migration'),
  store: new DynamoEventStore(new DynamoDBClient(clientSettings), environment('EVENT_TABLE')),
  traffic: awsTraffic(balancer, pause),
  workload: awsWorkload(new ECSClient(clientSettings), balancer),
  machines: executionStarts(new SFNClient(clientSettings), {
    rollback: environment('ROLLBACK_MACHINE'),
    migration: environment('MIGRATION_MACHINE'),
  }),
};

export const handler = middy(async (request: MigrationOperationRequested) => {
  const operated = await operateMigration(world, request, request.eventId);
  world.log.write({
    message: 'migration operation requested',
    correlationId: request.eventId,
    ...request,
    ...operated,
  });
  return operated;
})
  .use(edge(parseMigrationOperation, world.log))
  .use(tellRefusals(bus, environment('EVENT_BUS'), migrationOperationDetailType, world.log));
