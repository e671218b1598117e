/**
 * One run as data: what is there, who does what when, what goes wrong. Nothing else decides it, so that a run
 * that fails can be printed, shortened and kept.
 */
import type { TakeBack } from '../../../events/migration.ts';
import type { OperationRequested } from '../../../events/request.ts';
import type { AlarmState } from '../../../events/rollback.ts';
import type { Slot } from '../../../events/target.ts';
import type { MigrationOperation } from '../../flows/operateMigration.ts';
import type { AlarmDefinition, AlarmTrouble } from '../../sim/alarms.ts';
import type { Behaviour } from '../../sim/behaviour.ts';
import type { Fault } from '../../sim/faults.ts';
import type { MetricTrouble } from '../../sim/metrics.ts';
import type { ServiceDescription } from '../../sim/places.ts';
import type { Latency } from '../../sim/wire.ts';

/** Seconds since the beginning, in place of the two times in milliseconds. */
type InSeconds<T> = Omit<T, 'fromMs' | 'toMs'> & { readonly fromSeconds: number; readonly toSeconds: number };

export type Happening = { readonly atSeconds: number } & (
  | {
      readonly what: 'request';
      readonly service: string;
      readonly revision: string;
      readonly rolloutId: string;
      readonly knownBadOverride?: string;
    }
  | {
      readonly what: 'operate';
      readonly service: string;
      readonly operation: OperationRequested['operation'];
      readonly why?: string;
      readonly untilMinutes?: number;
    }
  /** Several services at once, and what is asked of them together. */
  | {
      readonly what: 'migrate';
      readonly migrationId: string;
      readonly revisions: Readonly<Record<string, string>>;
      readonly oneWay?: readonly string[];
      readonly takeBack?: TakeBack;
    }
  | {
      readonly what: 'operate-migration';
      readonly migrationId: string;
      readonly operation: MigrationOperation['operation'];
      readonly service?: string;
      readonly revisions?: Readonly<Record<string, string>>;
    }
  /** Somebody moves traffic past us. */
  | { readonly what: 'shift-by-hand'; readonly service: string; readonly greenWeight: number }
  | { readonly what: 'send-elsewhere'; readonly service: string }
  /**
   * All traffic to the slot that is said, else the one that is marked stable, asserted again and again for
   * as long as a shift may last.
   */
  | { readonly what: 'fire-exit'; readonly service: string; readonly slot?: Slot }
  | { readonly what: 'lose-tasks'; readonly service: string; readonly slot: Slot; readonly tasks: number }
  | { readonly what: 'autoscale'; readonly service: string; readonly slot: Slot; readonly tasks: number }
  /** Trouble of no revision's making; `revision` null: everybody has it. */
  | {
      readonly what: 'incident';
      readonly service: string;
      readonly revision: string | null;
      readonly minutes: number;
      readonly errorRate: number;
      readonly slower: number;
    }
  | { readonly what: 'set-alarm'; readonly alarm: string; readonly state: AlarmState }
  /** The newest running execution of the machine is stopped from outside. */
  | { readonly what: 'stop-execution'; readonly machine: 'rollout' | 'rollback' }
  /** A new version of the controller, whose schema of the state is another. */
  | { readonly what: 'deploy' }
);

export type ServiceScenario = Omit<ServiceDescription, 'service'> & {
  /** As in `switchback.yml`, without the target. */
  readonly configuration: Readonly<Record<string, unknown>>;
};

export type Scenario = {
  readonly seed: number;
  readonly services: Readonly<Record<string, ServiceScenario>>;
  readonly behaviours: Readonly<Record<string, Behaviour>>;
  readonly alarms: readonly AlarmDefinition[];
  readonly happenings: readonly Happening[];
  readonly faults: readonly Fault[];
  readonly metricTroubles: readonly InSeconds<MetricTrouble>[];
  readonly alarmTroubles: readonly InSeconds<AlarmTrouble>[];
  /** Of one way of a call; all 0 is fastest, and leaves no room for anything to happen in between. */
  readonly latency: Latency;
  readonly skewMsMax: number;
  /** After so many minutes nothing goes wrong any more, and nobody asks for anything new. */
  readonly minutes: number;
};
