/** What every event of AWS has around it on EventBridge, and the times AWS writes. */
import * as z from 'zod/mini';
import { malformed, type Parsed, parsed } from '../parsed.ts';

/** @param source `aws.ecs` @param detailType `ECS Task State Change` */
export const eventBridgeForm = <S extends string, D extends string, T extends z.core.$ZodType>(
  source: S,
  detailType: D,
  detail: T,
) =>
  z.object({
    id: z.string().check(z.minLength(1)),
    source: z.literal(source),
    'detail-type': z.literal(detailType),
    account: z.string(),
    region: z.string(),
    time: z.string(),
    resources: z.array(z.string()),
    detail,
  });

/** CloudWatch writes offsets as `+0000`; ISO 8601 in JavaScript wants `+00:00`. NaN when it is no time. */
export const timeOf = (text: string): number => Date.parse(text.replace(/([+-]\d{2})(\d{2})$/, '$1:$2'));

/** Adds `changedAt`, epoch milliseconds, or says that the text is no time. */
export function timed<T>(
  what: string,
  timestamp: string,
  change: T,
): Parsed<T & { readonly changedAt: number }> {
  const changedAt = timeOf(timestamp);
  return Number.isNaN(changedAt)
    ? malformed(`${what}: ${JSON.stringify(timestamp)} is no time; expected 2026-01-31T12:00:00.000+0000.`)
    : parsed({ ...change, changedAt });
}

/** The part of an ARN after its last `/`, or after its last `:` where it has none. */
export const lastOfArn = (arn: string): string =>
  arn.slice(Math.max(arn.lastIndexOf('/'), arn.lastIndexOf(':')) + 1);
