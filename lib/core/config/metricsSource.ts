/** Where a service's minutes are read, as functions carry it; `metricsFile.ts` is how a person writes it. */
import type * as z from 'zod';
import type { Target } from '../../../events/target.ts';
import type { MetricsFile } from './metricsFile.ts';

export type MetricsSource = z.infer<typeof MetricsFile>;
export type EmfSource = Extract<MetricsSource, { kind: 'emf' }>;
export type ApiStageSource = Extract<MetricsSource, { kind: 'api-stage' }>;
export type PrometheusSource = Extract<MetricsSource, { kind: 'prometheus' }>;
export type CloudWatchBusiness = NonNullable<EmfSource['business']>;

/** What is configured, or the target's own metrics where they need no more words; null: nothing tells. */
export function sourceOf(target: Target, given: MetricsSource | null | undefined): MetricsSource | null {
  if (given !== undefined && given !== null) return given;
  return target.kind === 'ecs-alb' || target.kind === 'lambda-alias' ? { kind: target.kind } : null;
}
