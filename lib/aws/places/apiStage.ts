/** Every stage variable, and without one that switches the traffic the canary's share. */
import type { APIGatewayClient } from '@aws-sdk/client-api-gateway';
import type { ApiStageTarget } from '../../../events/target.ts';
import type { PlaceSetting } from '../../ports.ts';
import { stableVariable, stageOf } from '../traffic/apiStage.ts';

export async function apiStagePlace(
  client: APIGatewayClient,
  target: ApiStageTarget,
): Promise<readonly PlaceSetting[]> {
  const { variables = {}, canarySettings } = await stageOf(client, target);
  const first = target.variable?.name;
  const set = Object.entries(variables)
    .filter(([name]) => name !== stableVariable)
    .sort(([one], [other]) => Number(other === first) - Number(one === first) || (one < other ? -1 : 1))
    .map(([name, value]) => ({ name: `stage variable ${name}`, value }));
  const share = { name: 'the share of its canary', value: `${canarySettings?.percentTraffic ?? 0} %` };
  return first === undefined ? [share, ...set] : set;
}
