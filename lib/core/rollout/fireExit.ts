/** What the fire exit does not let happen while it acts. */
import { type Refusal, refuse } from '../decision.ts';
import type { ServiceState } from './state.ts';

/** Clocks of two instances differ, and what was asserted last is read back and scaled down. */
const clockSecondsMax = 10;

/**
 * The fire exit sends everybody back again and again until no late write can land: a step of a rollout that
 * begins, or goes on, meanwhile would be taken for one.
 * @param shiftTimeoutSeconds of the service: so long it goes on
 * @param what fell back, and what to do then, for the sentence
 */
export function whileFireExitActs(
  { fellBackAt }: Pick<ServiceState, 'fellBackAt'>,
  now: number,
  shiftTimeoutSeconds: number,
  what: { readonly service: string; readonly next: string },
): Refusal | null {
  if (fellBackAt === undefined) return null;
  const keptSeconds = shiftTimeoutSeconds + Math.min(clockSecondsMax, shiftTimeoutSeconds);
  const leftSeconds = Math.ceil((fellBackAt - now) / 1000) + keptSeconds;
  if (leftSeconds <= 0) return null;
  return refuse(
    'fire-exit',
    `${what.service} fell back a moment ago and is kept where it is for ${leftSeconds} s more: ${what.next}.`,
  );
}
