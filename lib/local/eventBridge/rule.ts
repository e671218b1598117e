/** A rule as its bus keeps it. */
import type { Target as SdkTarget } from '@aws-sdk/client-eventbridge';
import type { EventPattern } from './eventPattern.ts';

export type Target = SdkTarget & { readonly Id: string; readonly Arn: string };

export type Rule = {
  readonly name: string;
  readonly arn: string;
  readonly bus: string;
  pattern: { readonly source: string; readonly matches: EventPattern } | null;
  schedule: string | null;
  enabled: boolean;
  description: string | undefined;
  roleArn: string | undefined;
  tags: Readonly<Record<string, string>>;
  readonly targets: Map<string, Target>;
  /** Cancels the next run of a schedule. */
  cancel: (() => void) | null;
};

export type EventBus = { readonly name: string; readonly arn: string; readonly rules: Map<string, Rule> };
