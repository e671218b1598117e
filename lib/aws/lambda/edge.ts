/**
 * Where AWS meets a flow: input is checked against its schema before anything is done, every line of the log
 * is one JSON object with the correlation id, and an outage leaves with its own name, which state machines
 * match.
 */
import type { MiddlewareObj } from '@middy/core';
import type { Parsed } from '../../../events/parsed.ts';
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
 * Reads the event with `parse` and logs a call that failed.
 * @throws BadInput, before anything is done, when the event breaks its contract
 */
export function edge<T>(parse: (event: unknown) => Parsed<T>, log: Log): MiddlewareObj<T, unknown, Error> {
  return {
    before: (request) => {
      const read = parse(request.event);
      if (!read.ok) throw new BadInput(read.sentence);
      request.event = read.value;
    },
    onError: ({ event, error }) => {
      const given = event as { correlationId?: unknown; eventId?: unknown } | null;
      const correlationId = given?.correlationId ?? given?.eventId;
      log.write({ message: 'failed', correlationId, error: error?.name, reason: error?.message });
    },
  };
}
