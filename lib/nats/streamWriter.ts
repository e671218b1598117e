/**
 * Writes messages into a stream under the sequences they had: the inverse of reading one. Sequences that are
 * gaps are filled and deleted again. Every publication says which sequence it expects to follow, so a
 * repetition after a lost answer is refused rather than doubled, and the stream itself says where to go on.
 */
import type { StreamConfig } from '@nats-io/jetstream';
import type { Published, Publisher } from '../core/bridge/ports.ts';
import {
  headerPairs,
  MESSAGE_ID,
  originalHeaders,
  RENAMED_ID,
  STORED_AT,
  type StoredMessage,
} from '../core/bridge/streamCopy.ts';
import { supports } from './features.ts';
import type { NatsLink } from './natsLink.ts';

/** A message cannot be put where it belongs. */
class StreamUnwritable extends Error {
  override readonly name = 'StreamUnwritable';
}

/** What of a stream's configuration is kept with its copy, to make it again. */
export type StreamSettings = Partial<StreamConfig> & { readonly name: string };

const EXPECT = 'Nats-Expected-Last-Sequence';
/**
 * Every message is a new one here, whatever id it carries: the server is to look back no further than it
 * must.
 */
const DUPLICATE_WINDOW_NS = 100_000_000;

export class StreamWriter {
  readonly #link: NatsLink;
  readonly #publisher: Publisher;
  readonly #stream: string;
  /** Messages whose id the server takes for a repetition. */
  readonly #renamed = new Set<number>();
  #next = 0;
  /**
   * What the server's own count of sequences is behind the stream's: before 2.10, the count begins at 0 in a
   * stream that was purged to begin later, until the server is restarted.
   */
  #behind = 0;

  constructor(link: NatsLink, publisher: Publisher, stream: string) {
    this.#link = link;
    this.#publisher = publisher;
    this.#stream = stream;
  }

  /** The sequence that comes next. */
  get next(): number {
    return this.#next;
  }

  /**
   * Opens the stream; makes it as `settings` say, to begin at `first`, if it is not there.
   * @throws StreamUnwritable when it is there, empty, and cannot begin at `first`
   */
  async open(settings: StreamSettings | null, first: number): Promise<void> {
    const { api, version } = this.#link;
    let info = await api.streams.info(this.#stream).catch(() => null);
    if (info === null) {
      if (settings === null)
        throw new StreamUnwritable(`no stream ${this.#stream}, and nothing says how it was`);
      const begin = supports(version, 'first sequence') && first > 1 ? { first_seq: first } : {};
      info = await api.streams.add({
        ...settings,
        name: this.#stream,
        duplicate_window: DUPLICATE_WINDOW_NS,
        ...begin,
      });
    }
    if (info.state.messages === 0 && info.state.last_seq === 0 && first > 1) {
      // Before 2.10 a stream cannot be made to begin later, but purging an empty one up to a sequence does
      // it.
      await api.streams.purge(this.#stream, { seq: first });
      info = await api.streams.info(this.#stream);
    }
    this.#next = info.state.last_seq + 1;
    if (this.#next >= first) return;
    throw new StreamUnwritable(`${this.#stream} goes on at ${this.#next}, and the copy begins at ${first}`);
  }

  /**
   * Writes messages in order; those the stream has are passed over.
   * @throws StreamUnwritable
   */
  async write(messages: readonly StoredMessage[]): Promise<void> {
    let left = messages.filter(({ sequence }) => sequence >= this.#next);
    while (left.length > 0) {
      const before = this.#next;
      const run = runOf(left, this.#next);
      if (run.length === 0) await this.#fill((left[0] as StoredMessage).sequence);
      else await this.#publishRun(run);
      left = left.filter(({ sequence }) => sequence >= this.#next);
      if (this.#next === before)
        throw new StreamUnwritable(`${this.#stream} does not take sequence ${before}`);
    }
  }

  /** Publishes consecutive messages; moves `next` as far as the stream went. */
  async #publishRun(run: readonly StoredMessage[]): Promise<void> {
    const before = { next: this.#next, renamed: this.#renamed.size, behind: this.#behind };
    const results = await Promise.all(run.map((message) => this.#publish(message)));
    for (const [index, result] of results.entries()) {
      const { sequence, subject } = run[index] as StoredMessage;
      if (result.outcome === 'stored' && result.duplicate) this.#renamed.add(sequence);
      else if (result.outcome === 'stored' && result.sequence !== sequence) {
        const stored = `${this.#stream} stored ${sequence} as ${result.sequence}`;
        const message = `${stored}: somebody else writes to it`;
        throw new StreamUnwritable(message);
      } else if (result.outcome === 'refused' && result.code === 'NoStream') {
        throw new StreamUnwritable(`${this.#stream} does not take ${subject}`);
      }
    }
    await this.#sync(results);
    const learned = this.#renamed.size > before.renamed || this.#behind !== before.behind;
    if (this.#next === before.next && learned) await this.#publishRun(run);
  }

  /** Looks where the stream is, and learns how the server counts if it refused all. */
  async #sync(results: readonly Published[]): Promise<void> {
    const { state } = await this.#link.api.streams.info(this.#stream);
    const moved = state.last_seq + 1 > this.#next;
    this.#next = state.last_seq + 1;
    const [first] = results;
    const counted =
      first?.outcome === 'refused' ? /wrong last sequence: (\d+)/.exec(first.message)?.[1] : undefined;
    if (!moved && counted !== undefined) this.#behind = state.last_seq - Number(counted);
  }

  #publish(message: StoredMessage): Promise<Published> {
    const { sequence, subject, data, storedAtMs } = message;
    const headers = headerPairs(originalHeaders(message.headers)).map(([name, value]) =>
      name === MESSAGE_ID && this.#renamed.has(sequence)
        ? ([RENAMED_ID, value] as const)
        : ([name, value] as const),
    );
    const expected = [EXPECT, String(sequence - 1 - this.#behind)] as const;
    const stored = [STORED_AT, new Date(storedAtMs).toISOString()] as const;
    return this.#publisher.publish({
      subject,
      data,
      msgId: '',
      headers: [...headers, expected, stored],
      stream: this.#stream,
    });
  }

  /** Uses up the sequences before `sequence`: each is published as a filler and deleted. */
  async #fill(sequence: number): Promise<void> {
    const subject = await this.#fillerSubject();
    const from = this.#next;
    const fillers = Array.from({ length: Math.min(sequence - from, FILL_MAX) }, (_, i) => from + i);
    for (let tries = 0; tries < 2 && this.#next === from; tries++) {
      const results = fillers.map((filler) => {
        const headers = [[EXPECT, String(filler - 1 - this.#behind)] as const];
        return this.#publisher.publish({ subject, data: EMPTY, msgId: '', headers, stream: this.#stream });
      });
      await this.#sync(await Promise.all(results));
    }
    for (let filler = from; filler < this.#next; filler++) {
      await this.#link.api.streams.deleteMessage(this.#stream, filler, false).catch(() => false);
    }
  }

  async #fillerSubject(): Promise<string> {
    const { config } = await this.#link.api.streams.info(this.#stream);
    const [pattern = ''] = config.subjects;
    return pattern.replaceAll('*', 'gap').replace('>', 'gap');
  }
}

const EMPTY = new Uint8Array(0);
const FILL_MAX = 1_000;

/** The messages at the head that follow each other and the stream's end. */
function runOf(messages: readonly StoredMessage[], next: number): readonly StoredMessage[] {
  let length = 0;
  while (messages[length]?.sequence === next + length) length++;
  return messages.slice(0, length);
}
