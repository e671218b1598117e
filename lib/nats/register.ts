/**
 * Small values that all tasks of a bridge agree on, kept in a JetStream stream of their own: one message per
 * key, replaced only by who knows the revision it replaces. Needs nothing newer than nats-server 2.9.
 */
import { RetentionPolicy, StorageType } from '@nats-io/jetstream';
import type { Publisher } from '../core/bridge/ports.ts';
import type { NatsLink } from './natsLink.ts';

export type Registered = { readonly value: unknown; readonly revision: number };

/** The register's stream cannot be used. */
class RegisterUnavailable extends Error {
  override readonly name = 'RegisterUnavailable';
}

const STREAM = 'SWITCHBACK_BRIDGE';
const PREFIX = 'switchback.bridge';
/** API error code of nats-server: "no message found". */
const NO_MESSAGE = 10037;

export class Register {
  readonly #link: NatsLink;
  readonly #publisher: Publisher;

  constructor(link: NatsLink, publisher: Publisher) {
    this.#link = link;
    this.#publisher = publisher;
  }

  /** Makes the stream if it is not there. */
  async ensure(): Promise<void> {
    await this.#link.api.streams.add({
      name: STREAM,
      subjects: [`${PREFIX}.>`],
      retention: RetentionPolicy.Limits,
      storage: StorageType.File,
      max_msgs_per_subject: 1,
    });
  }

  /** The value of a key and its revision; revision 0 when there is none. */
  async get(key: string): Promise<Registered> {
    try {
      const message = await this.#link.api.streams.getMessage(STREAM, { last_by_subj: subjectOf(key) });
      if (message === null) return { value: null, revision: 0 };
      return { value: message.json(), revision: message.seq };
    } catch (error) {
      if ((error as { code?: number }).code === NO_MESSAGE || /no message/i.test((error as Error).message)) {
        return { value: null, revision: 0 };
      }
      throw new RegisterUnavailable(`${STREAM}: ${(error as Error).message}`, { cause: error });
    }
  }

  /**
   * Replaces the value that has this revision.
   * @returns the new revision; null when another value is there by now
   */
  async put(key: string, value: unknown, revision: number): Promise<number | null> {
    const published = await this.#publisher.publish({
      subject: subjectOf(key),
      msgId: '',
      data: Buffer.from(JSON.stringify(value)),
      headers: [['Nats-Expected-Last-Subject-Sequence', String(revision)]],
      stream: STREAM,
    });
    if (published.outcome === 'stored') return published.sequence;
    if (published.outcome === 'refused' && published.permanent) return null;
    throw new RegisterUnavailable(`${STREAM}: ${published.message}`);
  }
}

/** Keys are free text; subjects are not. */
function subjectOf(key: string): string {
  return `${PREFIX}.${Buffer.from(key).toString('base64url')}`;
}
