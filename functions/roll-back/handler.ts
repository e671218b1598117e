import { APIGatewayClient } from '@aws-sdk/client-api-gateway';
import { ApplicationAutoScalingClient } from '@aws-sdk/client-application-auto-scaling';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ECSClient } from '@aws-sdk/client-ecs';
import { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { Route53Client } from '@aws-sdk/client-route-53';
import middy from '@middy/core';
import { parseRolloutTask, type RolloutTask } from '../../events/task.ts';
import { clientSettings, hurriedClientSettings } from '../../lib/aws/answered.ts';
import { DynamoEventStore } from '../../lib/aws/eventStore/dynamoEventStore.ts';
import { awsFallbackPlaces } from '../../lib/aws/fallbackPlaces.ts';
import { edge, jsonLog, pause, systemClock } from '../../lib/aws/lambda/edge.ts';
import { environment } from '../../lib/aws/lambda/environment.ts';
import { eventBridgeRequests } from '../../lib/aws/requests.ts';
import { awsScaling, awsTraffic, awsWorkload } from '../../lib/aws/targets.ts';
import { rollBack } from '../../lib/flows/rollBack.ts';

const dynamo = new DynamoDBClient(clientSettings);
const balancer = new ElasticLoadBalancingV2Client(clientSettings);
const ecs = new ECSClient(clientSettings);
const scaling = new ApplicationAutoScalingClient(clientSettings);
const events = new EventBridgeClient(clientSettings);
const world = {
  clock: systemClock,
  log: jsonLog('roll-back'),
  store: new DynamoEventStore(dynamo, environment('EVENT_TABLE')),
  traffic: awsTraffic(balancer, pause),
  workload: { ...awsWorkload(ecs, balancer), ...awsScaling(scaling) },
  places: awsFallbackPlaces({
    balancer: new ElasticLoadBalancingV2Client(hurriedClientSettings),
    apiGateway: new APIGatewayClient(hurriedClientSettings),
    route53: new Route53Client(hurriedClientSettings),
  }),
  requests: eventBridgeRequests(events, environment('EVENT_BUS')),
};

export const handler = middy((task: RolloutTask) => rollBack(world, task)).use(
  edge(parseRolloutTask, world.log),
);
