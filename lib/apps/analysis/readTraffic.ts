/** A service's traffic as a start would read it now, from the slot that has most of it. */
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import { awsMetrics, awsTraffic } from '../../aws/targets.ts';
import type { Baseline } from '../../core/analysis/baseline.ts';
import type { ServiceSettings } from '../../core/config/settings.ts';
import { readBaseline } from '../../flows/readBaseline.ts';
import { clientAt } from './clientAt.ts';

/** @throws Error when the traffic goes to neither slot, an outage when the account cannot be asked */
export async function readTraffic(settings: ServiceSettings, endpoint: string | null): Promise<Baseline> {
  const client = clientAt(endpoint);
  const reading = await awsTraffic(new ElasticLoadBalancingV2Client(client), async () => undefined).read(
    settings.target,
  );
  if (reading.kind === 'unknown') throw new Error(`the traffic goes elsewhere: ${reading.what}`);
  const world = {
    clock: { now: () => Date.now() },
    metrics: awsMetrics(new CloudWatchClient(client)),
    log: {
      write: ({ message, error }: Readonly<Record<string, unknown>>) => console.error(`${message}: ${error}`),
    },
  };
  return readBaseline(world, settings, reading.greenWeight > 50 ? 'blue' : 'green');
}
