/** Records of the event table's stream: each HEAD image holds the newest events, the table has them all. */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { viewOf } from '../../core/eventStore/storedHead.ts';
import type { Delivery } from '../../ports.ts';
import { headOf } from '../eventStore/items.ts';

export type StreamEvent = {
  readonly Records: readonly {
    readonly dynamodb?: {
      readonly SequenceNumber?: string;
      /** Seconds since the epoch. */
      readonly ApproximateCreationDateTime?: number;
      readonly NewImage?: Record<string, AttributeValue>;
    };
  }[];
};

export type StreamDelivery = Delivery & { readonly sequenceNumber: string };

/**
 * Only HEAD items: the mapping filters for them, and a record without an image (a deletion) is no news.
 * @param now epoch milliseconds
 */
export const deliveriesOf = ({ Records }: StreamEvent, now: number): StreamDelivery[] =>
  Records.flatMap(({ dynamodb }) => {
    const image = dynamodb?.NewImage;
    if (image === undefined || image.sk?.N !== '0' || !image.pk?.S?.startsWith('S#')) return [];
    const { stream, tail, version } = viewOf(headOf(image));
    const { SequenceNumber = '', ApproximateCreationDateTime: created } = dynamodb ?? {};
    const age = created === undefined ? {} : { ageSeconds: Math.max(0, now / 1000 - created) };
    return [{ stream, events: tail, version, sequenceNumber: SequenceNumber, ...age }];
  });

/** Lambda delivers again from the first failed record on; the checkpoints drop what was done meanwhile. */
export function firstFailure(deliveries: readonly StreamDelivery[], again: readonly Delivery[]) {
  const first = deliveries.find((delivery) => again.includes(delivery));
  return { batchItemFailures: first === undefined ? [] : [{ itemIdentifier: first.sequenceNumber }] };
}
