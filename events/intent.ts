/** A decision that waits in the intent queue for the event store: what was to be recorded, once. */
import * as z from 'zod/mini';
import { malformed, type Parsed, parse, parsed } from './parsed.ts';

const Intent = z.object({
  stream: z.string(),
  commandId: z.string(),
  correlationId: z.string(),
  /**
   * As it was taken; the decision core checks nothing about its shape, so only our own queue may carry it.
   */
  command: z.looseObject({ type: z.string(), now: z.number() }),
});

export type QueuedIntent = {
  readonly service: string;
  readonly commandId: string;
  readonly correlationId: string;
  readonly command: { readonly type: string; readonly now: number };
};

export function parseIntent(body: unknown): Parsed<QueuedIntent> {
  const read = parse(Intent, body, 'intent');
  if (!read.ok) return read;
  const { stream, ...intent } = read.value;
  const service = /^service\/(.+)$/.exec(stream)?.[1];
  return service === undefined
    ? malformed(`intent: ${stream} is no service's stream; expected service/<name>`)
    : parsed({ service, ...intent });
}
