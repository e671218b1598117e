/**
 * The local CloudWatch on a wire, its clock standing still, with a way in for what AWS's services publish.
 */
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { VirtualClock } from '../../../lib/asl/clock.ts';
import { cloudWatchService } from '../../../lib/local/cloudwatch/cloudWatchService.ts';
import type { MetricPoint } from '../../../lib/local/cloudwatch/metricStore.ts';
import { type RequestEntry, startEndpoint } from '../../../lib/local/endpoint.ts';

export const startMs = Date.UTC(2026, 0, 1, 12, 0, 0);

export type Published = {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly atMs: number;
  readonly values: readonly number[];
  readonly counts?: readonly number[];
};

export async function cloudWatchWire() {
  const place = { region: 'eu-west-1', account: '123456789012' };
  const clock = new VirtualClock(startMs + 3_600_000);
  const service = cloudWatchService({
    clock,
    place,
    publish: () => undefined,
    notify: async () => undefined,
  });
  const requests: RequestEntry[] = [];
  const onRequest = (entry: RequestEntry) => void requests.push(entry);
  const { url, close } = await startEndpoint({ services: [service], clock, onRequest });
  const client = new CloudWatchClient({ endpoint: url, region: place.region });
  return {
    client,
    /** Every call that was answered, oldest first. */
    requests,
    /** Behind the API, as AWS's own services do: clients may not write to `AWS/…`. */
    publish({ dimensions, ...point }: Published) {
      service.store.put({
        ...point,
        dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })),
        resolutionSeconds: 60,
      });
    },
    /** Points as another service of the local cloud makes them. */
    put: (point: MetricPoint) => service.store.put(point),
    async close() {
      client.destroy();
      await close();
    },
  };
}
