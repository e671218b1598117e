/**
 * The whole local cloud: every service on one port and one clock, joined as AWS joins them. Services hand
 * things to each other over the bus, by ARN; what one tells of itself goes to EventBridge's default bus.
 */
import { type Clock, realClock } from '../asl/clock.ts';
import { applicationAutoScalingService } from './autoscaling/applicationAutoScalingService.ts';
import { Bus } from './bus.ts';
import type { CloudEvent, Place } from './cloudEvent.ts';
import { type CloudWatch, cloudWatchService } from './cloudwatch/cloudWatchService.ts';
import { dynamodbService } from './dynamodb/dynamodbService.ts';
import { dynamodbStreamsService } from './dynamodb/streamsService.ts';
import { Tables } from './dynamodb/tables.ts';
import { type Ecs, ecsService } from './ecs/ecsService.ts';
import { type Elb, elbService } from './elb/elbService.ts';
import { defaultAccount, type Endpoint, type EndpointOptions, startEndpoint } from './endpoint.ts';
import { eventBridgeService } from './eventBridge/eventBridgeService.ts';
import { EventBuses } from './eventBridge/eventBuses.ts';
import { Faults } from './faults.ts';
import type { LogLine } from './lambda/functionLogs.ts';
import { type Lambda, startLambda } from './lambda/lambda.ts';
import { seededRandom } from './random.ts';
import { secretReader } from './secretReader.ts';
import { secretsManagerService } from './secretsManager/secretsManagerService.ts';
import type { LocalService } from './service.ts';
import { snsService } from './sns/snsService.ts';
import { Topics } from './sns/topics.ts';
import { Queues } from './sqs/queues.ts';
import { sqsService } from './sqs/sqsService.ts';
import { Parameters } from './ssm/parameters.ts';
import { ssmService } from './ssm/ssmService.ts';
import { callServices } from './stepFunctions/serviceCalls.ts';
import { type StepFunctions, stepFunctionsService } from './stepFunctions/stepFunctionsService.ts';
import { stsService } from './sts/stsService.ts';

export type LocalCloudOptions = Pick<EndpointOptions, 'port' | 'host' | 'onRequest' | 'onBug'> & {
  readonly clock?: Clock;
  /** Seeds every choice by chance: weights, jitter, shuffles, faults. */
  readonly seed?: number;
  readonly region?: string;
  readonly account?: string;
  /** Every line that a function prints. */
  readonly onFunctionLog?: (line: LogLine) => void;
  /** Processes of functions busy at one time; 100 when absent. */
  readonly concurrencyMax?: number;
  /** 60 on AWS; shorter ones, down to 1, make load balancers publish more often. */
  readonly metricPeriodSeconds?: number;
  /** How long after its period a balancer's metric can be read. */
  readonly metricDelaySeconds?: number;
  /** Seconds a new task must keep running before its deployment goes on. */
  readonly settleSeconds?: number;
  /** Shards of each table's stream; 1 when absent. */
  readonly streamShards?: number;
  /** Shuffles a stream's records among different items, as AWS may deliver them. */
  readonly shuffleStreams?: boolean;
  /** Where tasks without a working directory start. */
  readonly directory?: string;
};

export type LocalCloud = {
  readonly url: string;
  readonly port: number;
  readonly place: Place;
  readonly clock: Clock;
  readonly faults: Faults;
  readonly bus: Bus;
  readonly queues: Queues;
  readonly topics: Topics;
  readonly tables: Tables;
  readonly buses: EventBuses;
  readonly parameters: Parameters;
  readonly lambda: Lambda;
  readonly cloudWatch: CloudWatch;
  readonly elb: Elb;
  readonly ecs: Ecs;
  readonly stepFunctions: StepFunctions;
  /** Ends a function's processes as a crash would; answers how many. */
  killFunction(name: string): number;
  /** What was accepted here and would not be on AWS. */
  notes(): readonly string[];
  close(): Promise<void>;
};

/** Starts everything, or nothing. @throws PortInUse */
export async function startLocalCloud(options: LocalCloudOptions = {}): Promise<LocalCloud> {
  const { clock = realClock, seed = 1, region = 'eu-west-1', account = defaultAccount } = options;
  const place: Place = { region, account };
  const faults = new Faults(seed);
  // The port comes first: tasks and functions are told its address.
  const endpoint: Endpoint = await startEndpoint({
    services: [],
    port: options.port ?? 0,
    ...(options.host === undefined ? {} : { host: options.host }),
    ...(options.onRequest === undefined ? {} : { onRequest: options.onRequest }),
    ...(options.onBug === undefined ? {} : { onBug: options.onBug }),
    account,
    clock,
    faults,
    killCaller: (accessKeyId) => void parts.lambda.workers.killCaller(accessKeyId),
  });
  const { services, ...parts } = assemble({ ...options, clock, seed, place, endpointUrl: endpoint.url });
  for (const service of services) endpoint.serve(service);
  return {
    ...parts,
    url: endpoint.url,
    port: endpoint.port,
    place,
    clock,
    faults,
    killFunction: (name) => parts.lambda.workers.kill(name),
    notes: () => [...parts.cloudWatch.notes, ...parts.elb.notes],
    close: () => endpoint.close(),
  };
}

