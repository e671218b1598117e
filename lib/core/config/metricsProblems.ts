/**
 * What is wrong with a source of metrics that its schema cannot see: beside the target, the checks, the
 * period.
 */
import type { Target } from '../../../events/target.ts';
import type { AnalysisPolicy } from '../analysis/policy.ts';
import { type MetricsSource, type PrometheusSource, sourceOf } from './metricsSource.ts';
import type { Problem } from './problem.ts';

/** CloudWatch's periods below a minute, seconds (GetMetricData reference). */
const shortPeriods = [1, 5, 10, 20, 30];

/** What no single key can see: the source against the target, the checks and the period. */
export function sourceProblems(
  path: readonly (string | number)[],
  target: Target,
  given: MetricsSource | undefined,
  analysis: AnalysisPolicy,
): readonly Problem[] {
  const problem = (key: string, sentence: string): Problem => ({ path: [...path, 'metrics', key], sentence });
  const source = sourceOf(target, given);
  const { periodSeconds } = analysis;
  const cloudWatch = source !== null && source.kind !== 'prometheus';
  const odd = cloudWatch && !shortPeriods.includes(periodSeconds) && periodSeconds % 60 !== 0;
  return [
    ...(odd
      ? [
          {
            path: [...path, 'analysis', 'periodSeconds'],
            sentence: `CloudWatch has no periods of ${periodSeconds} s: 1, 5, 10, 20, 30 or a multiple of 60.`,
          },
        ]
      : []),
    ...(given === undefined ? [] : misplaced(given, target).map((sentence) => problem('kind', sentence))),
    ...(given?.kind === 'prometheus' ? insecure(given).map((sentence) => problem('url', sentence)) : []),
    ...businessProblems(given, analysis).map((sentence) => problem('business', sentence)),
  ];
}

function misplaced({ kind }: MetricsSource, target: Target): readonly string[] {
  if (kind === 'emf' || kind === 'prometheus') return [];
  if (kind !== target.kind)
    return [`${kind} are the metrics of such a target, and this one is ${target.kind}.`];
  return target.kind === 'api-stage' && target.variable !== undefined
    ? [
        'a stage variable switches all at once, and the stage’s metrics are then of one side: use emf or prometheus.',
      ]
    : [];
}

/** A signature or a token over plain HTTP would be everybody's. */
function insecure({ url, region, bearerTokenParameter }: PrometheusSource): readonly string[] {
  return [
    ...(region !== undefined && bearerTokenParameter !== undefined
      ? ['is asked with a signature (region) or with a bearer token, not with both.']
      : []),
    ...((region ?? bearerTokenParameter) !== undefined && !url.startsWith('https://')
      ? ['must begin with https:// where queries are signed or carry a token.']
      : []),
  ];
}

/** A check without figures would be a bet on nothing, and figures without a check are a misspelt name. */
function businessProblems(given: MetricsSource | undefined, { business }: AnalysisPolicy): readonly string[] {
  const figures = given?.kind === 'prometheus' ? given.business : (given?.business?.checks ?? {});
  const checks = business.map(({ name }) => name);
  return [
    ...checks
      .filter((name) => !(name in figures))
      .map((name) => `needs an entry for the check ${name}: its two metrics, count and total.`),
    ...Object.keys(figures)
      .filter((name) => !checks.includes(name))
      .map((name) => `${name} is no check of analysis.business.`),
  ];
}
