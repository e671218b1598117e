/** Hashes of a stream's messages in blocks of sequences, chained: equal chains, equal copies. */
import { createHash, type Hash, hash } from 'node:crypto';
import { blockOf, hashedHead, type StoredMessage } from '../../core/bridge/streamCopy.ts';

/** The chain after a complete block. */
export type ChainLink = { readonly block: number; readonly counted: number; readonly chain: string };

export class BlockChain {
  #last: ChainLink;
  #block: number;
  #inBlock = 0;
  #hash: Hash = createHash('sha256');

  constructor(from: ChainLink) {
    this.#last = from;
    this.#block = from.block + 1;
  }

  /** Messages in order of their sequence; answers the blocks that are complete by this one. */
  add(message: StoredMessage): ChainLink | null {
    const block = blockOf(message.sequence);
    const completed = block > this.#block ? this.#complete(block) : null;
    this.#hash.update(hashedHead(message));
    this.#hash.update(message.data);
    this.#inBlock++;
    return completed;
  }

  #complete(next: number): ChainLink {
    const chain = hash('sha256', `${this.#last.chain} ${this.#block} ${this.#hash.digest('hex')}`);
    this.#last = { block: next - 1, counted: this.#last.counted + this.#inBlock, chain };
    this.#block = next;
    this.#inBlock = 0;
    this.#hash = createHash('sha256');
    return this.#last;
  }
}

/** One block's digest by itself. */
export function blockDigest(messages: readonly StoredMessage[]): string {
  const digest = createHash('sha256');
  for (const message of messages) {
    digest.update(hashedHead(message));
    digest.update(message.data);
  }
  return digest.digest('hex');
}
