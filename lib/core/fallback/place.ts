/**
 * Where a service falls back to when everything else is on fire. Decided from the bundle's configuration, the
 * request and one mark on the target: no store, no parameter, no history is asked.
 */
import type { Slot, Target } from '../../../events/target.ts';
import { type Refusal, refuse } from '../decision.ts';
import { takeBackOrder } from '../rollback/order.ts';

/** The old world of a service, as `switchback.yml` names it. */
export type FallbackSettings = {
  /** null: the service's own target, back to the slot that is marked stable there. */
  readonly target: Target | null;
  /** The slot that is the old world; null: the one marked stable. */
  readonly slot: Slot | null;
  /** Asked once the traffic is back; null: nobody is asked. */
  readonly healthUrl: string | null;
  /** Scales the side that failed to 0 once the balancer sends it nothing. */
  readonly scaleDown: boolean;
};

export type FallBackService = {
  readonly service: string;
  readonly target: Target;
  readonly dependsOn: readonly string[];
  readonly shiftTimeoutSeconds: number;
  readonly fallback: FallbackSettings;
};

export type FallBackRequest = {
  /** null: every service. */
  readonly service: string | null;
  readonly why: string;
  readonly by: string;
  readonly dryRun: boolean;
  /** Said by a person who knows better than the mark. */
  readonly slot: Slot | null;
};

/** Who falls back, dependents first: a service and everybody who depends on it, or all. */
export function whoFallsBack<T extends FallBackService>(
  services: readonly T[],
  request: FallBackRequest,
): readonly T[] | Refusal {
  if (request.service === null) return takeBackOrder(services);
  const named = services.find(({ service }) => service === request.service);
  if (named === undefined) {
    const known = services.map(({ service }) => service).join(', ');
    return refuse(
      'unknown-service',
      `service "${request.service}" is not configured: this function knows ${known}.`,
    );
  }
  return [named];
}

export type Place = { readonly target: Target; readonly slot: Slot };

/** @param mark the slot marked stable on the target; null when none is, or it cannot be read */
export function placeOf(
  settings: FallBackService,
  request: FallBackRequest,
  mark: Slot | null,
): Place | Refusal {
  const target = settings.fallback.target ?? settings.target;
  const slot = request.slot ?? settings.fallback.slot ?? mark;
  if (slot !== null) return { target, slot };
  return refuse(
    'no-place',
    `${settings.service}: no slot is marked stable and none is configured; say which in the request: "slot": "blue" or "green".`,
  );
}

/** How long a write under way elsewhere may still land, seconds: as long the place is asserted again. */
export const reassertSeconds = (services: readonly FallBackService[]): number =>
  Math.max(0, ...services.map(({ shiftTimeoutSeconds }) => shiftTimeoutSeconds));

/** Before then users may still be sent to the side that failed, seconds after the shift. */
export const drainSeconds = ({ kind, ...target }: Target): number =>
  kind === 'dns' && 'ttlSeconds' in target ? target.ttlSeconds : 0;
