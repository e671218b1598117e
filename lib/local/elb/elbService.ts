/**
 * Application load balancers on one machine: the ELBv2 API over real reverse proxies, real health checks, and
 * metrics from the requests that really passed.
 */
import { Agent } from 'node:http';
import * as sdk from '@aws-sdk/client-elastic-load-balancing-v2';
import type { Clock } from '../../asl/clock.ts';
import type { Place } from '../cloudEvent.ts';
import type { MetricPoint } from '../cloudwatch/metricStore.ts';
import { seededRandom } from '../random.ts';
import type { LocalService } from '../service.ts';
import type { ElbDesk } from './elbDesk.ts';
import { ElbState } from './elbState.ts';
import { httpProbe, type Probe } from './healthChecks.ts';
import { listenerOperations } from './listenerOperations.ts';
import { loadBalancerOperations } from './loadBalancerOperations.ts';
import { ruleOperations } from './ruleOperations.ts';
import { targetGroupOperations } from './targetGroupOperations.ts';
import { type TargetRegistry, Targets } from './targets.ts';
import { TrafficMetrics } from './trafficMetrics.ts';

export type ElbDeps = {
  readonly clock: Clock;
  readonly place: Place;
  /** Takes the metrics: CloudWatch's store. */
  readonly putMetric: (point: MetricPoint) => void;
  /** Decides by weight; the same seed chooses the same targets for the same requests. */
  readonly seed?: number;
  /** 60 on AWS. A shorter one, down to 1, gives high-resolution metrics. */
  readonly metricPeriodSeconds?: number;
  /** How long after the end of its period a metric can be read. */
  readonly metricDelaySeconds?: number;
  readonly probe?: Probe;
};

export type Elb = LocalService & {
  /** Where a scheduler of tasks registers and watches them. */
  readonly targets: TargetRegistry;
  /** What was accepted here and would not be on AWS, oldest first. */
  readonly notes: readonly string[];
};

export function elbService(deps: ElbDeps): Elb {
  const { clock, place, metricPeriodSeconds = 60, metricDelaySeconds = 0 } = deps;
  if (metricPeriodSeconds < 1 || 60 % metricPeriodSeconds !== 0)
    throw new RangeError(`metricPeriodSeconds must divide 60, not be ${metricPeriodSeconds}`);
  const notes: string[] = [];
  const note = (text: string) => void (notes.includes(text) || notes.push(text));
  if (metricPeriodSeconds !== 60)
    note(`balancers publish metrics every ${metricPeriodSeconds} s here; AWS does so every 60 s`);
  const state = new ElbState();
  const targets = new Targets(state, { clock, probe: deps.probe ?? httpProbe });
  const settings = { periodSeconds: metricPeriodSeconds, delaySeconds: metricDelaySeconds };
  const metrics = new TrafficMetrics(state, clock, settings, deps.putMetric);
  const agent = new Agent({ keepAlive: true });
  const random = seededRandom(deps.seed ?? 1);
  const desk: ElbDesk = { clock, place, state, targets, metrics, agent, random, note };
  return {
    scope: 'elasticloadbalancing',
    sdk,
    targets,
    notes,
    operations: {
      ...loadBalancerOperations(desk),
      ...targetGroupOperations(desk),
      ...listenerOperations(desk),
      ...ruleOperations(desk),
    },
    async close() {
      metrics.close();
      targets.close();
      await Promise.all([...state.listeners.values()].map((listener) => listener.close()));
      agent.destroy();
    },
  };
}
