/** What a person asks of a rollout, recorded with who and why, and driven at once. */

import type { ServiceSettings } from '../core/config/settings.ts';
import { type Refusal, refuse } from '../core/decision.ts';
import type { Command } from '../core/rollout/commands.ts';
import { retryOf } from '../core/rollout/operator.ts';
import { type Override, overrideAt } from '../core/rollout/state.ts';
import type { Clock, EventStore, Log, Machines, Requests, Tokens, Traffic } from '../ports.ts';
import { driveTraffic } from './driveTraffic.ts';
import { type Cause, known, type Result, record, streamOf } from './record.ts';
import { answer, planOf } from './rolloutTask.ts';
import { takeOffDependents } from './takeOffDependents.ts';

type World = {
  readonly clock: Clock;
  readonly store: EventStore;
  readonly traffic: Traffic;
  readonly machines: Pick<Machines, 'start' | 'resume'>;
  readonly tokens: Tokens;
  readonly requests: Requests;
  readonly log: Log;
};

export type Operation = {
  readonly service: string;
  readonly operation:
    | 'pause'
    | 'resume'
    | 'approve'
    | 'promote'
    | 'promote-fully'
    | 'abort'
    | 'retry'
    | 'override'
    | 'lift-override';
  readonly by: string;
  /** As it is recorded; `by` when absent. */
  readonly actor?: string;
  readonly why?: string;
  readonly untilMinutes?: number;
  /** When it was said, epoch milliseconds; it may come late. Left out: now. */
  readonly saidAt?: number;
};

export type Configured = {
  readonly settings: ServiceSettings;
  /** Everybody's: who depends on a service goes back before it. */
  readonly services: readonly ServiceSettings[];
};

export type Operated =
  | {
      readonly outcome: 'done';
      readonly phase: string;
      /** As long as it holds nothing automatic takes the service back. */
      readonly override: Override | null;
    }
  | Refusal;

/** @param eventId of the request: the same one twice is done once */
export async function operate(
  world: World,
  operation: Operation,
  { settings, services }: Configured,
  eventId: string,
): Promise<Operated> {
  if (operation.operation === 'retry') return retry(world, operation, eventId);
  const cause: Cause = { correlationId: eventId, actor: operation.actor ?? operation.by };
  const command = commandFor({ ...operation, operation: operation.operation }, settings, world.clock.now());
  if ('outcome' in command) return command;
  const recorded = await recordOnce(world, operation, command, services, cause);
  if (recorded.outcome === 'refused') return refuse(recorded.reason, recorded.sentence);
  if (command.type === 'SetOverride' || command.type === 'LiftOverride') {
    await noteOverride(world, settings, recorded.state.override, cause);
  }
  const driven = await driveTraffic(world, settings.service, recorded, cause);
  const { rollout } = driven.state;
  if (rollout.phase !== 'none') {
    const task = { service: settings.service, rolloutId: rollout.rolloutId, correlationId: eventId };
    const token = await world.tokens.find(streamOf(settings.service), rollout.rolloutId);
    if (token !== null)
      await world.machines.resume(token, answer(world, task, await planOf(world, task), driven.state));
    if (rollout.phase === 'rolling-back')
      await world.machines.start('rollback', `${rollout.rolloutId}-back`, task);
  }
  return { outcome: 'done', phase: rollout.phase, override: overrideAt(driven.state, world.clock.now()) };
}

/** Lambda calls again after a minute and after two (developer guide, "Asynchronous invocation"). */
const lateMs = 30_000;
/** Events that are searched for what was said already: hours of a rollout that is looked at every minute. */
const searchedMax = 500;

/**
 * The store knows a stream's newest sixteen commands. What was said long ago, and perhaps done, is looked for
 * among its events: a pause is not said again to a rollout that was resumed since.
 */
async function recordOnce(
  world: World,
  { service, saidAt }: Operation,
  command: Command,
  services: Configured['services'],
  cause: Cause,
): Promise<Result> {
  const commandId = `operation:${cause.correlationId}`;
  const from = await known(world, service);
  if (saidAt !== undefined && world.clock.now() - saidAt >= lateMs) {
    const first = Math.max(1, from.head.version - searchedMax);
    for await (const recorded of world.store.read(streamOf(service), first))
      if (recorded.commandId === commandId) return { outcome: 'accepted', ...from, events: [] };
  }
  const whole = await takeOffDependents(world, service, from.state, command, services, cause);
  return record(world, service, whole, cause, { commandId, from });
}

/** For whoever must act without the event store. That it cannot be noted there takes nothing from it. */
async function noteOverride(
  world: World,
  { service, target }: ServiceSettings,
  override: Override | null,
  { correlationId, actor }: Cause,
): Promise<void> {
  const mark = override ?? { by: actor, why: 'lifted', until: 0 };
  await world.traffic.markOverride(target, mark).catch((error: unknown) => {
    world.log.write({ message: 'override not noted', service, error: String(error), correlationId });
  });
}

/** Asked for as anybody would, so the request goes the ordinary way. */
async function retry(world: World, { service, by, why = '' }: Operation, eventId: string): Promise<Operated> {
  const { state } = await known(world, service);
  const request = retryOf(state, { service, by, why, eventId });
  if ('outcome' in request) return request;
  await world.requests.send(request);
  return { outcome: 'done', phase: 'requested', override: overrideAt(state, world.clock.now()) };
}

type RolloutOperation = Operation & { readonly operation: Exclude<Operation['operation'], 'retry'> };

function commandFor(said: RolloutOperation, settings: ServiceSettings, now: number): Command | Refusal {
  const { operation, by, why, untilMinutes, saidAt = now } = said;
  switch (operation) {
    case 'pause':
      return { type: 'Pause', by, why: why ?? 'asked for', now, saidAt };
    case 'resume':
      return { type: 'Resume', by, now, saidAt, settings };
    case 'approve':
      return { type: 'Approve', by, now, saidAt };
    case 'promote':
      return { type: 'Promote', by, now, saidAt };
    case 'promote-fully':
      return { type: 'PromoteFully', by, now, saidAt, settings };
    case 'abort':
      return { type: 'RollBack', trigger: 'operator', reason: why ?? 'aborted', by, now, saidAt };
    case 'override':
      if (untilMinutes === undefined) {
        return refuse('no-end', 'an override needs untilMinutes: it must end by itself.');
      }
      // Told again later it does not last longer.
      return { type: 'SetOverride', by, why: why ?? '', until: saidAt + untilMinutes * 60_000, now };
    case 'lift-override':
      return { type: 'LiftOverride', by, now };
  }
}
