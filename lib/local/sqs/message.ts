/** A message as its queue keeps it, and the receipt handle that stands for one receive of it. */
import type { ParcelAttribute } from '../bus.ts';
import { ServiceError } from '../service.ts';

export type Message = {
  readonly id: string;
  readonly body: string;
  readonly attributes: Readonly<Record<string, ParcelAttribute>>;
  readonly traceHeader: string | null;
  /** Milliseconds since the epoch, as every moment here. */
  readonly sentAt: number;
  readonly senderId: string;
  readonly groupId: string | null;
  readonly deduplicationId: string | null;
  readonly sequenceNumber: string | null;
  /** The ARN of the queue that gave up on it; null when it was sent here. */
  readonly deadLetterSource: string | null;
  visibleAt: number;
  receiveCount: number;
  firstReceivedAt: number | null;
  inFlight: boolean;
};

export type NewMessage = {
  readonly body: string;
  readonly attributes?: Readonly<Record<string, ParcelAttribute>>;
  readonly traceHeader?: string | undefined;
  readonly delaySeconds?: number | undefined;
  readonly senderId?: string;
  readonly groupId?: string | undefined;
  readonly deduplicationId?: string | undefined;
};

export type Received = { readonly message: Message; readonly receiptHandle: string };

export const handleOf = ({ id, receiveCount }: Message): string =>
  Buffer.from(`${id}#${receiveCount}`).toString('base64url');

/** @throws ServiceError ReceiptHandleIsInvalid */
export function readHandle(receiptHandle: string): { readonly id: string; readonly receiveCount: number } {
  const [id, count] = Buffer.from(receiptHandle, 'base64url').toString().split('#');
  if (id?.length !== 36 || count === undefined) {
    const sentence = `The input receipt handle "${receiptHandle}" is not a valid receipt handle.`;
    throw new ServiceError('ReceiptHandleIsInvalid', sentence, 404);
  }
  return { id, receiveCount: Number(count) };
}

/** What counts against the size limit: the body and the attributes' names, types and values. */
export function messageBytes({ body, attributes = {} }: NewMessage): number {
  const parts = Object.entries(attributes).map(
    ([name, { DataType, StringValue, BinaryValue }]) =>
      Buffer.byteLength(name) +
      Buffer.byteLength(DataType) +
      Buffer.byteLength(StringValue ?? '') +
      (BinaryValue?.length ?? 0),
  );
  return parts.reduce((sum, bytes) => sum + bytes, Buffer.byteLength(body));
}
