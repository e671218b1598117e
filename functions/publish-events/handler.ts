import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SNSClient } from '@aws-sdk/client-sns';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { parseUnparkRequest } from '../../events/request.ts';
import { clientSettings } from '../../lib/aws/answered.ts';
import { eventBridgeBus } from '../../lib/aws/eventBus.ts';
import { DynamoConsumers } from '../../lib/aws/eventStore/consumers.ts';
import { DynamoEventStore } from '../../lib/aws/eventStore/dynamoEventStore.ts';
import { jsonLog, systemClock } from '../../lib/aws/lambda/edge.ts';
import { environment } from '../../lib/aws/lambda/environment.ts';
import { deliveriesOf, firstFailure, type StreamEvent } from '../../lib/aws/lambda/tableStream.ts';
import { snsNotifications } from '../../lib/aws/notifications.ts';
import { BadInput } from '../../lib/core/outage.ts';
import { publishEvents } from '../../lib/flows/publishEvents.ts';
import { toPeople, toTheBus } from '../../lib/flows/subscribers.ts';
import { unpark } from '../../lib/flows/unpark.ts';

const dynamo = new DynamoDBClient(clientSettings);
const world = {
  log: jsonLog('publish-events'),
  store: new DynamoEventStore(dynamo, environment('EVENT_TABLE')),
  consumers: new DynamoConsumers(dynamo, environment('EVENT_TABLE')),
};
const subscribers = [
  toTheBus(eventBridgeBus(new EventBridgeClient(clientSettings), environment('EVENT_BUS'))),
  toPeople(snsNotifications(new SNSClient(clientSettings), environment('TOPIC'))),
];

export const handler = middy(async (event: StreamEvent | { readonly unpark: string }, context: Context) => {
  if ('unpark' in event) {
    const request = parseUnparkRequest(event);
    if (!request.ok) throw new BadInput(request.sentence);
    return unpark(world, request.value, subscribers, context.awsRequestId);
  }
  const deliveries = deliveriesOf(event, systemClock.now());
  const again = await publishEvents(world, deliveries, subscribers);
  return firstFailure(deliveries, again);
});
