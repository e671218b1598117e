/**
 * Route 53 on one machine: hosted zones with simple and weighted records. Nothing here answers DNS queries.
 */
import * as sdk from '@aws-sdk/client-route-53';
import type { Clock } from '../../asl/clock.ts';
import { seededRandom } from '../random.ts';
import type { LocalService } from '../service.ts';
import { zoneOperations } from './zoneOperations.ts';
import { ZoneState } from './zoneState.ts';

export type Route53Deps = {
  readonly clock: Clock;
  /** Decides ids and, in TestDNSAnswer, between weights. */
  readonly seed?: number;
  /** See `ZoneDesk.propagationSeconds`. */
  readonly propagationSeconds?: number;
};

export function route53Service({ clock, seed = 1, propagationSeconds = 1 }: Route53Deps): LocalService {
  const state = new ZoneState();
  const random = seededRandom(seed);
  return {
    scope: 'route53',
    sdk,
    operations: zoneOperations({ state, clock, random, propagationSeconds }),
  };
}
