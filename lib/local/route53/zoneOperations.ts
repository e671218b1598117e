/** Route 53's API: zones, changes, records, and the answer a resolver would get. */
import type {
  ChangeResourceRecordSetsCommandInput,
  CreateHostedZoneCommandInput,
  ListResourceRecordSetsCommandInput,
  ResourceRecordSet,
  TestDNSAnswerCommandInput,
} from '@aws-sdk/client-route-53';
import type { Clock } from '../../asl/clock.ts';
import type { Random } from '../random.ts';
import { type Operation, ServiceError } from '../service.ts';
import { applyChanges } from './changeBatch.ts';
import { canonicalName, compareRecords, type Zone, type ZoneState } from './zoneState.ts';

export type ZoneDesk = {
  readonly state: ZoneState;
  readonly clock: Clock;
  readonly random: Random;
  /** How long a change is PENDING before it is INSYNC; within 60 s on AWS. */
  readonly propagationSeconds: number;
};

/** ListResourceRecordSets reference: at most 300 a page. */
const PAGE_MAX = 300;
const NAME_SERVERS = ['ns-1.local.', 'ns-2.local.'];

type ById = { Id?: string };
type ChangeInfo = { readonly Id: string; readonly Status: string; readonly SubmittedAt: Date };

export function zoneOperations(desk: ZoneDesk): Readonly<Record<string, Operation>> {
  const { state, clock } = desk;
  const changes = new Map<string, number>();
  const infoOf = (id: string) => {
    const submittedMs = changes.get(id) ?? clock.now();
    const insync = clock.now() - submittedMs >= desk.propagationSeconds * 1000;
    return { Id: `/change/${id}`, Status: insync ? 'INSYNC' : 'PENDING', SubmittedAt: new Date(submittedMs) };
  };
  const newChange = () => {
    const id = `C${letters(desk.random, 13)}`;
    changes.set(id, clock.now());
    return infoOf(id);
  };
  return {
    ...hostedZoneOperations(desk, newChange),
    ChangeResourceRecordSets: (input: ChangeResourceRecordSetsCommandInput) => {
      const zone = state.zone(input.HostedZoneId);
      const outcome = applyChanges(zone, input.ChangeBatch?.Changes ?? []);
      if ('refused' in outcome) throw invalidBatch(outcome.refused);
      zone.records = outcome.records;
      return { ChangeInfo: { ...newChange(), Comment: input.ChangeBatch?.Comment } };
    },
    GetChange: ({ Id }: ById) => {
      const id = (Id ?? '').replace(/^\/?change\//, '');
      if (!changes.has(id))
        throw new ServiceError('NoSuchChange', `Could not find resource with ID: ${id}`, 404);
      return { ChangeInfo: infoOf(id) };
    },
    ListResourceRecordSets: (input: ListResourceRecordSetsCommandInput) =>
      listRecords(state.zone(input.HostedZoneId), input),
    TestDNSAnswer: (input: TestDNSAnswerCommandInput) => ({
      Nameserver: NAME_SERVERS[0],
      RecordName: canonicalName(input.RecordName),
      RecordType: input.RecordType,
      Protocol: 'UDP',
      ...answerOf(state.zone(input.HostedZoneId), input, desk.random),
    }),
  };
}

function hostedZoneOperations(
  desk: ZoneDesk,
  newChange: () => ChangeInfo,
): Readonly<Record<string, Operation>> {
  const { state } = desk;
  return {
    CreateHostedZone: (input: CreateHostedZoneCommandInput) => {
      const zone = createZone(desk, input);
      return {
        HostedZone: wireZone(zone),
        ChangeInfo: newChange(),
        DelegationSet: { NameServers: NAME_SERVERS },
        Location: `https://route53.amazonaws.com/2013-04-01/hostedzone/${zone.id}`,
      };
    },
    GetHostedZone: ({ Id }: ById) => ({
      HostedZone: wireZone(state.zone(Id)),
      DelegationSet: { NameServers: NAME_SERVERS },
    }),
    ListHostedZones: () => ({
      HostedZones: [...state.zones.values()].map(wireZone),
      IsTruncated: false,
      MaxItems: 100,
      Marker: '',
    }),
    ListHostedZonesByName: ({ DNSName }: { DNSName?: string }) => ({
      HostedZones: [...state.zones.values()]
        .filter(({ name }) => DNSName === undefined || name >= canonicalName(DNSName))
        .sort((a, b) => (a.name < b.name ? -1 : 1))
        .map(wireZone),
      IsTruncated: false,
      MaxItems: 100,
    }),
    DeleteHostedZone: ({ Id }: ById) => {
      const zone = state.zone(Id);
      if (zone.records.some(({ Type }) => Type !== 'NS' && Type !== 'SOA'))
        throw new ServiceError(
          'HostedZoneNotEmpty',
          'The specified hosted zone contains non-required resource record sets and so cannot be deleted.',
        );
      state.zones.delete(zone.id);
      return { ChangeInfo: newChange() };
    },
  };
}

function createZone({ state, random }: ZoneDesk, input: CreateHostedZoneCommandInput): Zone {
  const name = canonicalName(input.Name);
  if (!/^([a-z0-9_-]{1,63}\.)+$/.test(name))
    throw new ServiceError('InvalidDomainName', `The domain name ${input.Name} is not valid.`);
  const callerReference = input.CallerReference ?? '';
  if ([...state.zones.values()].some((zone) => zone.callerReference === callerReference))
    throw new ServiceError(
      'HostedZoneAlreadyExists',
      `A hosted zone has already been created with the specified caller reference '${callerReference}'.`,
      409,
    );
  const own: ResourceRecordSet[] = [
    { Name: name, Type: 'NS', TTL: 172_800, ResourceRecords: NAME_SERVERS.map((Value) => ({ Value })) },
    {
      Name: name,
      Type: 'SOA',
      TTL: 900,
      ResourceRecords: [{ Value: `${NAME_SERVERS[0]} hostmaster.local. 1 7200 900 1209600 86400` }],
    },
  ];
  const zone: Zone = {
    id: `Z${letters(random, 20)}`,
    name,
    callerReference,
    comment: input.HostedZoneConfig?.Comment,
    isPrivate: input.HostedZoneConfig?.PrivateZone ?? false,
    records: own.sort(compareRecords),
  };
  state.zones.set(zone.id, zone);
  return zone;
}

function listRecords(zone: Zone, input: ListResourceRecordSetsCommandInput) {
  const { StartRecordName: name, StartRecordType: Type, StartRecordIdentifier: SetIdentifier } = input;
  if (Type !== undefined && name === undefined)
    throw new ServiceError('InvalidInput', 'The start type needs a start name.');
  const start = { Name: name, Type, SetIdentifier } as ResourceRecordSet;
  const from =
    name === undefined ? zone.records : zone.records.filter((record) => compareRecords(record, start) >= 0);
  const size = Math.min(PAGE_MAX, Number(input.MaxItems ?? PAGE_MAX));
  const next = from[size];
  return {
    ResourceRecordSets: from.slice(0, size),
    IsTruncated: next !== undefined,
    MaxItems: size,
    ...(next && {
      NextRecordName: next.Name,
      NextRecordType: next.Type,
      NextRecordIdentifier: next.SetIdentifier,
    }),
  };
}

/**
 * One of the weighted records by chance; when all weigh 0, each is as likely (Route 53 guide, "Weighted
 * routing").
 */
function answerOf(zone: Zone, { RecordName, RecordType }: TestDNSAnswerCommandInput, random: Random) {
  const name = canonicalName(RecordName);
  const found = zone.records.filter(
    (record) => record.Name === name && (record.Type === RecordType || record.Type === 'CNAME'),
  );
  if (found.length === 0)
    return {
      RecordData: [],
      ResponseCode: zone.records.some((each) => each.Name === name) ? 'NOERROR' : 'NXDOMAIN',
    };
  const total = found.reduce((sum, record) => sum + (record.Weight ?? 0), 0);
  let point = random() * (total || found.length);
  const chosen = found.find((record) => {
    const weight = total === 0 ? 1 : (record.Weight ?? 0);
    point -= weight;
    return point < 0;
  });
  const values = chosen?.ResourceRecords?.map(({ Value = '' }) => Value) ?? [
    chosen?.AliasTarget?.DNSName ?? '',
  ];
  return { RecordData: values, ResponseCode: 'NOERROR' };
}

function invalidBatch(messages: readonly string[]): ServiceError {
  return new ServiceError('InvalidChangeBatch', `[${messages.join(', ')}]`, 400, { messages });
}

const wireZone = ({ id, name, callerReference, comment, isPrivate, records }: Zone) => ({
  Id: `/hostedzone/${id}`,
  Name: name,
  CallerReference: callerReference,
  Config: { Comment: comment, PrivateZone: isPrivate },
  ResourceRecordSetCount: records.length,
});

const letters = (random: Random, count: number): string =>
  Array.from({ length: count }, () =>
    Math.floor(random() * 36)
      .toString(36)
      .toUpperCase(),
  ).join('');
