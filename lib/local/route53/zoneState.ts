/** Hosted zones and their record sets. */
import type { ResourceRecordSet } from '@aws-sdk/client-route-53';
import { ServiceError } from '../service.ts';

export type Zone = {
  /** `Z` and capital letters and digits. */
  readonly id: string;
  /** With its final dot. */
  readonly name: string;
  readonly callerReference: string;
  readonly comment: string | undefined;
  readonly isPrivate: boolean;
  /** Names in lower case with their final dot, in Route 53's order. */
  records: readonly ResourceRecordSet[];
};

export class ZoneState {
  readonly zones = new Map<string, Zone>();

  /** By id, with or without `/hostedzone/`. @throws ServiceError `NoSuchHostedZone` */
  zone(id: string | undefined): Zone {
    const bare = (id ?? '').replace(/^\/?hostedzone\//, '');
    const zone = this.zones.get(bare);
    if (!zone) throw new ServiceError('NoSuchHostedZone', `No hosted zone found with ID: ${bare}`, 404);
    return zone;
  }
}

/** Lower case, with the final dot, and `*` as Route 53 writes it. */
export function canonicalName(name: string | undefined): string {
  const lower = (name ?? '').toLowerCase().replace(/^\*/, '\\052');
  return lower.endsWith('.') ? lower : `${lower}.`;
}

/** What tells record sets apart: name, type and, among weighted ones, the set identifier. */
export const recordKey = (record: ResourceRecordSet): string =>
  `${canonicalName(record.Name)} ${record.Type} ${record.SetIdentifier ?? ''}`;

/** Route 53 lists by name from the last label to the first, then by type, then by identifier. */
export function compareRecords(a: ResourceRecordSet, b: ResourceRecordSet): number {
  const order = (record: ResourceRecordSet) => [
    canonicalName(record.Name).split('.').reverse().join('.'),
    record.Type ?? '',
    record.SetIdentifier ?? '',
  ];
  const [left, right] = [order(a), order(b)];
  for (const i of [0, 1, 2]) {
    const [x = '', y = ''] = [left[i], right[i]];
    if (x !== y) return x < y ? -1 : 1;
  }
  return 0;
}
