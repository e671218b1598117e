/** The half of the cloud that keeps and carries: queues, topics, buses, tables, parameters, secrets, logs. */
import type { Clock } from '../asl/clock.ts';
import type { Bus } from './bus.ts';
import type { Place } from './cloudEvent.ts';
import { dynamodbService } from './dynamodb/dynamodbService.ts';
import { dynamodbStreamsService } from './dynamodb/streamsService.ts';
import { Tables } from './dynamodb/tables.ts';
import { eventBridgeService } from './eventBridge/eventBridgeService.ts';
import { EventBuses } from './eventBridge/eventBuses.ts';
import { LogGroups } from './logs/logGroups.ts';
import { logsService } from './logs/logsService.ts';
import { secretReader } from './secretReader.ts';
import { secretsManagerService } from './secretsManager/secretsManagerService.ts';
import { snsService } from './sns/snsService.ts';
import { Topics } from './sns/topics.ts';
import { Queues } from './sqs/queues.ts';
import { sqsService } from './sqs/sqsService.ts';
import { Parameters } from './ssm/parameters.ts';
import { ssmService } from './ssm/ssmService.ts';
import { stsService } from './sts/stsService.ts';

export type MessagingOptions = {
  readonly clock: Clock;
  readonly place: Place;
  readonly bus: Bus;
  readonly seed: number;
  /** Shards of each table's stream; 1 when absent. */
  readonly streamShards?: number;
  /** Shuffles a stream's records among different items, as AWS may deliver them. */
  readonly shuffleStreams?: boolean;
};

export function assembleMessaging(options: MessagingOptions) {
  const { clock, place, bus, seed, streamShards, shuffleStreams } = options;
  const queues = new Queues({ clock, bus });
  const topics = new Topics({ clock, bus });
  const buses = new EventBuses({ ...place, clock, bus });
  const parameters = new Parameters(clock);
  const logGroups = new LogGroups({ ...place, clock, bus });
  const secrets = secretsManagerService(clock);
  const tables = new Tables({
    ...place,
    clock,
    ...(streamShards === undefined ? {} : { streamShards }),
    ...(shuffleStreams ? { shuffleSeed: seed + 3 } : {}),
  });
  const services = [
    sqsService(queues, clock),
    snsService(topics),
    eventBridgeService(buses, clock),
    dynamodbService(tables),
    dynamodbStreamsService(tables),
    ssmService(parameters),
    secrets,
    stsService(),
    logsService(logGroups),
  ];
  const secret = secretReader(secrets, parameters, place);
  return { parts: { queues, topics, buses, parameters, logGroups, tables }, services, secret };
}
