import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import middy from '@middy/core';
import { parseRolloutTask, type RolloutTask } from '../../events/task.ts';
import { cloudWatchAlarms } from '../../lib/aws/alarms.ts';
import { clientSettings } from '../../lib/aws/answered.ts';
import { DynamoEventStore } from '../../lib/aws/eventStore/dynamoEventStore.ts';
import { edge, jsonLog, pause, systemClock } from '../../lib/aws/lambda/edge.ts';
import { environment } from '../../lib/aws/lambda/environment.ts';
import { awsMetrics, awsTraffic } from '../../lib/aws/targets.ts';
import { evaluateCanary } from '../../lib/flows/evaluateCanary.ts';

const dynamo = new DynamoDBClient(clientSettings);
const balancer = new ElasticLoadBalancingV2Client(clientSettings);
const cloudWatch = new CloudWatchClient(clientSettings);
const world = {
  clock: systemClock,
  log: jsonLog('evaluate-canary'),
  store: new DynamoEventStore(dynamo, environment('EVENT_TABLE')),
  traffic: awsTraffic(balancer, pause),
  metrics: awsMetrics(cloudWatch),
  alarms: cloudWatchAlarms(cloudWatch),
};

export const handler = middy((task: RolloutTask) => evaluateCanary(world, task)).use(
  edge(parseRolloutTask, world.log),
);
