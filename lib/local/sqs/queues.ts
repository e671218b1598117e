/** All queues, by name: created, found by address or ARN, and joined to their dead-letter queues. */
import type { Clock } from '../../asl/clock.ts';
import { formatArn, parseArn } from '../arn.ts';
import type { Bus } from '../bus.ts';
import type { Place } from '../cloudEvent.ts';
import { ServiceError } from '../service.ts';
import type { Message } from './message.ts';
import { Queue } from './queue.ts';
import { checkAttributes, settingsOf } from './queueAttributes.ts';

type Attributes = Readonly<Record<string, string>>;

export class Queues {
  readonly #clock: Clock;
  readonly #queues = new Map<string, Queue>();

  /** @param deps.bus takes parcels for queues from then on */
  constructor(deps: { readonly clock: Clock; readonly bus: Bus }) {
    this.#clock = deps.clock;
    deps.bus.register('sqs', async (arn, parcel) => {
      const queue = this.byArn(formatArn('sqs', arn, arn.resource));
      return queue.send({
        body: parcel.body,
        ...(parcel.attributes === undefined ? {} : { attributes: parcel.attributes }),
        groupId: parcel.groupId,
        deduplicationId: parcel.deduplicationId,
        traceHeader: parcel.traceId,
      });
    });
  }

  get all(): readonly Queue[] {
    return [...this.#queues.values()];
  }

  /** Creates a queue, or answers the one of this name if its attributes are the same. @throws ServiceError */
  create(name: string, attributes: Attributes, place: Place): Queue {
    checkAttributes(attributes);
    if (!/^[\w-]{1,80}$|^[\w-]{1,75}\.fifo$/.test(name)) {
      throw new ServiceError('InvalidParameterValue', `Can only include letters, digits, - and _: ${name}`);
    }
    if ((attributes.FifoQueue === 'true') !== name.endsWith('.fifo')) {
      throw new ServiceError(
        'InvalidParameterValue',
        'The name of a FIFO queue can only end in .fifo, with FifoQueue true',
      );
    }
    const known = this.#queues.get(name);
    if (known !== undefined) {
      const differs = Object.entries(attributes).find(([key, value]) => known.attributes[key] !== value);
      if (differs === undefined) return known;
      const sentence = 'A queue already exists with the same name and a different value for attribute';
      throw new ServiceError('QueueNameExists', `${sentence} ${differs[0]}`);
    }
    const queue = new Queue(
      { name, arn: formatArn('sqs', place, name) },
      { settings: settingsOf(attributes), attributes },
      { clock: this.#clock, deadLetter: (from, message) => this.#deadLetter(from, message) },
    );
    this.#queues.set(name, queue);
    return queue;
  }

  configure(queue: Queue, changes: Attributes): void {
    checkAttributes(changes);
    queue.attributes = { ...queue.attributes, ...changes };
    queue.settings = settingsOf(queue.attributes);
    queue.changedAt = this.#clock.now();
  }

  remove(queue: Queue): void {
    queue.close();
    this.#queues.delete(queue.name);
  }

  /** @throws ServiceError QueueDoesNotExist */
  byName(name: string): Queue {
    const queue = this.#queues.get(name);
    if (queue === undefined)
      throw new ServiceError('QueueDoesNotExist', 'The specified queue does not exist.');
    return queue;
  }

  /** By the last part of `http://host/<account>/<name>`. @throws ServiceError QueueDoesNotExist */
  byUrl(url: string): Queue {
    return this.byName(url.split('/').at(-1) ?? '');
  }

  /** @throws ServiceError QueueDoesNotExist */
  byArn(arn: string): Queue {
    return this.byName(parseArn(arn)?.resource ?? '');
  }

  /** The queues that give their failed messages to this one. */
  sourcesOf(queue: Queue): readonly Queue[] {
    return this.all.filter((other) => other.settings.redrive?.deadLetterTargetArn === queue.arn);
  }

  /** Gives a dead-letter queue's messages back to where they came from, or to `target`; answers how many. */
  redrive(queue: Queue, target: Queue | null): number {
    const messages = queue.takeAll();
    for (const message of messages) {
      const back =
        target ?? (message.deadLetterSource === null ? queue : this.byArn(message.deadLetterSource));
      back.adopt(message, null);
    }
    return messages.length;
  }

  close(): void {
    for (const queue of this.#queues.values()) queue.close();
  }

  /** A message whose dead-letter queue does not exist is dropped, as on AWS. */
  #deadLetter(from: Queue, message: Message): void {
    const name = parseArn(from.settings.redrive?.deadLetterTargetArn ?? '')?.resource;
    this.#queues.get(name ?? '')?.adopt(message, from.arn);
  }
}
