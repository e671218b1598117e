import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ECSClient } from '@aws-sdk/client-ecs';
import { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SSMClient } from '@aws-sdk/client-ssm';
import middy from '@middy/core';
import { type MigrationTask, parseMigrationTask } from '../../events/task.ts';
import { cloudWatchAlarms } from '../../lib/aws/alarms.ts';
import { clientSettings } from '../../lib/aws/answered.ts';
import { DynamoEventStore } from '../../lib/aws/eventStore/dynamoEventStore.ts';
import { edge, jsonLog, pause, systemClock } from '../../lib/aws/lambda/edge.ts';
import { environment } from '../../lib/aws/lambda/environment.ts';
import { awsLayers } from '../../lib/aws/layers.ts';
import { executionStarts } from '../../lib/aws/machines.ts';
import { awsMetrics, awsTraffic, awsWorkload } from '../../lib/aws/targets.ts';
import { stepMigration } from '../../lib/flows/stepMigration.ts';
import { services } from '../configured.ts';

const balancer = new ElasticLoadBalancingV2Client(clientSettings);
const cloudWatch = new CloudWatchClient(clientSettings);
const world = {
  clock: systemClock,
  log: jsonLog('step-migration'),
  store: new DynamoEventStore(new DynamoDBClient(clientSettings), environment('EVENT_TABLE')),
  traffic: awsTraffic(balancer, pause),
  workload: awsWorkload(new ECSClient(clientSettings), balancer),
  metrics: awsMetrics(cloudWatch),
  alarms: cloudWatchAlarms(cloudWatch),
  machines: executionStarts(new SFNClient(clientSettings), {
    rollout: environment('ROLLOUT_MACHINE'),
    rollback: environment('ROLLBACK_MACHINE'),
  }),
};
const layers = awsLayers(new SSMClient(clientSettings), environment('STAGE'), process.env);

export const handler = middy((task: MigrationTask) => stepMigration(world, task, services, layers)).use(
  edge(parseMigrationTask, world.log),
);
