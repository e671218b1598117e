/**
 * An event as it stands in the store: what happened, where it stands in its stream, and who caused it.
 * `schema` is the version of the event's shape; `upcast` reads older shapes as today's.
 */
import * as z from 'zod/mini';

/** The shape version written today, per event type; a type that is not listed is at 1. */
export const schemaVersions: Readonly<Record<string, number>> = {};

type Upcast = (data: Record<string, unknown>) => Record<string, unknown>;

/** Per type, how version n becomes n + 1: `upcasts.RolloutStarted?.[1]` makes a 2 out of a 1. */
export const upcasts: Readonly<Record<string, Readonly<Record<number, Upcast>>>> = {};

export const Recorded = z.object({
  /** 1, 2, 3 … without a gap in one stream. */
  version: z.number().check(z.int(), z.gte(1)),
  /** `<stream>#<version>`, unique among all events. */
  id: z.string(),
  schema: z.number().check(z.int(), z.gte(1)),
  commandId: z.string(),
  /** The same for everything that follows from one outside event. */
  correlationId: z.string(),
  actor: z.string(),
  event: z.looseObject({ type: z.string(), at: z.number() }),
  /**
   * SHA-256 over the previous hash and this event's content (lib/core/eventStore/hashChain.ts), base64url.
   */
  hash: z.string(),
});
export type Recorded = z.infer<typeof Recorded>;

/**
 * Brings a stored event to today's shape.
 * @throws Error when it was written by a newer version than this code knows
 */
export function upcast(
  stored: { readonly type: string; readonly schema: number; readonly event: Record<string, unknown> },
  versions = schemaVersions,
  steps = upcasts,
): Record<string, unknown> {
  const today = versions[stored.type] ?? 1;
  if (stored.schema > today) {
    throw new Error(
      `${stored.type} was written with schema ${stored.schema}, this version knows ${today}: ` +
        'deploy the newer version again',
    );
  }
  let event = stored.event;
  for (let schema = stored.schema; schema < today; schema++) {
    const step = steps[stored.type]?.[schema];
    if (step === undefined)
      throw new Error(`no upcast of ${stored.type} from schema ${schema} to ${schema + 1}`);
    event = step(event);
  }
  return event;
}
