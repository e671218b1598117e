/**
 * Replays a stream's hashes as they were when each event was added, and finds the first that does not
 * follow.
 */

import type { Commit } from './commit.ts';
import { chainHash, type Digest } from './hashChain.ts';

export type Chain = {
  readonly stream: string;
  /** The newest version that follows from the beginning. */
  readonly version: number;
  readonly hash: string;
  readonly brokenAt: number | null;
};

export const chainStart = (stream: string): Chain => ({ stream, version: 0, hash: '', brokenAt: null });

/** Goes on with the commit that is said to begin at `first`; a break is final, and so is a gap. */
export function followChain(chain: Chain, first: number, commit: Commit, digest: Digest): Chain {
  let { version, hash } = chain;
  if (chain.brokenAt !== null) return chain;
  if (first !== version + 1) return { ...chain, brokenAt: version + 1 };
  const { command: commandId, correlation: correlationId, actor } = commit;
  for (const stored of commit.events) {
    const content = { schema: stored.schema ?? 1, commandId, correlationId, actor, event: stored.event };
    const follows = chainHash(digest, {
      stream: chain.stream,
      version: version + 1,
      previous: hash,
      ...content,
    });
    if (follows !== stored.hash) return { ...chain, version, hash, brokenAt: version + 1 };
    hash = follows;
    version++;
  }
  return { ...chain, version, hash };
}

/** The chain is whole when it ends where HEAD says, with the hash HEAD holds. */
export function endChain(
  chain: Chain,
  head: { readonly version: number; readonly hash: string },
): { readonly version: number; readonly brokenAt: number | null } {
  const { version } = head;
  if (chain.brokenAt !== null) return { version, brokenAt: chain.brokenAt };
  if (chain.version < version) return { version, brokenAt: chain.version + 1 };
  return { version, brokenAt: chain.hash === head.hash ? null : version };
}
