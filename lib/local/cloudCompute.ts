/** The half of the cloud that runs and measures: tasks, load balancers, metrics, alarms, scaling. */
import type { Clock } from '../asl/clock.ts';
import { applicationAutoScalingService } from './autoscaling/applicationAutoScalingService.ts';
import type { Bus } from './bus.ts';
import type { Place, Publish } from './cloudEvent.ts';
import { cloudWatchService } from './cloudwatch/cloudWatchService.ts';
import { ecsService } from './ecs/ecsService.ts';
import { elbService } from './elb/elbService.ts';

export type ComputeOptions = {
  readonly clock: Clock;
  readonly place: Place;
  readonly bus: Bus;
  readonly publish: Publish;
  /** Reads what a container's `secrets` name. */
  readonly secret: (valueFrom: string) => Promise<string>;
  readonly seed: number;
  /** Where tasks reach the cloud. */
  readonly endpointUrl: string;
  /** 60 on AWS; shorter ones, down to 1, make load balancers publish more often. */
  readonly metricPeriodSeconds?: number;
  /** How long after its period a balancer's metric can be read. */
  readonly metricDelaySeconds?: number;
  /** Seconds a new task must keep running before its deployment goes on. */
  readonly settleSeconds?: number;
  /** Where tasks without a working directory start. */
  readonly directory?: string;
};

export function assembleCompute(options: ComputeOptions) {
  const { clock, place, bus, publish, secret, seed, endpointUrl } = options;
  const { metricPeriodSeconds, metricDelaySeconds, settleSeconds, directory } = options;
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
