/**
 * Paging as AWS services do it: an opaque token that says where to go on. A token from elsewhere is refused
 * by the caller, which knows its service's error.
 */

export type Page<T> = { readonly items: readonly T[]; readonly next: string | undefined };

/** The page of at most `size` items that `token` points at; null when the token is not one of ours. */
export function pageOf<T>(all: readonly T[], size: number, token: string | undefined): Page<T> | null {
  const start = token === undefined || token === '' ? 0 : readToken(token);
  if (start === null || start > all.length) return null;
  const end = start + size;
  return { items: all.slice(start, end), next: end < all.length ? writeToken(end) : undefined };
}

const writeToken = (offset: number): string => Buffer.from(`offset:${offset}`).toString('base64url');

function readToken(token: string): number | null {
  const found = /^offset:(\d+)$/.exec(Buffer.from(token, 'base64url').toString());
  return found ? Number(found[1]) : null;
}
