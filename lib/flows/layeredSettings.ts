/** A service's settings as the newest layer says, read once: the plan that is made of them never changes. */
import type { Laid } from '../core/config/layeredValue.ts';
import { layered } from '../core/config/layers.ts';
import type { ServiceSettings } from '../core/config/settings.ts';
import { type Refusal, refuse } from '../core/decision.ts';
import type { Layers } from '../ports.ts';

/** Where nothing stands above the file. */
export const fileAlone: Layers = { values: async () => [] };

export async function layeredSettings(
  layers: Layers,
  settings: ServiceSettings,
): Promise<{ readonly settings: ServiceSettings; readonly laid: readonly Laid[] } | Refusal> {
  const result = layered(settings, await layers.values(settings.service));
  if ('settings' in result) return result;
  return refuse('configuration-refused', `${settings.service}: ${result.refused.join(' ')}`);
}
