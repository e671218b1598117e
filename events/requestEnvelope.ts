import * as z from 'zod/mini';

/** What EventBridge puts around a request: who sent it, and what it asks. */
export const requestEnvelope = <D extends string, T extends z.ZodMiniType>(detailType: D, detail: T) =>
  z.object({
    id: z.string().check(z.minLength(1)),
    account: z.optional(z.string()),
    source: z.string(),
    /** When it was asked for, as EventBridge writes it: to the second. */
    time: z.optional(z.string()),
    'detail-type': z.literal(detailType),
    detail,
  });
