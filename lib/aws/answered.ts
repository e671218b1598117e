/** AWS's errors in our words: what can be tried again, and what a person must mend first. */
import { TargetMissing, WorldUnavailable } from '../core/outage.ts';

/** Error names that say "there is no such thing" or "you may not": another try changes nothing. */
const final =
  /NotFound|DoesNotExist|AccessDenied|UnauthorizedOperation|UnrecognizedClient|InvalidClientTokenId/;

/**
 * @param what the call in words, for the message: `DescribeRules of rule …`
 * @throws TargetMissing when the thing is not there or not allowed, WorldUnavailable for everything else
 */
export async function answered<T>(what: string, call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (cause) {
    const { name, message } = cause as Error;
    if (final.test(name)) throw new TargetMissing(`${what}: ${name}: ${message}`, { cause });
    throw new WorldUnavailable(`${what}: ${name}: ${message}`, { cause });
  }
}

/** How long an attempt may take before it is tried again; three attempts, as the SDK does by default. */
export const clientSettings = {
  maxAttempts: 3,
  requestHandler: { connectionTimeout: 1000, requestTimeout: 5000 },
} as const;

/** For what nobody may wait for: one attempt, given up after 1.5 s. */
export const hurriedClientSettings = {
  maxAttempts: 1,
  requestHandler: { connectionTimeout: 500, requestTimeout: 1500, throwOnRequestTimeout: true },
} as const;
