/** Places to fall back to that are no balancer of a simulated service: what a scene says they hold. */
import type { Target } from '../../events/target.ts';
import { TargetMissing } from '../core/outage.ts';
import type { FallbackPlaces, PlaceSetting } from '../ports.ts';
import type { Instance } from './instance.ts';
import type { Wire } from './wire.ts';

/** By target; a scene sets it anew where somebody changes it by hand. */
export type Elsewhere = Map<Target, readonly PlaceSetting[]>;

export const simFallbackPlaces = (wire: Wire, who: Instance, elsewhere: Elsewhere): FallbackPlaces => ({
  settings: (target) =>
    wire.call(who, 'places.settings', () => {
      const found = [...elsewhere].find(([each]) => JSON.stringify(each) === JSON.stringify(target));
      if (found !== undefined) return found[1];
      throw new TargetMissing(`nothing stands at ${JSON.stringify(target)}`);
    }),
});
