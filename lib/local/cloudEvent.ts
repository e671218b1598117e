/**
 * What an emulated service tells the event bus: everything of an EventBridge event that the service itself
 * knows. The bus adds version, id, account and region.
 */

export type CloudEvent = {
  /** `aws.ecs`, `aws.cloudwatch` … */
  readonly source: string;
  readonly detailType: string;
  readonly time: Date;
  readonly resources: readonly string[];
  readonly detail: Readonly<Record<string, unknown>>;
};

/** Hands an event to the bus. A service never waits for it and never fails because of it. */
export type Publish = (event: CloudEvent) => void;

/** Where the emulated resources live: the two fields every ARN carries. */
export type Place = { readonly region: string; readonly account: string };
