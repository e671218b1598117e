/** What every group of operations works with, and what they share: paging, tags, ids. */
import type { Tag } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { Place } from '../cloudEvent.ts';
import { pageOf } from '../page.ts';
import { ServiceError } from '../service.ts';
import type { ProxyWorld } from './balancerAnswers.ts';

export type ElbDesk = ProxyWorld & {
  readonly place: Place;
  /** Takes what AWS would have refused. */
  readonly note: (text: string) => void;
};

/** ELBv2 reference: `PageSize` 1 to 400. */
const PAGE_MAX = 400;

type Paged = { readonly Marker?: string | undefined; readonly PageSize?: number | undefined };

/** @throws ServiceError `ValidationError` */
export function pageFor<T>(all: readonly T[], { Marker, PageSize = PAGE_MAX }: Paged) {
  if (PageSize < 1 || PageSize > PAGE_MAX)
    throw new ServiceError('ValidationError', `PageSize must be between 1 and ${PAGE_MAX}`);
  const page = pageOf(all, PageSize, Marker);
  if (page === null) throw new ServiceError('ValidationError', 'The marker is invalid');
  return page;
}

export const tagMap = (tags: readonly Tag[] | undefined): Map<string, string> =>
  new Map((tags ?? []).map(({ Key, Value }) => [Key ?? '', Value ?? '']));

/** Sixteen hexadecimal digits, as at the end of ELB's ARNs. */
export const newId = ({ random }: ElbDesk): string =>
  Array.from({ length: 16 }, () => Math.floor(random() * 16).toString(16)).join('');

export const arnOf = ({ region, account }: Place, resource: string): string =>
  `arn:aws:elasticloadbalancing:${region}:${account}:${resource}`;

/** Names: ELBv2 reference, `CreateLoadBalancer` and `CreateTargetGroup`. @throws ServiceError */
export function checkName(name: string, what: string): void {
  if (!/^(?!internal-)(?!-)[a-zA-Z0-9-]{1,32}(?<!-)$/.test(name))
    throw new ServiceError(
      'ValidationError',
      `${what} name '${name}' must have 1 to 32 letters, digits or hyphens, and not begin or ` +
        'end with a hyphen',
    );
}

/** A member of `given` that nothing here obeys. @throws ServiceError */
export function refuseMembers(given: object, names: readonly string[]): void {
  for (const [name, value] of Object.entries(given))
    if (value !== undefined && names.includes(name))
      throw new ServiceError(
        'InvalidConfigurationRequestException',
        `${name} is not emulated by the local cloud`,
      );
}
