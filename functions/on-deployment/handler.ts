import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ECSClient } from '@aws-sdk/client-ecs';
import { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import { SFNClient } from '@aws-sdk/client-sfn';
import middy from '@middy/core';
import { parseDeploymentTrouble } from '../../events/aws/deploymentTrouble.ts';
import { clientSettings } from '../../lib/aws/answered.ts';
import { DynamoEventStore } from '../../lib/aws/eventStore/dynamoEventStore.ts';
import { jsonLog, pause, systemClock } from '../../lib/aws/lambda/edge.ts';
import { environment } from '../../lib/aws/lambda/environment.ts';
import { eachMessage, type QueueEvent } from '../../lib/aws/lambda/queue.ts';
import { executionStarts } from '../../lib/aws/machines.ts';
import { awsTraffic, awsWorkload } from '../../lib/aws/targets.ts';
import { onDeployment } from '../../lib/flows/onDeployment.ts';
import { services } from '../configured.ts';

const balancer = new ElasticLoadBalancingV2Client(clientSettings);
const world = {
  clock: systemClock,
  log: jsonLog('on-deployment'),
  store: new DynamoEventStore(new DynamoDBClient(clientSettings), environment('EVENT_TABLE')),
  traffic: awsTraffic(balancer, pause),
  workload: awsWorkload(new ECSClient(clientSettings), balancer),
  machines: executionStarts(new SFNClient(clientSettings), { rollback: environment('ROLLBACK_MACHINE') }),
};

export const handler = middy((event: QueueEvent) =>
  eachMessage(event, parseDeploymentTrouble, world, async (trouble) => {
    if (trouble === null) return;
    const phase = await onDeployment(world, trouble, services);
    world.log.write({ message: 'deployment heard', correlationId: trouble.eventId, ...trouble, phase });
  }),
);
