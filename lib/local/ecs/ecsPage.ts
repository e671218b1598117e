/** Paging as ECS does it: `maxResults` from 1 to 100, `nextToken`. */
import { type Page, pageOf } from '../page.ts';
import { ServiceError } from '../service.ts';

type Paged = { readonly nextToken?: string | undefined; readonly maxResults?: number | undefined };

/** @throws ServiceError `InvalidParameterException` */
export function pageFor<T>(all: readonly T[], { nextToken, maxResults }: Paged, usual: number): Page<T> {
  const size = maxResults ?? usual;
  if (size < 1 || size > 100)
    throw new ServiceError('InvalidParameterException', 'maxResults must be between 1 and 100.');
  const page = pageOf(all, size, nextToken);
  if (page === null) throw new ServiceError('InvalidParameterException', 'Invalid token.');
  return page;
}
