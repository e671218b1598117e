/** Lists as Step Functions pages them. */
import { pageOf } from '../page.ts';
import { ServiceError } from '../service.ts';

/** A page holds 100 where nothing, or 0, is said, and 1000 at most. @throws ServiceError InvalidToken */
export function page<T>(all: readonly T[], maxResults: number | undefined, nextToken: string | undefined) {
  const found = pageOf(all, Math.min(maxResults || 100, 1000), nextToken);
  if (found === null) throw new ServiceError('InvalidToken', `Invalid Token: '${nextToken}'`);
  return found;
}
