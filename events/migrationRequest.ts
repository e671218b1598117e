/** What a person or a pipeline asks of a migration, as EventBridge events or as a call that is answered. */
import * as z from 'zod/mini';
import { TakeBack } from './migration.ts';
import { type Parsed, parse, parsed } from './parsed.ts';
import { requestEnvelope } from './requestEnvelope.ts';
import { actorOf } from './sender.ts';

export const migrationDetailType = 'Switchback Migration Requested';
export const migrationOperationDetailType = 'Switchback Migration Operation Requested';

const id = z
  .string()
  .check(z.regex(/^[A-Za-z0-9_-]{1,24}$/, 'a migrationId has 1–24 letters, digits, - or _'));
const named = (what: string) => z.string().check(z.minLength(1, `${what} must be named`), z.maxLength(200));

export const MigrationRequest = requestEnvelope(
  migrationDetailType,
  z.strictObject({
    migrationId: id,
    /** The revision each service goes to, by name. */
    revisions: z.record(z.string(), named('the revision')),
    oneWay: z.optional(z.array(z.string())),
    takeBack: z.optional(TakeBack),
    requestedBy: z.optional(named('who asks')),
    dryRun: z.optional(z.boolean()),
  }),
);

export const MigrationOperationRequest = requestEnvelope(
  migrationOperationDetailType,
  z.strictObject({
    migrationId: id,
    operation: z.enum(['roll-back', 'resume', 'freeze']),
    service: z.optional(named('the service')),
    revisions: z.optional(z.record(z.string(), named('the revision'))),
    by: named('who asks'),
    why: z.optional(z.string().check(z.maxLength(300))),
    dryRun: z.optional(z.boolean()),
  }),
);

export type MigrationRequested = {
  readonly eventId: string;
  readonly migrationId: string;
  readonly revisions: Readonly<Record<string, string>>;
  readonly oneWay: readonly string[];
  readonly takeBack: TakeBack;
  readonly requestedBy: string;
  /** Who asks, with what EventBridge says of where it came from. */
  readonly actor: string;
  readonly dryRun: boolean;
};

export function parseMigrationRequest(event: unknown): Parsed<MigrationRequested> {
  const read = parse(MigrationRequest, event, 'migration request');
  if (!read.ok) return read;
  const { id: eventId, source, detail } = read.value;
  const { oneWay = [], takeBack = 'everything', requestedBy = source, dryRun = false } = detail;
  const actor = actorOf(requestedBy, read.value);
  return parsed({ ...detail, eventId, oneWay, takeBack, requestedBy, actor, dryRun });
}

export type MigrationOperationRequested = {
  readonly eventId: string;
  readonly migrationId: string;
  readonly operation: 'roll-back' | 'resume' | 'freeze';
  readonly service: string | null;
  readonly revisions: Readonly<Record<string, string>>;
  readonly by: string;
  /** Who asks, with what EventBridge says of where it came from. */
  readonly actor: string;
  readonly why: string;
  readonly dryRun: boolean;
};

export function parseMigrationOperation(event: unknown): Parsed<MigrationOperationRequested> {
  const read = parse(MigrationOperationRequest, event, 'migration operation request');
  if (!read.ok) return read;
  const { service = null, revisions = {}, why = 'asked for', dryRun = false, ...rest } = read.value.detail;
  const actor = actorOf(rest.by, read.value);
  return parsed({ eventId: read.value.id, ...rest, actor, service, revisions, why, dryRun });
}
