/**
 * The same alarm path as a function is usually written: middy, powertools' logger and metrics, zod as it
 * comes, clients as the SDK's guides make them. Only its bytes and its load time are measured.
 */
import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { Metrics } from '@aws-lambda-powertools/metrics';
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ECSClient } from '@aws-sdk/client-ecs';
import { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SQSClient } from '@aws-sdk/client-sqs';
import middy from '@middy/core';
import type { SQSEvent } from 'aws-lambda';
import { z } from 'zod';
import { services } from '../../functions/configured.ts';
import { DynamoEventStore } from '../../lib/aws/eventStore/dynamoEventStore.ts';
import { sqsIntentQueue } from '../../lib/aws/intentQueue.ts';
import { executionStarts } from '../../lib/aws/machines.ts';
import { awsMetrics, awsTraffic, awsWorkload } from '../../lib/aws/targets.ts';
import { onAlarm } from '../../lib/flows/onAlarm.ts';

const logger = new Logger({ serviceName: 'on-alarm' });
const metrics = new Metrics({ namespace: 'switchback', serviceName: 'on-alarm' });
const balancer = new ElasticLoadBalancingV2Client();
const world = {
  clock: { now: () => Date.now() },
  log: { write: (line: { readonly message: string }) => logger.info(line.message, line) },
  store: new DynamoEventStore(new DynamoDBClient(), process.env.EVENT_TABLE ?? ''),
  traffic: awsTraffic(balancer, (ms) => new Promise<void>((go) => setTimeout(() => go(), ms))),
  workload: awsWorkload(new ECSClient(), balancer),
  metrics: awsMetrics(new CloudWatchClient()),
  machines: executionStarts(new SFNClient(), { rollback: process.env.ROLLBACK_MACHINE ?? '' }),
  intents: sqsIntentQueue(new SQSClient(), process.env.INTENT_QUEUE ?? ''),
};

const AlarmEvent = z.object({
  id: z.string(),
  account: z.string(),
  region: z.string(),
  resources: z.array(z.string()).min(1),
  detail: z.object({
    alarmName: z.string(),
    state: z.object({
      value: z.enum(['OK', 'ALARM', 'INSUFFICIENT_DATA']),
      reason: z.string(),
      timestamp: z.string(),
    }),
  }),
});

export const handler = middy(async ({ Records }: SQSEvent) => {
  for (const { body } of Records) {
    const { id, detail } = AlarmEvent.parse(JSON.parse(body));
    const { value: state, reason, timestamp } = detail.state;
    const change = { alarmName: detail.alarmName, state, reason, changedAt: Date.parse(timestamp) };
    await onAlarm(world, { ...change, correlationId: id }, services);
  }
})
  .use(injectLambdaContext(logger))
  .use(logMetrics(metrics));
