/** An event source mapping: which source feeds which function, and how. */
import type { EventPattern } from '../eventBridge/eventPattern.ts';
import type { Json } from '../json.ts';
import type { Result } from './invocations.ts';

export type Mapping = {
  readonly uuid: string;
  readonly sourceArn: string;
  readonly startingPosition: 'LATEST' | 'TRIM_HORIZON' | null;
  functionName: string;
  qualifier: string | undefined;
  enabled: boolean;
  batchSize: number;
  windowSeconds: number;
  /** The function answers which items failed. */
  reportsFailures: boolean;
  filters: readonly { readonly source: string; readonly matches: EventPattern }[];
  /** Calls of a queue's mapping at one time. */
  concurrencyMax: number;
  /** Streams only, as all below. Null tries for ever. */
  retriesMax: number | null;
  ageSecondsMax: number | null;
  bisects: boolean;
  onFailure: string | null;
  changedAt: Date;
  lastResult: string;
  /** Ends what runs for the mapping; null while it is disabled. */
  stop: (() => void) | null;
  /** The next position in each shard; kept while the mapping is disabled. */
  readonly positions: Map<string, number>;
};

/** Calls the mapping's function. Rejects with a `ServiceError` when the call is refused. */
export type CallFunction = (mapping: Mapping, event: unknown, traceId?: string) => Promise<Result>;

/** Without filters everything is wanted; with several, what one of them wants. */
export const isWanted = ({ filters }: Mapping, record: Json): boolean =>
  filters.length === 0 || filters.some(({ matches }) => matches(record));

/** What came of one batch. */
export type BatchEnd = 'done' | 'failed' | { readonly failedItems: readonly string[] };

/** Reads `{ batchItemFailures: [{ itemIdentifier }] }`; an answer that names wrong items fails the batch. */
export function batchEnd({ reportsFailures }: Mapping, result: Result, items: readonly string[]): BatchEnd {
  if (result.failed) return 'failed';
  if (!reportsFailures) return 'done';
  const answer = JSON.parse(result.payload) as { readonly batchItemFailures?: unknown } | null;
  const failures = answer?.batchItemFailures;
  if (failures === undefined || failures === null) return 'done';
  if (!Array.isArray(failures)) return 'failed';
  const failedItems = failures.map(
    (failure: { readonly itemIdentifier?: unknown }) => failure?.itemIdentifier,
  );
  if (failedItems.length === 0) return 'done';
  if (!failedItems.every((item) => typeof item === 'string' && items.includes(item))) return 'failed';
  return { failedItems: failedItems as readonly string[] };
}
