import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SFNClient } from '@aws-sdk/client-sfn';
import middy from '@middy/core';
import { type OperationRequested, operationDetailType, parseOperationRequest } from '../../events/request.ts';
import { clientSettings } from '../../lib/aws/answered.ts';
import { DynamoTokens } from '../../lib/aws/eventStore/consumers.ts';
import { DynamoEventStore } from '../../lib/aws/eventStore/dynamoEventStore.ts';
import { edge, jsonLog, pause, systemClock } from '../../lib/aws/lambda/edge.ts';
import { environment } from '../../lib/aws/lambda/environment.ts';
import { tellRefusals } from '../../lib/aws/lambda/refusals.ts';
import { settingsFor } from '../../lib/aws/lambda/settings.ts';
import { executionStarts, waitingExecutions } from '../../lib/aws/machines.ts';
import { eventBridgeRequests } from '../../lib/aws/requests.ts';
import { awsTraffic } from '../../lib/aws/targets.ts';
import { operate } from '../../lib/flows/operate.ts';
import { services } from '../configured.ts';

const bus = new EventBridgeClient(clientSettings);
const dynamo = new DynamoDBClient(clientSettings);
const machines = new SFNClient(clientSettings);
const world = {
  clock: systemClock,
  log: jsonLog('operate'),
  store: new DynamoEventStore(dynamo, environment('EVENT_TABLE')),
  tokens: new DynamoTokens(dynamo, environment('EVENT_TABLE')),
  traffic: awsTraffic(new ElasticLoadBalancingV2Client(clientSettings), pause),
  requests: eventBridgeRequests(bus, environment('EVENT_BUS')),
  machines: {
    ...executionStarts(machines, { rollback: environment('ROLLBACK_MACHINE') }),
    ...waitingExecutions(machines),
  },
};

export const handler = middy(async (request: OperationRequested) => {
  const settings = settingsFor(services, request.service);
  const operated = await operate(world, request, { settings, services }, request.eventId);
  world.log.write({
    message: 'operation requested',
    correlationId: request.eventId,
    ...request,
    ...operated,
  });
  return operated;
})
  .use(edge(parseOperationRequest, world.log))
  .use(tellRefusals(bus, environment('EVENT_BUS'), operationDetailType, world.log));
