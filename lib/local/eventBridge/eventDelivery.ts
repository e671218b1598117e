/**
 * One event to one target, retried with growing pauses while the target is unwell, and given to the
 * target's dead-letter queue when that is in vain or pointless.
 */
import type { Clock } from '../../asl/clock.ts';
import { parseArn } from '../arn.ts';
import type { Bus, Parcel } from '../bus.ts';
import type { Json } from '../json.ts';
import { ServiceError } from '../service.ts';
import { targetInput } from './inputTransformer.ts';
import type { Rule, Target } from './rule.ts';

/** EventBridge's own defaults: for 24 hours, 185 times at most. */
const ageSecondsMax = 86_400;
const retriesMax = 185;
const pauseMs = { first: 1_000, longest: 600_000 };

export type DeliveryWorld = {
  readonly bus: Bus;
  readonly clock: Clock;
  /** Aborted when the cloud closes: nothing is tried again. */
  readonly closing: AbortSignal;
};
type Delivery = {
  readonly rule: Rule;
  readonly target: Target;
  readonly parcel: Parcel;
  readonly since: number;
};

/** Starts the delivery; what becomes of it is between EventBridge and the target. */
export function deliverEvent(
  world: DeliveryWorld,
  rule: Rule,
  target: Target,
  event: Json,
  traceId?: string,
): void {
  const parcel: Parcel = {
    body: bodyFor(target, targetInput(event, target, rule)),
    from: rule.arn,
    ...(target.SqsParameters?.MessageGroupId === undefined
      ? {}
      : { groupId: target.SqsParameters.MessageGroupId }),
    ...(traceId === undefined ? {} : { traceId }),
  };
  void attempt(world, { rule, target, parcel, since: world.clock.now() }, 0);
}

async function attempt(world: DeliveryWorld, delivery: Delivery, retries: number): Promise<void> {
  if (world.closing.aborted) return;
  const { target, parcel, since } = delivery;
  try {
    await world.bus.send(target.Arn, parcel);
  } catch (error) {
    const policy = target.RetryPolicy ?? {};
    const pause = Math.min(pauseMs.longest, pauseMs.first * 2 ** retries);
    const ageMs = world.clock.now() + pause - since;
    if (!isPassing(error)) return giveUp(world, delivery, error, retries, 'NonRetryable');
    if (retries >= (policy.MaximumRetryAttempts ?? retriesMax)) {
      return giveUp(world, delivery, error, retries, 'MaximumRetryAttempts');
    }
    if (ageMs > 1000 * (policy.MaximumEventAgeInSeconds ?? ageSecondsMax)) {
      return giveUp(world, delivery, error, retries, 'MaximumEventAgeInSeconds');
    }
    world.clock.schedule(pause, () => void attempt(world, delivery, retries + 1));
  }
}

/** Throttles and server errors pass; a missing target or a refused input does not. */
function isPassing(error: unknown): boolean {
  if (!(error instanceof ServiceError)) return true;
  return (
    error.status >= 500 || error.status === 429 || /Throttl|TooManyRequests|LimitExceeded/.test(error.name)
  );
}

async function giveUp(
  world: DeliveryWorld,
  delivery: Delivery,
  error: unknown,
  retries: number,
  condition: string,
) {
  const { rule, target, parcel } = delivery;
  const queue = target.DeadLetterConfig?.Arn;
  if (queue === undefined) return;
  const text = (StringValue: string) => ({ DataType: 'String', StringValue });
  const number = (value: number) => ({ DataType: 'Number', StringValue: String(value) });
  const attributes = {
    RULE_ARN: text(rule.arn),
    TARGET_ARN: text(target.Arn),
    ERROR_CODE: text((error as Error).name),
    ERROR_MESSAGE: text((error as Error).message),
    EXHAUSTED_RETRY_CONDITION: text(condition),
    RETRY_ATTEMPTS: number(retries),
  };
  // A dead-letter queue that refuses loses the event, as on AWS.
  await world.bus.send(queue, { ...parcel, attributes }).catch(() => undefined);
}

/** Queues and topics take the text of a JSON string without its quotes; everything else takes JSON. */
function bodyFor(target: Target, input: string): string {
  const service = parseArn(target.Arn)?.service;
  if (service !== 'sqs' && service !== 'sns') return input;
  try {
    const parsed: unknown = JSON.parse(input);
    return typeof parsed === 'string' ? parsed : input;
  } catch {
    return input;
  }
}
