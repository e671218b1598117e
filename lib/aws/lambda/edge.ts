/**
 * Where AWS meets a flow: input is checked against its schema before anything is done, every line of the log is
 * one JSON object with the correlation id, and an outage leaves with its own name, which state machines match.
 */
import type { MiddlewareObj } from '@middy/core';
import type * as z from 'zod/mini';
import { BadInput } from '../../core/outage.ts';
import type { Clock, Log } from '../../ports.ts';

export const systemClock: Clock = { now: () => Date.now() };

/** Lines go to standard output, where Lambda picks them up. */
export const jsonLog = (functionName: string): Log => ({
  write: (line) => {
    process.stdout.write(
      `${JSON.stringify({ at: new Date().toISOString(), function: functionName, ...line })}\n`,
    );
  },
});

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Checks `event` with `schema` and logs how the call ended.
 * @throws BadInput, before anything is done, when the event breaks its contract
 */
export function edge<T>(schema: z.ZodMiniType<T>, log: Log): MiddlewareObj<T, unknown, Error> {
  return {
    before: (request) => {
      request.event = checked(schema, request.event);
    },
    onError: ({ event, error }) => {
      const correlationId = (event as { correlationId?: unknown } | null)?.correlationId;
      log.write({ message: 'failed', correlationId, error: error?.name, reason: error?.message });
    },
  };
}

/** @throws BadInput with the first place that is wrong */
export function checked<T>(schema: z.ZodMiniType<T>, input: unknown): T {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new BadInput(`input.${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not as agreed'}`);
}
