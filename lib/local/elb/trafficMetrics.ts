/**
 * The balancers' metrics, from the requests they really carried: ALB's names, units and dimensions, one set
 * of points per period, nothing for a period without requests. Source: ELB user guide, "CloudWatch metrics
 * for your Application Load Balancer".
 */
import type { Clock } from '../../asl/clock.ts';
import type { MetricPoint } from '../cloudwatch/metricStore.ts';
import type { ElbState, LoadBalancer, TargetGroup } from './elbState.ts';

export type MetricSettings = {
  /** AWS publishes every 60 s; any whole number of seconds that divides a minute is taken here. */
  readonly periodSeconds: number;
  /** How long after a period's end its points appear. On AWS some seconds to two minutes. */
  readonly delaySeconds: number;
};

/** `HTTPCode_ELB_…` counts what the balancer answered itself, `HTTPCode_Target_…` what targets answered. */
export type CountName =
  | 'RequestCount'
  | 'TargetConnectionErrorCount'
  | 'HTTP_Fixed_Response_Count'
  | 'HTTP_Redirect_Count'
  | `HTTPCode_Target_${2 | 3 | 4 | 5}XX_Count`
  | `HTTPCode_ELB_${4 | 5}XX_Count`
  | `HTTPCode_ELB_${502 | 503 | 504}_Count`;

type Tally = { counts: Map<CountName, number>; seconds: Map<number, number> };
type Row = { readonly balancer: LoadBalancer; readonly group: TargetGroup | null; readonly tally: Tally };

const NAMESPACE = 'AWS/ApplicationELB';

export class TrafficMetrics {
  readonly #state: ElbState;
  readonly #clock: Clock;
  readonly #settings: MetricSettings;
  readonly #put: (point: MetricPoint) => void;
  #rows = new Map<string, Row>();
  #cancel: () => void;

  constructor(state: ElbState, clock: Clock, settings: MetricSettings, put: (point: MetricPoint) => void) {
    this.#state = state;
    this.#clock = clock;
    this.#settings = settings;
    this.#put = put;
    this.#cancel = this.#later();
  }

  /** Counts one thing for the balancer as a whole and, where a target group had part in it, for both. */
  count(name: CountName, balancer: LoadBalancer, group: TargetGroup | null): void {
    for (const { counts } of this.#tallies(balancer, group)) counts.set(name, (counts.get(name) ?? 0) + 1);
  }

  /** From the request leaving the balancer to the target's first header, in seconds. */
  responseTime(seconds: number, balancer: LoadBalancer, group: TargetGroup): void {
    for (const tally of this.#tallies(balancer, group))
      tally.seconds.set(seconds, (tally.seconds.get(seconds) ?? 0) + 1);
  }

  close(): void {
    this.#cancel();
  }

  #tallies(balancer: LoadBalancer, group: TargetGroup | null): Tally[] {
    return (group === null ? [null] : [null, group]).map((which) => {
      const key = `${balancer.arn} ${which?.arn ?? ''}`;
      let row = this.#rows.get(key);
      if (!row) {
        row = { balancer, group: which, tally: { counts: new Map(), seconds: new Map() } };
        this.#rows.set(key, row);
      }
      return row.tally;
    });
  }

  /** Periods end on multiples of themselves, as CloudWatch's minutes do. */
  #later(): () => void {
    const periodMs = this.#settings.periodSeconds * 1000;
    const nowMs = this.#clock.now();
    const startMs = Math.floor(nowMs / periodMs) * periodMs;
    return this.#clock.schedule(startMs + periodMs - nowMs, () => {
      this.#cancel = this.#later();
      const points = [...this.#ofTraffic(startMs), ...this.#ofHosts(startMs)];
      this.#rows = new Map();
      const publish = () => points.forEach(this.#put);
      if (this.#settings.delaySeconds === 0) publish();
      else this.#clock.schedule(this.#settings.delaySeconds * 1000, publish);
    });
  }

  *#ofTraffic(atMs: number): Generator<MetricPoint> {
    for (const { balancer, group, tally } of this.#rows.values()) {
      const where = group
        ? [balancerDimension(balancer), groupDimension(group)]
        : [balancerDimension(balancer)];
      for (const [name, count] of tally.counts) yield this.#point(name, where, atMs, 'Count', [count]);
      if (tally.seconds.size > 0)
        yield {
          ...this.#point('TargetResponseTime', where, atMs, 'Seconds', [...tally.seconds.keys()]),
          counts: [...tally.seconds.values()],
        };
      const requests = tally.counts.get('RequestCount');
      if (!group || !requests) continue;
      const perTarget = [requests / Math.max(1, healthy(group))];
      yield this.#point('RequestCountPerTarget', [groupDimension(group)], atMs, 'Count', perTarget);
      yield this.#point('RequestCountPerTarget', where, atMs, 'Count', perTarget);
    }
  }

  /** Host counts are reported as long as there are targets and health checks, traffic or not. */
  *#ofHosts(atMs: number): Generator<MetricPoint> {
    for (const group of this.#state.targetGroups.values()) {
      if (group.targets.size === 0 || !group.check.enabled) continue;
      for (const balancer of this.#state.balancersOf(group)) {
        const where = [balancerDimension(balancer), groupDimension(group)];
        const sick = [...group.targets.values()].filter(({ health }) => health.state === 'unhealthy').length;
        yield this.#point('HealthyHostCount', where, atMs, 'Count', [healthy(group)]);
        yield this.#point('UnHealthyHostCount', where, atMs, 'Count', [sick]);
      }
    }
  }

  #point(
    name: string,
    dimensions: MetricPoint['dimensions'],
    atMs: number,
    unit: string,
    values: readonly number[],
  ): MetricPoint {
    const resolutionSeconds = this.#settings.periodSeconds < 60 ? 1 : 60;
    return { namespace: NAMESPACE, name, dimensions, atMs, unit, values, resolutionSeconds };
  }
}

const healthy = (group: TargetGroup): number =>
  [...group.targets.values()].filter(({ health }) => health.state === 'healthy').length;

const balancerDimension = ({ fullName }: LoadBalancer) => ({ Name: 'LoadBalancer', Value: fullName });
const groupDimension = ({ fullName }: TargetGroup) => ({ Name: 'TargetGroup', Value: fullName });
