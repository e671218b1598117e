/**
 * The whole local cloud: every service on one port and one clock, joined as AWS joins them. Services hand
 * things to each other over the bus, by ARN; what one tells of itself goes to EventBridge's default bus.
 */
import { type Clock, realClock } from '../asl/clock.ts';
import { type ApiGateway, apiGatewayService } from './apigateway/apiGatewayService.ts';
import { Bus } from './bus.ts';
import { assembleCompute, type ComputeOptions } from './cloudCompute.ts';
import type { CloudEvent, Place } from './cloudEvent.ts';
import { cloudFormationService } from './cloudformation/cloudFormationService.ts';
import type { CodeLocation } from './cloudformation/resourceType.ts';
import { assembleMessaging, type MessagingOptions } from './cloudMessaging.ts';
import type { CloudWatch } from './cloudwatch/cloudWatchService.ts';
import type { Tables } from './dynamodb/tables.ts';
import type { Ecs } from './ecs/ecsService.ts';
import type { Elb } from './elb/elbService.ts';
import { defaultAccount, type Endpoint, type EndpointOptions, startEndpoint } from './endpoint.ts';
import type { EventBuses } from './eventBridge/eventBuses.ts';
import { Faults } from './faults.ts';
import type { LogLine } from './lambda/functionLogs.ts';
import { type Lambda, startLambda } from './lambda/lambda.ts';
import type { LogGroups } from './logs/logGroups.ts';
import { seededRandom } from './random.ts';
import { route53Service } from './route53/route53Service.ts';
import type { LocalService } from './service.ts';
import type { Topics } from './sns/topics.ts';
import type { Queues } from './sqs/queues.ts';
import type { Parameters } from './ssm/parameters.ts';
import { callServices } from './stepFunctions/serviceCalls.ts';
import { type StepFunctions, stepFunctionsService } from './stepFunctions/stepFunctionsService.ts';

export type LocalCloudOptions = Pick<EndpointOptions, 'port' | 'host' | 'onRequest' | 'onBug'> &
  Pick<MessagingOptions, 'streamShards' | 'shuffleStreams'> &
  Pick<ComputeOptions, 'metricPeriodSeconds' | 'metricDelaySeconds' | 'settleSeconds' | 'directory'> & {
    readonly clock?: Clock;
    /** What state machines wait by; the clock above when absent. */
    readonly machineClock?: Clock;
    /** Seeds every choice by chance: weights, jitter, shuffles, faults. */
    readonly seed?: number;
    readonly region?: string;
    readonly account?: string;
    /** Every line that a function prints. */
    readonly onFunctionLog?: (line: LogLine) => void;
    /** Where a stack's function finds its package on this machine; at its S3 key when absent. */
    readonly codePath?: (code: CodeLocation) => string;
    /** Processes of functions busy at one time; 100 when absent. */
    readonly concurrencyMax?: number;
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
  readonly logGroups: LogGroups;
  readonly lambda: Lambda;
  readonly cloudWatch: CloudWatch;
  readonly elb: Elb;
  readonly ecs: Ecs;
  readonly stepFunctions: StepFunctions;
  readonly apiGateway: ApiGateway;
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
  const messaging = assembleMessaging({ ...assembly, bus });
  const publish = (event: CloudEvent) => void messaging.parts.buses.publish(event);
  const compute = assembleCompute({ ...assembly, bus, publish, secret: messaging.secret });
  const lambda = startLambda({
    clock: assembly.clock,
    bus,
    queues: messaging.parts.queues,
    tables: messaging.parts.tables,
    random: seededRandom(assembly.seed + 1),
    endpointUrl: assembly.endpointUrl,
    ...(assembly.concurrencyMax === undefined ? {} : { concurrencyMax: assembly.concurrencyMax }),
    onLog(line) {
      messaging.parts.logGroups.append(`/aws/lambda/${line.functionName}`, `[${line.version}]`, line.line);
      assembly.onFunctionLog?.(line);
    },
  });
  const edge = assembleEdge(assembly, compute.parts.cloudWatch, lambda);
  const services: LocalService[] = [
    ...messaging.services,
    ...compute.services,
    ...edge.services,
    lambda.service,
  ];
  const stepFunctions = stepFunctionsService({
    clock: assembly.machineClock ?? assembly.clock,
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
  const { clock, place, codePath } = assembly;
  const deps = { clock, place, services: () => services };
  services.push(cloudFormationService(codePath === undefined ? deps : { ...deps, codePath }));
  return { ...messaging.parts, ...compute.parts, ...edge.parts, bus, lambda, stepFunctions, services };
}

/** What users of a service come in by, besides load balancers. */
function assembleEdge(
  { clock, seed, metricPeriodSeconds }: Assembly,
  cloudWatch: CloudWatch,
  lambda: Lambda,
) {
  const apiGateway = apiGatewayService({
    clock,
    seed: seed + 4,
    putMetric: (point) => cloudWatch.store.put(point),
    async invoke(functionArn, payload) {
      const result = await lambda.call(functionArn, payload);
      if (result.failed) throw new Error(`${functionArn} failed: ${result.payload}`);
      return result.payload;
    },
    ...(metricPeriodSeconds === undefined ? {} : { metricPeriodSeconds }),
  });
  return { parts: { apiGateway }, services: [apiGateway, route53Service({ clock, seed: seed + 5 })] };
}

type FunctionError = {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace?: readonly string[];
};