type Assembly = LocalCloudOptions & {
  readonly clock: Clock;
  readonly seed: number;
  readonly place: Place;
  readonly endpointUrl: string;
};

function assemble(assembly: Assembly) {
  const bus = new Bus();
  const messaging = assembleMessaging(assembly, bus);
  const publish = (event: CloudEvent) => void messaging.parts.buses.publish(event);
  const compute = assembleCompute(assembly, bus, publish, messaging.secret);
  const lambda = startLambda({
    clock: assembly.clock,
    bus,
    queues: messaging.parts.queues,
    tables: messaging.parts.tables,
    random: seededRandom(assembly.seed + 1),
    endpointUrl: assembly.endpointUrl,
    ...(assembly.concurrencyMax === undefined ? {} : { concurrencyMax: assembly.concurrencyMax }),
    ...(assembly.onFunctionLog === undefined ? {} : { onLog: assembly.onFunctionLog }),
  });
  const services: LocalService[] = [...messaging.services, ...compute.services, lambda.service];
  const stepFunctions = stepFunctionsService({
    clock: assembly.clock,
    bus,
    publish,
    random: seededRandom(assembly.seed + 2),
    invoke: callServices(() => services),
    async invokeFunction({ functionName, payload }) {
      const result = await lambda.call(functionName, JSON.stringify(payload ?? null));
      const answer: unknown = JSON.parse(result.payload);
      if (!result.failed) return { payload: answer };
      const { errorType, errorMessage, trace = [] } = answer as FunctionError;
      return { error: { name: errorType, message: errorMessage, trace } };
    },
  });
  services.push(stepFunctions);
  return { ...messaging.parts, ...compute.parts, bus, lambda, stepFunctions, services };
}

type FunctionError = {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace?: readonly string[];
};

function assembleMessaging({ clock, place, seed, streamShards, shuffleStreams }: Assembly, bus: Bus) {
  const queues = new Queues({ clock, bus });
  const topics = new Topics({ clock, bus });
  const buses = new EventBuses({ ...place, clock, bus });
  const parameters = new Parameters(clock);
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
  ];
  const secret = secretReader(secrets, parameters, place);
  return { parts: { queues, topics, buses, parameters, tables }, services, secret };
}

function assembleCompute(
  assembly: Assembly,
  bus: Bus,
  publish: (event: CloudEvent) => void,
  secret: (valueFrom: string) => Promise<string>,
) {
  const {
    clock,
    place,
    seed,
    metricPeriodSeconds,
    metricDelaySeconds,
    settleSeconds,
    directory,
    endpointUrl,
  } = assembly;
  const cloudWatch = cloudWatchService({
    clock,
    place,
    publish,
    notify: ({ arn, payload, subject }) => bus.send(arn, { body: payload, subject, from: 'cloudwatch' }),
  });
  const elb = elbService({
    clock,
    place,
    seed,
    putMetric: (point) => cloudWatch.store.put(point),
    ...(metricPeriodSeconds === undefined ? {} : { metricPeriodSeconds }),
    ...(metricDelaySeconds === undefined ? {} : { metricDelaySeconds }),
  });
  const ecs = ecsService({
    clock,
    place,
    publish,
    targets: elb.targets,
    secret,
    environment: {
      AWS_ENDPOINT_URL: endpointUrl,
      AWS_REGION: place.region,
      AWS_DEFAULT_REGION: place.region,
      AWS_ACCESS_KEY_ID: 'task',
      AWS_SECRET_ACCESS_KEY: 'local',
      AWS_EC2_METADATA_DISABLED: 'true',
    },
    ...(settleSeconds === undefined ? {} : { settleSeconds }),
    ...(directory === undefined ? {} : { directory }),
  });
  const scaling = applicationAutoScalingService({
    clock,
    place,
    counts: ecs.counts,
    store: cloudWatch.store,
    ...(metricPeriodSeconds === undefined ? {} : { periodSeconds: metricPeriodSeconds }),
  });
  return { parts: { cloudWatch, elb, ecs }, services: [cloudWatch, elb, ecs, scaling] };
}
