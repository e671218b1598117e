/**
 * The names a function is deployed with; a missing one is said at start, not found out at the first alarm.
 */
import { BadInput } from '../../core/outage.ts';

/** @throws BadInput when `name` is not set */
export function environment(
  name:
    | 'EVENT_TABLE'
    | 'ROLLOUT_MACHINE'
    | 'ROLLBACK_MACHINE'
    | 'MIGRATION_MACHINE'
    | 'EVENT_BUS'
    | 'TOPIC'
    | 'INTENT_QUEUE'
    | 'STAGE',
): string {
  const value = process.env[name];
  if (value === undefined || value === '') {
    throw new BadInput(
      `environment variable ${name} is not set: serverless.yml gives it to every function that needs it`,
    );
  }
  return value;
}
