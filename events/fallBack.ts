/** The manual call of the fire exit: who is to fall back, and why. */
import * as z from 'zod/mini';
import { type Parsed, parse, parsed } from './parsed.ts';
import { Slot } from './target.ts';

const Request = z.strictObject({
  /** Left out: every service. */
  service: z.optional(z.string().check(z.minLength(1, 'name a service, or leave it out for all'))),
  why: z.string().check(z.minLength(1, 'say why: it is the only record if everything else is down')),
  by: z.optional(z.string()),
  dryRun: z.optional(z.boolean()),
  slot: z.optional(Slot),
});

export type FallBackRequested = {
  readonly service: string | null;
  readonly why: string;
  readonly by: string;
  readonly dryRun: boolean;
  readonly slot: Slot | null;
};

export function parseFallBack(event: unknown): Parsed<FallBackRequested> {
  const read = parse(Request, event, 'fall-back request');
  if (!read.ok) return read;
  const { service = null, why, by = 'operator', dryRun = false, slot = null } = read.value;
  return parsed({ service, why, by, dryRun, slot });
}
