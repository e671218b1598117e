import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ECSClient } from '@aws-sdk/client-ecs';
import { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SSMClient } from '@aws-sdk/client-ssm';
import middy from '@middy/core';
import { parseRolloutRequest, type RolloutRequested, requestDetailType } from '../../events/request.ts';
import { cloudWatchAlarms } from '../../lib/aws/alarms.ts';
import { clientSettings } from '../../lib/aws/answered.ts';
import { DynamoEventStore } from '../../lib/aws/eventStore/dynamoEventStore.ts';
import { edge, jsonLog, pause, systemClock } from '../../lib/aws/lambda/edge.ts';
import { environment } from '../../lib/aws/lambda/environment.ts';
import { tellRefusals } from '../../lib/aws/lambda/refusals.ts';
import { settingsFor } from '../../lib/aws/lambda/settings.ts';
import { awsLayers } from '../../lib/aws/layers.ts';
import { executionStarts } from '../../lib/aws/machines.ts';
import { awsMetrics, awsTraffic, awsWorkload } from '../../lib/aws/targets.ts';
import { startRollout } from '../../lib/flows/startRollout.ts';
import { services } from '../configured.ts';

const bus = new EventBridgeClient(clientSettings);
const dynamo = new DynamoDBClient(clientSettings);
const balancer = new ElasticLoadBalancingV2Client(clientSettings);
const ecs = new ECSClient(clientSettings);
const cloudWatch = new CloudWatchClient(clientSettings);
const world = {
  clock: systemClock,
  log: jsonLog('start-rollout'),
  store: new DynamoEventStore(dynamo, environment('EVENT_TABLE')),
  traffic: awsTraffic(balancer, pause),
  workload: awsWorkload(ecs, balancer),
  metrics: awsMetrics(cloudWatch),
  alarms: cloudWatchAlarms(cloudWatch),
  machines: executionStarts(new SFNClient(clientSettings), {
    rollout: environment('ROLLOUT_MACHINE'),
    rollback: environment('ROLLBACK_MACHINE'),
  }),
};
const layers = awsLayers(new SSMClient(clientSettings), environment('STAGE'), process.env);

export const handler = middy(async (request: RolloutRequested) => {
  const settings = settingsFor(services, request.service);
  const started = await startRollout(world, request, settings, request.eventId, layers);
  const { plan, ...answer } = 'plan' in started ? started : { ...started, plan: null };
  world.log.write({
    message: 'rollout requested',
    correlationId: request.eventId,
    ...answer,
    ...(plan === null ? {} : { expected: plan.expected, steps: plan.steps.map(({ weight }) => weight) }),
  });
  return answer;
})
  .use(edge(parseRolloutRequest, world.log))
  .use(tellRefusals(bus, environment('EVENT_BUS'), requestDetailType, world.log));
