import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SFNClient } from '@aws-sdk/client-sfn';
import middy from '@middy/core';
import { cloudWatchAlarms } from '../../lib/aws/alarms.ts';
import { clientSettings } from '../../lib/aws/answered.ts';
import { DynamoEventStore } from '../../lib/aws/eventStore/dynamoEventStore.ts';
import { jsonLog, pause, systemClock } from '../../lib/aws/lambda/edge.ts';
import { environment } from '../../lib/aws/lambda/environment.ts';
import { executionStarts, runningExecutions } from '../../lib/aws/machines.ts';
import { eventBridgeRequests } from '../../lib/aws/requests.ts';
import { awsMetrics, awsTraffic } from '../../lib/aws/targets.ts';
import { reconcile } from '../../lib/flows/reconcile.ts';

const cloudWatch = new CloudWatchClient(clientSettings);
const client = new SFNClient(clientSettings);
const machines = {
  rollout: environment('ROLLOUT_MACHINE'),
  rollback: environment('ROLLBACK_MACHINE'),
  migration: environment('MIGRATION_MACHINE'),
};
const world = {
  clock: systemClock,
  log: jsonLog('reconcile'),
  store: new DynamoEventStore(new DynamoDBClient(clientSettings), environment('EVENT_TABLE')),
  traffic: awsTraffic(new ElasticLoadBalancingV2Client(clientSettings), pause),
  metrics: awsMetrics(cloudWatch),
  alarms: cloudWatchAlarms(cloudWatch),
  requests: eventBridgeRequests(new EventBridgeClient(clientSettings), environment('EVENT_BUS')),
};

/** The scheduler's event carries nothing that is needed but its id. */
export const handler = middy(async (event: { readonly id?: string }) => {
  const correlationId = event.id ?? `reconcile-${systemClock.now()}`;
  const pass = { ...executionStarts(client, machines), ...runningExecutions(client, machines) };
  const reconciled = await reconcile({ ...world, machines: pass }, correlationId);
  if (reconciled.length > 0) world.log.write({ message: 'reconciled', correlationId, reconciled });
  return { reconciled };
});
