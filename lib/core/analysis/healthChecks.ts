// Is there enough to judge, and is the canary alive? Answers nobody gave are not good answers: no data, old
// data and too little data are inconclusive, whatever the other checks say.
import type { Look } from './look.ts';
import { endMs, type Minute, observedShare } from './minutes.ts';
import type { Check } from './verdict.ts';

// Beyond the configured delay a source may be this many periods late before its silence is unknown.
const latePeriodsMax = 3;

export function healthChecks(look: Look): Check[] {
  const hosts = hostsCheck(look);
  return hosts === null ? [dataCheck(look)] : [dataCheck(look), hosts];
}

/** Canary requests that are still missing for a promotion; 0 when there are enough. */
export function missingRequests({ policy, evidence }: Look): number {
  return Math.max(0, policy.minimumRequests - evidence.canary.total);
}

function dataCheck(look: Look): Check {
  const { policy, evidence } = look;
  const unknown = reasonForUnknown(look);
  return {
    name: 'data',
    verdict: unknown === null ? 'pass' : 'inconclusive',
    tell: () => ({
      counts: { canaryRequests: evidence.canary.total, minutes: evidence.minutesSeen },
      threshold: policy.minimumRequests,
      sentence: unknown ?? enoughSeen(look),
    }),
  };
}

function enoughSeen(look: Look): string {
  const { canary, minutesSeen } = look.evidence;
  const missing = missingRequests(look);
  return missing === 0
    ? `${canary.total} canary requests in ${minutesSeen} periods were seen.`
    : `${canary.total} canary requests so far; ${missing} more are needed before going on.`;
}

function reasonForUnknown(look: Look): string | null {
  const { policy, minutes, step, now, weight, atStepEnd } = look;
  const last = minutes.findLast((minute) => minute.canary !== null);
  if (last === undefined) return 'No data from the canary.';
  const silentSeconds = (now - endMs(last)) / 1000 - policy.dataDelaySeconds;
  if (silentSeconds > latePeriodsMax * policy.periodSeconds) {
    return `No data from the canary for ${Math.round(silentSeconds / 60)} minutes more than the usual delay.`;
  }
  if (!atStepEnd) return null;
  const missing = missingRequests(look);
  if (missing > 0) return `Too few canary requests to go on: ${missing} more are needed.`;
  const asked = step.filter((minute) => (minute.canary?.requests ?? 0) > 0);
  if (asked.length === 0) return 'The canary answered no request in this step.';
  if (asked.length * 2 < step.length)
    return `Canary data is missing in ${step.length - asked.length} of ${step.length} periods of this step.`;
  const compared = weight >= 100 || asked.some((minute) => isCompared(observedShare(minute)));
  return compared ? null : 'Stable has no data in this step, so there is nothing to compare the canary with.';
}

function isCompared(share: number | null): boolean {
  return share !== null && share < 1;
}

/**
 * Hosts that fail their health check for two periods running are the canary's fault unless stable's fail too.
 * This is what fires when a dead canary answers so little that there is nothing to count.
 */
function hostsCheck({ minutes }: Look): Check | null {
  const last = lastCounted(minutes, minutes.length);
  const newest = minutes[last];
  if (newest === undefined) return null;
  const before = minutes[lastCounted(minutes, last)];
  const now = newest.canary?.unhealthyHosts ?? 0;
  const stable = newest.stable?.unhealthyHosts ?? 0;
  const twice = now > 0 && (before?.canary?.unhealthyHosts ?? 0) > 0;
  return {
    name: 'hosts',
    verdict: now === 0 ? 'pass' : twice && stable === 0 ? 'fail' : 'inconclusive',
    tell: () => ({
      counts: { canaryUnhealthy: now, stableUnhealthy: stable },
      threshold: 0,
      sentence: `${now} unhealthy canary hosts, ${stable} of stable${twice ? ', for two periods' : ''}.`,
    }),
  };
}

/**
 * Index of the newest minute before `end` in which the canary's hosts were counted; −1 where there is none.
 */
function lastCounted(minutes: readonly Minute[], end: number): number {
  let nth = end - 1;
  while (nth >= 0 && minutes[nth]?.canary?.unhealthyHosts === undefined) nth--;
  return nth;
}
