import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SFNClient } from '@aws-sdk/client-sfn';
import middy from '@middy/core';
import { type ApprovalTask, parseApprovalTask } from '../../events/task.ts';
import { clientSettings } from '../../lib/aws/answered.ts';
import { DynamoTokens } from '../../lib/aws/eventStore/consumers.ts';
import { DynamoEventStore } from '../../lib/aws/eventStore/dynamoEventStore.ts';
import { edge, jsonLog, systemClock } from '../../lib/aws/lambda/edge.ts';
import { environment } from '../../lib/aws/lambda/environment.ts';
import { waitingExecutions } from '../../lib/aws/machines.ts';
import { requestApproval } from '../../lib/flows/requestApproval.ts';

const dynamo = new DynamoDBClient(clientSettings);
const stepFunctionsClient = new SFNClient(clientSettings);
const world = {
  clock: systemClock,
  log: jsonLog('request-approval'),
  store: new DynamoEventStore(dynamo, environment('EVENT_TABLE')),
  tokens: new DynamoTokens(dynamo, environment('EVENT_TABLE')),
  machines: waitingExecutions(stepFunctionsClient),
};

export const handler = middy((task: ApprovalTask) => requestApproval(world, task)).use(
  edge(parseApprovalTask, world.log),
);
