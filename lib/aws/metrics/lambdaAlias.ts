/**
 * A Lambda alias: what was invoked through it, by the version that ran. Before a rollout nothing runs beside
 * stable, and the alias as a whole is its history, whichever versions it has had.
 * Source: Lambda developer guide, "Viewing metrics for Lambda functions": ExecutedVersion tells the versions
 * of a weighted alias apart; a throttled call is neither among Invocations nor among Errors.
 */
import type { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import type { LambdaAliasTarget, Slot } from '../../../events/target.ts';
import type { CloudWatchBusiness } from '../../core/config/metricsSource.ts';
import { type MetricsOf, publishedMetrics } from '../cloudWatch/cloudWatchMetrics.ts';
import { metricsAt, publishedBusiness } from '../cloudWatch/publishedSide.ts';

/** @param revisions versions, or their ARNs; absent: the alias as a whole */
export function lambdaAliasMetrics(
  client: CloudWatchClient,
  { functionName, alias }: LambdaAliasTarget,
  revisions: Readonly<Record<Slot, string>> | undefined,
  business: CloudWatchBusiness | undefined,
): MetricsOf {
  const whole = { FunctionName: functionName, Resource: `${functionName}:${alias}` };
  const versionIn = (slot: Slot) => revisions?.[slot].split(':').at(-1);
  return publishedMetrics(client, {
    side: (slot, role) => {
      const version = versionIn(slot);
      if (version === undefined && role === 'canary') return null;
      const metric = metricsAt(
        'AWS/Lambda',
        version === undefined ? whole : { ...whole, ExecutedVersion: version },
      );
      return {
        requests: metric('Invocations'),
        errors: [metric('Errors')],
        refused: metric('Throttles'),
        latency: metric('Duration'),
        latencyUnitMs: 1,
        business: publishedBusiness(business, slot),
      };
    },
  });
}
