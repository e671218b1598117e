/**
 * One service's settings, complete: defaults are filled in, references resolved. This is what functions carry
 * and what a plan freezes; `switchback.yml` (see `configuration.ts`) is how a person writes it.
 */
import type { Strategy } from '../../../events/rollout.ts';
import type { Slot, Target } from '../../../events/target.ts';
import type { AnalysisPolicy } from '../analysis/policy.ts';
import type { FallbackSettings } from '../fallback/place.ts';
import type { MetricsSource } from './metricsSource.ts';

export type AlarmSettings = {
  readonly name: string;
  /** `canary`: always takes traffic off. `service`: asks the evidence whose fault it is. */
  readonly scope: 'canary' | 'service';
  /**
   * The slot the alarm watches; it then speaks of the canary only while that slot is the canary's. null: no
   * slot.
   */
  readonly slot: Slot | null;
  /** What INSUFFICIENT_DATA, or a state that cannot be read, leads to. */
  readonly onUnknown: 'wait' | 'hold' | 'roll-back';
  /** What a service alarm leads to when stable suffers as much as the canary. */
  readonly onBothSuffer: 'hold' | 'roll-back';
};

/** A CodeDeploy deployment group that deploys this service. */
export type DeploymentGroupSettings = {
  readonly application: string;
  readonly deploymentGroup: string;
  /**
   * The slot it deploys to: its failures are the canary's only while that slot is the canary's. null: the
   * canary's, whichever that is.
   */
  readonly slot: Slot | null;
};

export type StrategySettings = {
  readonly kind: Strategy;
  /** Canary: percent of the first step, points per step, most points per step. */
  readonly startPercent: number;
  readonly stepPercent: number;
  readonly stepPercentMax: number;
  /** 100 is reached only from at least this weight. */
  readonly finalFromPercent: number;
  readonly bakeSeconds: number;
  readonly finalBakeSeconds: number;
  /** An explicit list instead of start and step; `bakeSeconds` per entry where given. */
  readonly steps:
    | readonly {
        readonly weight: number;
        readonly bakeSeconds?: number;
        readonly approval?: 'manual' | 'auto';
      }[]
    | null;
  /**
   * Blue/green: how long the preview is watched without traffic, and whether promotion then needs a person.
   */
  readonly previewSeconds: number;
  readonly autoPromote: boolean;
  readonly autoPromoteSeconds: number;
  /** Rolling: percent of the tasks replaced at a time. */
  readonly batchPercent: number;
};

export type ServiceSettings = {
  readonly service: string;
  readonly target: Target;
  readonly strategy: StrategySettings;
  /** Where both sides' figures are read; absent in plans of before there was a choice: the target's own. */
  readonly metrics?: MetricsSource | null;
  readonly analysis: AnalysisPolicy;
  readonly alarms: readonly AlarmSettings[];
  /** CodeDeploy's deployments of this service; none where ECS alone deploys it. */
  readonly codeDeploy: readonly DeploymentGroupSettings[];
  /** Services that must be on their new version before this one, and go back after it. */
  readonly dependsOn: readonly string[];
  readonly whileActive: 'refuse' | 'queue' | 'supersede';
  /** How often a bake is looked at. */
  readonly evaluateSeconds: number;
  /** How long alarms still roll back after the promotion. */
  readonly rollbackWindowSeconds: number;
  /** How long the side without traffic stays warm. */
  readonly scaleDownDelaySeconds: number;
  /** The longest a write to the balancer may be under way; a late write lands before this is over. */
  readonly shiftTimeoutSeconds: number;
  readonly prepareTimeoutSeconds: number;
  readonly rolloutTimeoutSeconds: number;
  /** C3: how long an equal alarm does not lead to an equal action. It is recorded all the same. */
  readonly coolOffSeconds: number;
  /** Rollbacks within a day before the next start is held for a person. */
  readonly rollbacksPerDayMax: number;
  /** Health checks that fail in a row before the canary is taken back. */
  readonly healthFailuresMax: number;
  /** The old world, for the fire exit. */
  readonly fallback: FallbackSettings;
};
