/**
 * Streams of a few dozen events in a table that is there anyway, keyed StreamName and SequenceNumber: each
 * stream is one item, its HEAD with every event in it, appended to by one conditional write. For whoever has
 * no event table; the events are chained by their hashes as they are there.
 */
import { hash } from 'node:crypto';
import type { Recorded } from '../../../events/recorded.ts';
import type { Append, Appended, Head } from '../../core/eventStore/append.ts';
import { commitOf } from '../../core/eventStore/commit.ts';
import {
  answerFrom,
  emptyHead,
  type StoredHead,
  viewOf,
  withCommit,
} from '../../core/eventStore/storedHead.ts';
import type { ItemTable } from './itemTable.ts';

const sha256 = (text: string): string => hash('sha256', text, 'base64url');

export class ItemEventStore {
  readonly #table: ItemTable;

  constructor(table: ItemTable) {
    this.#table = table;
  }

  /** @throws TableUnavailable */
  async head(stream: string): Promise<Head> {
    return viewOf(await this.#read(stream));
  }

  /**
   * An item ends at 400 KB, after some thousand events.
   * @throws TableUnavailable
   */
  async append(stream: string, append: Append): Promise<Appended> {
    const head = await this.#read(stream);
    const answer = answerFrom(head, append, sha256);
    if (answer !== null) return answer;
    const commit = commitOf(head, append, sha256, (text) => Buffer.byteLength(text));
    const next = withCommit(head, commit, append, sha256);
    const item = {
      StreamName: { S: stream },
      SequenceNumber: { N: '0' },
      Version: { N: String(next.version) },
      Record: { S: JSON.stringify(next) },
    };
    const guard = head.version === 0 ? null : { name: 'Version', number: head.version };
    if (!(await this.#table.put(item, guard))) {
      // Somebody was first, or the answer to this very write was lost.
      const there = await this.#read(stream);
      return answerFrom(there, append, sha256) ?? { outcome: 'conflict', head: viewOf(there) };
    }
    const { version } = next;
    return { outcome: 'appended', version, events: viewOf(next).tail.slice(head.version) };
  }

  /** @throws TableUnavailable */
  async *read(stream: string, from = 1): AsyncGenerator<Recorded> {
    yield* viewOf(await this.#read(stream)).tail.slice(from - 1);
  }

  async #read(stream: string): Promise<StoredHead> {
    const item = await this.#table.get({ partition: stream, sequence: '0' });
    return item === null ? emptyHead(stream) : (JSON.parse(item.Record?.S ?? '') as StoredHead);
  }
}
