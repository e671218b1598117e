import { APIGatewayClient } from '@aws-sdk/client-api-gateway';
import { ECSClient } from '@aws-sdk/client-ecs';
import { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import { Route53Client } from '@aws-sdk/client-route-53';
import { SQSClient } from '@aws-sdk/client-sqs';
import middy from '@middy/core';
import { type FallBackRequested, parseFallBack } from '../../events/fallBack.ts';
import { clientSettings } from '../../lib/aws/answered.ts';
import { sqsIntentQueue } from '../../lib/aws/intentQueue.ts';
import { edge, jsonLog, pause, systemClock } from '../../lib/aws/lambda/edge.ts';
import { environment } from '../../lib/aws/lambda/environment.ts';
import { httpHealth } from '../../lib/aws/lambda/health.ts';
import { scaleService } from '../../lib/aws/scaleService.ts';
import { fallbackTraffic } from '../../lib/aws/targets.ts';
import { fallBack } from '../../lib/flows/fallBack.ts';
import { services } from '../configured.ts';

const world = {
  clock: systemClock,
  pause,
  log: jsonLog('fall-back'),
  traffic: fallbackTraffic(
    {
      balancer: new ElasticLoadBalancingV2Client(clientSettings),
      apiGateway: new APIGatewayClient(clientSettings),
      route53: new Route53Client(clientSettings),
    },
    pause,
  ),
  workload: scaleService(new ECSClient(clientSettings)),
  health: httpHealth,
  intents: sqsIntentQueue(new SQSClient(clientSettings), environment('INTENT_QUEUE')),
};

/** Invoked by a person: the answer is the report. */
export const handler = middy(
  (request: FallBackRequested, { awsRequestId }: { readonly awsRequestId: string }) =>
    fallBack(world, request, services, awsRequestId),
).use(edge(parseFallBack, world.log));
