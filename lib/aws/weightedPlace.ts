/** Where a rule sends its traffic. */
import type { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { PlaceSetting } from '../ports.ts';
import { readRule, type WeightedRule } from './weightedRule.ts';

export async function weightedPlace(
  client: ElasticLoadBalancingV2Client,
  target: WeightedRule,
): Promise<readonly PlaceSetting[]> {
  const reading = await readRule(client, target);
  const value = reading.kind === 'unknown' ? reading.what : `${reading.greenWeight} % to slot green`;
  return [{ name: 'its traffic', value }];
}
