import type { ServiceSettings } from '../../core/config/settings.ts';
import { BadInput } from '../../core/outage.ts';

/** @throws BadInput when nobody configured such a service */
export function settingsFor(services: readonly ServiceSettings[], service: string): ServiceSettings {
  const found = services.find((settings) => settings.service === service);
  if (found !== undefined) return found;
  const known = services.map((settings) => settings.service).join(', ');
  throw new BadInput(`service "${service}" is not configured: switchback.yml knows ${known}`);
}
