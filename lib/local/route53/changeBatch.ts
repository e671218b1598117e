/**
 * A batch of changes to a zone: all of them or none. Rules: Route 53 reference, `ChangeResourceRecordSets`
 * and `ResourceRecordSet`.
 */
import type { Change, ResourceRecordSet } from '@aws-sdk/client-route-53';
import { canonicalName, compareRecords, recordKey, type Zone } from './zoneState.ts';

export type Outcome =
  | { readonly records: readonly ResourceRecordSet[] }
  /** One sentence per refused change. */
  | { readonly refused: readonly string[] };

/** Weights of record sets are 0 to 255 (ResourceRecordSet reference). */
const WEIGHT_MAX = 255;
const TYPES = ['A', 'AAAA', 'CAA', 'CNAME', 'MX', 'NS', 'PTR', 'SOA', 'SPF', 'SRV', 'TXT'];
const OTHER_POLICIES = [
  'Region',
  'GeoLocation',
  'Failover',
  'MultiValueAnswer',
  'CidrRoutingConfig',
  'GeoProximityLocation',
] as const;

/** The zone's records after the batch. */
export function applyChanges(zone: Zone, changes: readonly Change[]): Outcome {
  const records = new Map(zone.records.map((record) => [recordKey(record), record]));
  const refused = changes.flatMap((change) => applyOne(zone, records, change) ?? []);
  if (refused.length > 0) return { refused };
  return { records: [...records.values()].sort(compareRecords) };
}

/** The sentence that refuses it; null when it was applied. */
function applyOne(zone: Zone, records: Map<string, ResourceRecordSet>, change: Change): string | null {
  const given = change.ResourceRecordSet;
  if (!given) return 'Expected a ResourceRecordSet';
  const record = { ...given, Name: canonicalName(given.Name) };
  const set = `resource record set [name='${record.Name}', type='${record.Type}']`;
  const wrong = checkRecord(zone, record);
  if (wrong) return `Invalid ${set}: ${wrong}`;
  const key = recordKey(record);
  const present = records.get(key);
  switch (change.Action) {
    case 'CREATE':
      if (present) return `Tried to create ${set} but it already exists`;
      break;
    case 'DELETE':
      if (!present) return `Tried to delete ${set} but it was not found`;
      if (!sameValues(present, record))
        return `Tried to delete ${set} but the values provided do not match the current values`;
      records.delete(key);
      return null;
    case 'UPSERT':
      break;
    default:
      return `The action ${change.Action} is not one of CREATE, DELETE and UPSERT`;
  }
  const clash = [...records.values()].find((other) => other !== present && clashes(other, record));
  if (clash)
    return (
      `RRSet with DNS name ${record.Name}, type ${record.Type} cannot be created as other ` +
      `RRSets exist with the same name and type that are ${clash.SetIdentifier ? 'weighted' : 'simple'}`
    );
  records.set(key, record);
  return null;
}

function checkRecord(zone: Zone, record: ResourceRecordSet): string | null {
  const { Type: type = '', Weight: weight, SetIdentifier: set, TTL: ttl, AliasTarget: alias } = record;
  if (!`.${record.Name}`.endsWith(`.${zone.name}`)) return `it is not permitted in zone ${zone.name}`;
  if (!TYPES.includes(type)) return `the type ${type} is not one of ${TYPES.join(', ')}`;
  const policy = OTHER_POLICIES.find((name) => record[name] !== undefined);
  if (policy) return `routing by ${policy} is not emulated by the local cloud`;
  if ((weight === undefined) !== (set === undefined))
    return 'Weight and SetIdentifier must be given together';
  if (weight !== undefined && (!Number.isInteger(weight) || weight < 0 || weight > WEIGHT_MAX))
    return `the weight ${weight} must be a whole number from 0 to ${WEIGHT_MAX}`;
  const values = record.ResourceRecords ?? [];
  if (alias)
    return ttl !== undefined || values.length > 0 ? 'an alias has neither TTL nor resource records' : null;
  if (ttl === undefined || ttl < 0) return 'a TTL is needed';
  if (values.length === 0) return 'at least one resource record is needed';
  if (type === 'CNAME' && record.Name === zone.name)
    return `RRSet of type CNAME is not permitted at apex in zone ${zone.name}`;
  return null;
}

/** One name and type is either simple or weighted; a CNAME stands alone at its name. */
function clashes(other: ResourceRecordSet, record: ResourceRecordSet): boolean {
  if (canonicalName(other.Name) !== record.Name) return false;
  if (other.Type === record.Type)
    return (other.SetIdentifier === undefined) !== (record.SetIdentifier === undefined);
  return other.Type === 'CNAME' || record.Type === 'CNAME';
}

const sameValues = (a: ResourceRecordSet, b: ResourceRecordSet): boolean => {
  const values = (record: ResourceRecordSet) =>
    JSON.stringify([
      record.TTL,
      record.Weight,
      record.AliasTarget?.DNSName,
      (record.ResourceRecords ?? []).map(({ Value }) => Value).sort(),
    ]);
  return values(a) === values(b);
};
