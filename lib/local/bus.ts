/**
 * How one emulated service hands something to another: by the receiver's ARN, as AWS does. A service that
 * can receive registers under its ARN's service name; one that sends knows only the ARN.
 */
import { type Arn, parseArn } from './arn.ts';
import { ServiceError } from './service.ts';

export type ParcelAttribute = {
  readonly DataType: string;
  readonly StringValue?: string | undefined;
  readonly BinaryValue?: Uint8Array | undefined;
};

/** What is handed over. */
export type Parcel = {
  /** JSON for functions, state machines and buses; any text for queues and topics. */
  readonly body: string;
  /** The ARN of the sender: the rule, topic, alarm or function. */
  readonly from: string;
  readonly subject?: string;
  readonly attributes?: Readonly<Record<string, ParcelAttribute>>;
  readonly groupId?: string;
  readonly deduplicationId?: string;
  readonly traceId?: string;
};

/** Takes a parcel in; rejects with a `ServiceError` when the resource refuses or does not exist. */
export type Receive = (arn: Arn, parcel: Parcel) => Promise<unknown>;

export class Bus {
  readonly #receivers = new Map<string, Receive>();

  /** @param service as in the ARN: `lambda`, `sqs`, `sns`, `states`, `events`, `logs` */
  register(service: string, receive: Receive): void {
    this.#receivers.set(service, receive);
  }

  /** Resolves once the receiver holds the parcel. @throws ServiceError */
  async send(arn: string, parcel: Parcel): Promise<void> {
    const parsed = parseArn(arn);
    if (parsed === null) throw new ServiceError('InvalidArn', `${arn} is not an ARN`);
    const receive = this.#receivers.get(parsed.service);
    if (receive === undefined) throw new ServiceError('InvalidArn', `nothing receives for ${arn} here`);
    await receive(parsed, parcel);
  }
}
