/** The weight of each record. */
import type { Route53Client } from '@aws-sdk/client-route-53';
import type { DnsTarget } from '../../../events/target.ts';
import type { PlaceSetting } from '../../ports.ts';
import { recordsOf } from '../traffic/dns.ts';

export async function dnsPlace(client: Route53Client, target: DnsTarget): Promise<readonly PlaceSetting[]> {
  const { blue, green } = await recordsOf(client, target);
  return [blue, green].map(({ SetIdentifier, Weight }) => ({
    name: `the weight of record ${SetIdentifier}`,
    value: String(Weight ?? 0),
  }));
}
