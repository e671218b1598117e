/** A stream's messages up to a sequence, block by block. */
import { blockOf, type StoredMessage } from '../../core/bridge/streamCopy.ts';
import type { StreamReader } from '../../nats/streamReader.ts';

const READ_MAX = 1_000;
const WAIT_MS = 500;

export class BlockSource {
  readonly #reader: StreamReader;
  readonly #through: number;
  #ahead: StoredMessage[] = [];

  constructor(reader: StreamReader, through: number) {
    this.#reader = reader;
    this.#through = through;
  }

  async block(block: number): Promise<readonly StoredMessage[]> {
    const complete = () => this.#ahead.some(({ sequence }) => blockOf(sequence) > block);
    while (!complete() && !this.#reader.caughtUp)
      this.#ahead.push(...(await this.#reader.read(READ_MAX, WAIT_MS)));
    const inBlock = this.#ahead.filter(({ sequence }) => blockOf(sequence) === block);
    this.#ahead = this.#ahead.filter(({ sequence }) => blockOf(sequence) > block);
    return inBlock.filter(({ sequence }) => sequence <= this.#through);
  }
}
