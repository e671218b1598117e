/**
 * API Gateway's metrics (`AWS/ApiGateway`): Count, 4XXError, 5XXError, Latency in ms, by API and by stage.
 * The canary's requests count for the stage and again under `<stage>/Canary`: the name API Gateway gives the
 * canary's log group; which dimension value its metrics bear is not documented.
 */
import type { Clock } from '../../asl/clock.ts';
import type { MetricPoint } from '../cloudwatch/metricStore.ts';

export type ApiRecord = {
  readonly api: string;
  readonly stage: string;
  readonly canary: boolean;
  readonly status: number;
  readonly milliseconds: number;
};

export class ApiMetrics {
  readonly #clock: Clock;
  readonly #periodSeconds: number;
  readonly #put: (point: MetricPoint) => void;
  #records: ApiRecord[] = [];
  #cancel: () => void;

  constructor(clock: Clock, periodSeconds: number, put: (point: MetricPoint) => void) {
    this.#clock = clock;
    this.#periodSeconds = periodSeconds;
    this.#put = put;
    this.#cancel = this.#later();
  }

  record(record: ApiRecord): void {
    this.#records.push(record);
  }

  close(): void {
    this.#cancel();
  }

  #later(): () => void {
    const periodMs = this.#periodSeconds * 1000;
    const nowMs = this.#clock.now();
    const startMs = Math.floor(nowMs / periodMs) * periodMs;
    return this.#clock.schedule(startMs + periodMs - nowMs, () => {
      this.#cancel = this.#later();
      const records = this.#records;
      this.#records = [];
      for (const [where, some] of grouped(records)) this.#publish(JSON.parse(where), some, startMs);
    });
  }

  #publish(dimensions: MetricPoint['dimensions'], some: readonly ApiRecord[], atMs: number): void {
    const point = {
      namespace: 'AWS/ApiGateway',
      dimensions,
      atMs,
      resolutionSeconds: this.#periodSeconds < 60 ? 1 : 60,
    } as const;
    const errors = (from: number) =>
      some.map(({ status }) => (status >= from && status < from + 100 ? 1 : 0));
    this.#put({ ...point, name: 'Count', unit: 'Count', values: [1], counts: [some.length] });
    this.#put({ ...point, name: '4XXError', unit: 'Count', values: errors(400) });
    this.#put({ ...point, name: '5XXError', unit: 'Count', values: errors(500) });
    this.#put({
      ...point,
      name: 'Latency',
      unit: 'Milliseconds',
      values: some.map(({ milliseconds }) => milliseconds),
    });
  }
}

/** By the dimensions a record counts under, as JSON. */
function grouped(records: readonly ApiRecord[]): Map<string, ApiRecord[]> {
  const found = new Map<string, ApiRecord[]>();
  for (const record of records) {
    const name = { Name: 'ApiName', Value: record.api };
    const stages = record.canary ? [record.stage, `${record.stage}/Canary`] : [record.stage];
    for (const where of [[name], ...stages.map((Value) => [name, { Name: 'Stage', Value }])]) {
      const key = JSON.stringify(where);
      found.set(key, [...(found.get(key) ?? []), record]);
    }
  }
  return found;
}
