/**
 * A request becomes a plan, the plan becomes a rollout. Everything configured is resolved here, once, and
 * frozen; nothing on the alarm's way ever waits for configuration.
 */
import type { Strategy } from '../../events/rollout.ts';
import type { Slot } from '../../events/target.ts';
import { otherSlot } from '../../events/target.ts';
import type { ServiceSettings } from '../core/config/settings.ts';
import { type Refusal, refuse } from '../core/decision.ts';
import { makePlan, type Plan } from '../core/rollout/plan.ts';
import { holderOf, type ServiceState } from '../core/rollout/state.ts';
import type {
  Alarms,
  Clock,
  EventStore,
  Layers,
  Log,
  Machines,
  Metrics,
  Traffic,
  Workload,
} from '../ports.ts';
import { fileAlone, layeredSettings } from './layeredSettings.ts';
import { readBaseline } from './readBaseline.ts';
import { type Cause, type Result, record, streamOf } from './record.ts';

type World = {
  readonly clock: Clock;
  readonly store: EventStore;
  readonly traffic: Traffic;
  readonly workload: Pick<Workload, 'read'>;
  readonly metrics: Metrics;
  readonly alarms: Alarms;
  readonly machines: Pick<Machines, 'start'>;
  readonly log: Log;
};

export type RolloutRequest = {
  readonly service: string;
  readonly revision: string;
  readonly rolloutId: string;
  readonly requestedBy: string;
  /** As it is recorded; `requestedBy` when absent. */
  readonly actor?: string;
  readonly why?: string;
  readonly knownBadOverride?: string;
  readonly strategy?: Strategy;
};

export type Started =
  | { readonly outcome: 'started'; readonly rolloutId: string; readonly plan: Plan }
  | { readonly outcome: 'queued'; readonly rolloutId: string }
  | Refusal;

/**
 * @param settings as the file says
 * @param correlationId of the event that asked: the same request twice is one rollout
 * @param layers what stands above the file
 */
export async function startRollout(
  world: World,
  request: RolloutRequest,
  settings: ServiceSettings,
  correlationId: string,
  layers: Layers = fileAlone,
): Promise<Started> {
  const cause: Cause = { correlationId, actor: request.actor ?? request.requestedBy };
  const { service, rolloutId } = request;
  const asked = await ask(world, request, settings, cause);
  if (asked.outcome === 'refused') return refuse(asked.reason, asked.sentence);
  if (asked.state.queued?.rolloutId === rolloutId && holderOf(asked.state) !== null) {
    await takeBackSuperseded(world, service, asked.state, correlationId);
    return { outcome: 'queued', rolloutId };
  }
  const started = await start(world, request, settings, cause, layers);
  if (started.outcome === 'refused') {
    const now = world.clock.now();
    await record(
      world,
      service,
      { type: 'DropQueued', queuedId: rolloutId, reason: started.sentence, now },
      cause,
      { about: rolloutId },
    );
  }
  return started;
}

/** What makes way does so now: its own machine would notice at its next look. */
async function takeBackSuperseded(
  { machines }: World,
  service: string,
  { rollout }: ServiceState,
  correlationId: string,
): Promise<void> {
  if (rollout.phase !== 'rolling-back' || rollout.trigger !== 'superseded') return;
  const { rolloutId } = rollout;
  await machines.start('rollback', `${rolloutId}-back`, { service, rolloutId, correlationId });
}

/** What holds the service, and what that means for this request, before anything is planned for it. */
function ask(
  world: World,
  { service, strategy, rolloutId, revision, requestedBy, why, knownBadOverride }: RolloutRequest,
  { whileActive }: ServiceSettings,
  cause: Cause,
): Promise<Result> {
  const wish = {
    ...{ rolloutId, revision, requestedBy },
    ...(why === undefined ? {} : { why }),
    ...(knownBadOverride === undefined ? {} : { knownBadOverride }),
    ...(strategy === undefined ? {} : { strategy }),
  };
  const now = world.clock.now();
  const command = { type: 'Enqueue', service, wish, whileActive, now } as const;
  return record(world, service, command, cause, { about: rolloutId });
}

async function start(
  world: World,
  request: RolloutRequest,
  settings: ServiceSettings,
  cause: Cause,
  layers: Layers,
): Promise<Started> {
  const { service, rolloutId } = request;
  const stream = streamOf(service);
  const kept = (await world.store.plan(stream, rolloutId)) as Plan | null;
  const plan = kept ?? (await planFor(world, request, settings, layers, cause));
  if ('outcome' in plan) return plan;
  const planHash = await world.store.keepPlan(stream, rolloutId, plan);
  const readings = await world.alarms.read(settings.alarms.map(({ name }) => name));
  const recorded = await record(
    world,
    service,
    {
      type: 'Start',
      plan,
      planHash,
      baselineAlarms: readings.filter(({ state }) => state === 'ALARM').map(({ name }) => name),
      requestedBy: request.requestedBy,
      ...(request.why === undefined ? {} : { why: request.why }),
      ...(request.knownBadOverride === undefined ? {} : { knownBadOverride: request.knownBadOverride }),
      now: world.clock.now(),
    },
    cause,
    { about: rolloutId },
  );
  if (recorded.outcome === 'refused') return refuse(recorded.reason, recorded.sentence);
  const { rollout } = recorded.state;
  if (rollout.phase === 'none' || rollout.rolloutId !== rolloutId) return { outcome: 'queued', rolloutId };
  const { correlationId } = cause;
  await world.machines.start('rollout', rolloutId, { service, rolloutId, correlationId });
  return { outcome: 'started', rolloutId, plan };
}

/** Another strategy, this once: a list of steps belongs to the strategy it was written for. */
const withStrategy = (settings: ServiceSettings, kind: Strategy = settings.strategy.kind): ServiceSettings =>
  kind === settings.strategy.kind
    ? settings
    : { ...settings, strategy: { ...settings.strategy, kind, steps: null } };

async function planFor(
  world: World,
  request: RolloutRequest,
  file: ServiceSettings,
  layers: Layers,
  { correlationId }: Cause,
): Promise<Plan | Refusal> {
  const resolved = await layeredSettings(layers, file);
  if ('outcome' in resolved) return resolved;
  const settings = withStrategy(resolved.settings, request.strategy);
  const reading = await world.traffic.read(settings.target);
  if (reading.kind === 'unknown') {
    return refuse(
      'target-unknown',
      `${request.service}: ${reading.what}; send all traffic to one slot first.`,
    );
  }
  if (reading.greenWeight !== 0 && reading.greenWeight !== 100) {
    return refuse(
      'target-split',
      `${request.service}: green already gets ${reading.greenWeight} % of the traffic; send all of it to one slot first.`,
    );
  }
  const stableSlot: Slot = reading.greenWeight === 100 ? 'green' : 'blue';
  const canarySlot = otherSlot(stableSlot);
  const stable = await world.workload.read(settings.target, stableSlot);
  if (stable.desired === 0) {
    return refuse(
      'stable-empty',
      `${request.service}: ${stableSlot} gets all the traffic and runs no task; send it to where the service runs first.`,
    );
  }
  const plan = makePlan({
    rolloutId: request.rolloutId,
    revision: request.revision,
    stableRevision: stable.revision,
    canarySlot,
    settings,
    ...(resolved.laid.length === 0 ? {} : { laid: resolved.laid }),
    baseline: await readBaseline(world, settings, canarySlot, correlationId),
    createdAt: world.clock.now(),
  });
  return 'refused' in plan ? refuse('plan-refused', plan.refused.join(' ')) : plan;
}
