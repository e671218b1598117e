/**
 * When a deployment has failed: so many failed tasks in a row. Formula: ECS reference,
 * `ThresholdConfiguration`: half of the desired count, bounded by 3 and 200, unless configured otherwise.
 */
import type { DeploymentCircuitBreaker } from '@aws-sdk/client-ecs';

const LEAST = 3;
const MOST = 200;

/** How many failed tasks trip it; null when it is off. */
export function breakerThreshold(
  breaker: DeploymentCircuitBreaker | undefined,
  desired: number,
): number | null {
  if (!breaker?.enable) return null;
  const { type = 'BOUNDED_PERCENT', value = 50 } = breaker.thresholdConfiguration ?? {};
  if (type === 'COUNT') return value;
  const share = Math.ceil((desired * value) / 100);
  return type === 'UNBOUNDED_PERCENT' ? Math.max(1, share) : Math.min(MOST, Math.max(LEAST, share));
}

/**
 * How long to wait before the next start after `failures` tasks in a row ended soon: nothing after the first,
 * then 1 s doubling to 5 min. AWS restarts with a growing delay too and publishes no figures.
 */
export const restartDelayMs = (failures: number): number =>
  failures <= 1 ? 0 : Math.min(300_000, 1000 * 2 ** (failures - 2));
