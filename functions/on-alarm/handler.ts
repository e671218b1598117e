import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ECSClient } from '@aws-sdk/client-ecs';
import { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SQSClient } from '@aws-sdk/client-sqs';
import middy from '@middy/core';
import { parseAlarmChange } from '../../events/aws/cloudWatchAlarm.ts';
import { clientSettings } from '../../lib/aws/answered.ts';
import { DynamoEventStore } from '../../lib/aws/eventStore/dynamoEventStore.ts';
import { sqsIntentQueue } from '../../lib/aws/intentQueue.ts';
import { jsonLog, pause, systemClock } from '../../lib/aws/lambda/edge.ts';
import { environment } from '../../lib/aws/lambda/environment.ts';
import { eachMessage, type QueueEvent } from '../../lib/aws/lambda/queue.ts';
import { executionStarts } from '../../lib/aws/machines.ts';
import { awsMetrics, awsTraffic, awsWorkload } from '../../lib/aws/targets.ts';
import { onAlarm } from '../../lib/flows/onAlarm.ts';
import { services } from '../configured.ts';

const balancer = new ElasticLoadBalancingV2Client(clientSettings);
const world = {
  clock: systemClock,
  log: jsonLog('on-alarm'),
  store: new DynamoEventStore(new DynamoDBClient(clientSettings), environment('EVENT_TABLE')),
  traffic: awsTraffic(balancer, pause),
  workload: awsWorkload(new ECSClient(clientSettings), balancer),
  metrics: awsMetrics(new CloudWatchClient(clientSettings)),
  machines: executionStarts(new SFNClient(clientSettings), { rollback: environment('ROLLBACK_MACHINE') }),
  intents: sqsIntentQueue(new SQSClient(clientSettings), environment('INTENT_QUEUE')),
};

/** One message's trouble does not bring the others back: only the failed ones are delivered again. */
export const handler = middy((event: QueueEvent) =>
  eachMessage(event, parseAlarmChange, world, async (change) => {
    const outcomes = await onAlarm(world, { ...change, correlationId: change.eventId }, services);
    world.log.write({
      message: 'alarm heard',
      correlationId: change.eventId,
      alarm: change.alarmName,
      outcomes,
    });
  }),
);
