/**
 * What a person or a pipeline asks for, as EventBridge events anybody with the right may put on the bus; the
 * source may be any but AWS's own.
 */
import * as z from 'zod/mini';
import { type Parsed, parse, parsed } from './parsed.ts';
import { requestEnvelope } from './requestEnvelope.ts';
import { Strategy } from './rollout.ts';
import { actorOf } from './sender.ts';

export const requestDetailType = 'Switchback Rollout Requested';
export const operationDetailType = 'Switchback Operation Requested';

const named = (what: string) =>
  z.string().check(z.trim(), z.minLength(1, `${what} must be named`), z.maxLength(200));
const reason = (why: string) => z.string().check(z.trim(), z.minLength(1, why), z.maxLength(300));

const RequestDetail = z.strictObject({
  service: named('the service'),
  /** A task-definition ARN or family:revision, a Lambda version, a stage value. */
  revision: named('the revision'),
  rolloutId: z.optional(
    z.string().check(z.regex(/^[A-Za-z0-9_-]{1,64}$/, 'a rolloutId has 1–64 letters, digits, - or _')),
  ),
  requestedBy: z.optional(named('who asks')),
  why: z.optional(z.string().check(z.maxLength(300))),
  knownBadOverride: z.optional(reason('say why the revision may run again')),
  /** Another strategy than the configured one, this once; its figures stay the configured ones. */
  strategy: z.optional(Strategy),
});

export const Operation = z.enum([
  'pause',
  'resume',
  'approve',
  'promote',
  'promote-fully',
  'abort',
  'retry',
  'override',
  'lift-override',
]);
export type Operation = z.infer<typeof Operation>;

const OperationDetail = z.strictObject({
  service: named('the service'),
  operation: Operation,
  by: named('who asks'),
  why: z.optional(z.string().check(z.maxLength(300))),
  untilMinutes: z.optional(z.number().check(z.gt(0))),
});

export const RolloutRequest = requestEnvelope(requestDetailType, RequestDetail);
export const OperationRequest = requestEnvelope(operationDetailType, OperationDetail);

export type RolloutRequested = {
  readonly eventId: string;
  readonly service: string;
  readonly revision: string;
  readonly rolloutId: string;
  readonly requestedBy: string;
  /** Who asks, with what EventBridge says of where it came from. */
  readonly actor: string;
  readonly why?: string;
  readonly knownBadOverride?: string;
  readonly strategy?: Strategy;
};

/** The same event twice is one rollout: without a `rolloutId` of its own it takes the event's id. */
export function parseRolloutRequest(event: unknown): Parsed<RolloutRequested> {
  const read = parse(RolloutRequest, event, 'rollout request');
  if (!read.ok) return read;
  const { id, source, detail } = read.value;
  const { service, revision, why, knownBadOverride, strategy, requestedBy = source } = detail;
  return parsed({
    eventId: id,
    service,
    revision,
    rolloutId: detail.rolloutId ?? `${service.slice(0, 40)}-${id.replaceAll('-', '').slice(0, 12)}`,
    requestedBy,
    actor: actorOf(requestedBy, read.value),
    ...(why === undefined ? {} : { why }),
    ...(knownBadOverride === undefined ? {} : { knownBadOverride }),
    ...(strategy === undefined ? {} : { strategy }),
  });
}

export type OperationRequested = {
  readonly eventId: string;
  readonly service: string;
  readonly operation: Operation;
  readonly by: string;
  /** Who asks, with what EventBridge says of where it came from. */
  readonly actor: string;
  readonly why?: string;
  readonly untilMinutes?: number;
  /** When it was said, epoch milliseconds, to the second; left out where nobody tells. */
  readonly saidAt?: number;
};

export function parseOperationRequest(event: unknown): Parsed<OperationRequested> {
  const read = parse(OperationRequest, event, 'operation request');
  if (!read.ok) return read;
  const { why, untilMinutes, ...rest } = read.value.detail;
  const saidAt = Date.parse(read.value.time ?? '');
  return parsed({
    eventId: read.value.id,
    ...rest,
    actor: actorOf(rest.by, read.value),
    ...(why === undefined ? {} : { why }),
    ...(untilMinutes === undefined ? {} : { untilMinutes }),
    ...(Number.isNaN(saidAt) ? {} : { saidAt }),
  });
}

/** What a person hands to publish-events directly, once what a subscriber could not get past is mended. */
const UnparkRequest = z.strictObject({
  unpark: z
    .string()
    .check(z.regex(/^[a-z-]+\/./, 'a stream is named as service/NAME, migration/NAME or operation/NAME')),
  by: named('who asks'),
  why: reason('say what was mended'),
  subscriber: z.optional(named('the subscriber')),
});

export type UnparkRequested = {
  readonly stream: string;
  readonly by: string;
  readonly why: string;
  readonly subscriber?: string;
};

export function parseUnparkRequest(event: unknown): Parsed<UnparkRequested> {
  const read = parse(UnparkRequest, event, 'unpark request');
  if (!read.ok) return read;
  const { unpark: stream, by, why, subscriber } = read.value;
  return parsed({ stream, by, why, ...(subscriber === undefined ? {} : { subscriber }) });
}
