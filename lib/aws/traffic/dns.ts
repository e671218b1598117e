/**
 * Weighted records of one name. Route 53 holds 0–255 per record, so whole percents are exact; what is shifted
 * here arrives at users only when their resolvers' time to live is over.
 */
import {
  ChangeResourceRecordSetsCommand,
  ListResourceRecordSetsCommand,
  type ResourceRecordSet,
  type Route53Client,
} from '@aws-sdk/client-route-53';
import type { DnsTarget, Slot } from '../../../events/target.ts';
import { TargetMissing, TrafficUnconfirmed } from '../../core/outage.ts';
import type { TrafficReading } from '../../ports.ts';
import { answered } from '../answered.ts';

type Records = Readonly<Record<Slot, ResourceRecordSet>>;

const withDot = (name: string): string => (name.endsWith('.') ? name : `${name}.`);

/** @throws TargetMissing where one of the two is not there */
export async function recordsOf(client: Route53Client, target: DnsTarget): Promise<Records> {
  const command = new ListResourceRecordSetsCommand({
    HostedZoneId: target.hostedZoneId,
    StartRecordName: target.name,
    StartRecordType: target.recordType,
    MaxItems: 10,
  });
  const { ResourceRecordSets = [] } = await answered(`records of ${target.name}`, client.send(command));
  const bySlot = (slot: Slot): ResourceRecordSet => {
    const found = ResourceRecordSets.find(
      ({ Name, Type, SetIdentifier }) =>
        withDot(Name ?? '') === withDot(target.name) &&
        Type === target.recordType &&
        SetIdentifier === target.setIdentifiers[slot],
    );
    if (found !== undefined) return found;
    throw new TargetMissing(
      `${target.name}: there is no weighted ${target.recordType} record "${target.setIdentifiers[slot]}"`,
    );
  };
  return { blue: bySlot('blue'), green: bySlot('green') };
}

export function dnsTraffic(client: Route53Client) {
  return {
    read: async (target: DnsTarget) => readingOf(await recordsOf(client, target)),

    async shift(target: DnsTarget, slot: Slot, weight: number): Promise<void> {
      const records = await recordsOf(client, target);
      const greenWeight = Math.round(slot === 'green' ? weight : 100 - weight);
      const weights: Readonly<Record<Slot, number>> = { blue: 100 - greenWeight, green: greenWeight };
      const Changes = (['blue', 'green'] as const).map((each) => ({
        Action: 'UPSERT' as const,
        ResourceRecordSet: { ...records[each], Weight: weights[each] },
      }));
      const command = new ChangeResourceRecordSetsCommand({
        HostedZoneId: target.hostedZoneId,
        ChangeBatch: { Comment: `switchback: green ${greenWeight} %`, Changes },
      });
      await answered(`weights of ${target.name}`, client.send(command));
      const reading = readingOf(await recordsOf(client, target));
      if (reading.kind !== 'weights' || Math.abs(reading.greenWeight - greenWeight) > 0.5) {
        throw new TrafficUnconfirmed(
          `${target.name}: ordered green at ${greenWeight} %, a read shows another`,
        );
      }
    },

    /** Records carry no tags: what is stable is configured. */
    markStable: async (_target: DnsTarget, _slot: Slot): Promise<void> => undefined,
    stableMark: async (_target: DnsTarget): Promise<Slot | null> => null,
  };
}

function readingOf({ blue, green }: Records): TrafficReading {
  const total = (blue.Weight ?? 0) + (green.Weight ?? 0);
  if (total === 0) return { kind: 'unknown', what: 'both records have the weight 0' };
  return { kind: 'weights', greenWeight: Math.round(((green.Weight ?? 0) / total) * 1000) / 10 };
}
