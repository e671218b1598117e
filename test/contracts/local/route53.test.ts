import {
  type Change,
  ChangeResourceRecordSetsCommand,
  CreateHostedZoneCommand,
  DeleteHostedZoneCommand,
  GetChangeCommand,
  InvalidChangeBatch,
  ListResourceRecordSetsCommand,
  NoSuchHostedZone,
  type ResourceRecordSet,
  Route53Client,
  TestDNSAnswerCommand,
} from '@aws-sdk/client-route-53';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../lib/asl/clock.ts';
import { type Endpoint, startEndpoint } from '../../../lib/local/endpoint.ts';
import { route53Service } from '../../../lib/local/route53/route53Service.ts';
import { awsCliJson } from './awsCli.ts';

let endpoint: Endpoint;
let client: Route53Client;
let zone: string;
let clock: VirtualClock;

beforeEach(async () => {
  clock = new VirtualClock();
  endpoint = await startEndpoint({ services: [route53Service({ clock, seed: 5, propagationSeconds: 30 })] });
  client = new Route53Client({
    endpoint: endpoint.url,
    region: 'us-east-1',
    maxAttempts: 1,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  const { HostedZone } = await client.send(
    new CreateHostedZoneCommand({ Name: 'Shop.test', CallerReference: 'one' }),
  );
  zone = HostedZone?.Id ?? '';
});
afterEach(() => endpoint.close());

const weighted = (
  SetIdentifier: string,
  Weight: number,
  value = `${SetIdentifier}.internal`,
): ResourceRecordSet => ({
  Name: 'api.shop.test',
  Type: 'CNAME',
  SetIdentifier,
  Weight,
  TTL: 60,
  ResourceRecords: [{ Value: value }],
});
const change = (...changes: Change[]) =>
  client.send(new ChangeResourceRecordSetsCommand({ HostedZoneId: zone, ChangeBatch: { Changes: changes } }));
const upsert = (record: ResourceRecordSet): Change => ({ Action: 'UPSERT', ResourceRecordSet: record });
const records = async (more: Record<string, unknown> = {}) =>
  client.send(new ListResourceRecordSetsCommand({ HostedZoneId: zone, ...more }));
const weights = async () =>
  (await records()).ResourceRecordSets?.filter(({ Weight }) => Weight !== undefined).map(
    ({ SetIdentifier, Weight }) => [SetIdentifier, Weight],
  );

describe('weighted records', () => {
  it('are set, read back in order, and changed in one batch', async () => {
    await change(upsert(weighted('phase2', 0)), upsert(weighted('phase1', 255)));
    expect(await weights()).toEqual([
      ['phase1', 255],
      ['phase2', 0],
    ]);
    await change(upsert(weighted('phase1', 200)), upsert(weighted('phase2', 55)));
    expect(await weights()).toEqual([
      ['phase1', 200],
      ['phase2', 55],
    ]);
    const [first] = (await records()).ResourceRecordSets ?? [];
    expect(first).toMatchObject({ Name: 'shop.test.', Type: 'NS' });
  });

  it('are answered by their weights', async () => {
    await change(upsert(weighted('phase1', 3)), upsert(weighted('phase2', 1)));
    const counts: Record<string, number> = {};
    for (let i = 0; i < 200; i++) {
      const query = { HostedZoneId: zone, RecordName: 'api.shop.test', RecordType: 'CNAME' } as const;
      const { RecordData } = await client.send(new TestDNSAnswerCommand(query));
      const name = RecordData?.join() ?? '';
      counts[name] = (counts[name] ?? 0) + 1;
    }
    expect(counts['phase2.internal']).toBeGreaterThan(25);
    expect(counts['phase2.internal']).toBeLessThan(80);
    await change(upsert(weighted('phase1', 0)));
    const { RecordData } = await client.send(
      new TestDNSAnswerCommand({ HostedZoneId: zone, RecordName: 'API.shop.test.', RecordType: 'CNAME' }),
    );
    expect(RecordData).toEqual(['phase2.internal']);
  });

  it('are PENDING until the change has spread', async () => {
    const { ChangeInfo } = await change(upsert(weighted('phase1', 1)));
    const status = async () =>
      (await client.send(new GetChangeCommand({ Id: ChangeInfo?.Id }))).ChangeInfo?.Status;
    expect([ChangeInfo?.Status, await status()]).toEqual(['PENDING', 'PENDING']);
    await clock.advance(30_000);
    expect(await status()).toBe('INSYNC');
  });

  it.each([
    [[upsert(weighted('a', 256))], /weight 256 must be a whole number from 0 to 255/],
    [[upsert({ ...weighted('a', 1), SetIdentifier: undefined })], /Weight and SetIdentifier/],
    [[upsert({ ...weighted('a', 1), Name: 'api.other.test' })], /not permitted in zone shop.test/],
    [[upsert({ ...weighted('a', 1), TTL: undefined })], /TTL is needed/],
    [
      [
        upsert(weighted('a', 1)),
        upsert({ Name: 'api.shop.test', Type: 'CNAME', TTL: 1, ResourceRecords: [{ Value: 'x' }] }),
      ],
      /same name and type that are weighted/,
    ],
    [[{ Action: 'DELETE', ResourceRecordSet: weighted('a', 1) }], /was not found/],
    [
      [
        { Action: 'CREATE', ResourceRecordSet: weighted('a', 1) },
        { Action: 'CREATE', ResourceRecordSet: weighted('a', 1) },
      ],
      /already exists/,
    ],
    [[upsert({ ...weighted('a', 1), Failover: 'PRIMARY' })], /Failover is not emulated/],
  ] as [Change[], RegExp][])('refuse a batch as a whole: %#', async (changes, message) => {
    const refused = change(upsert(weighted('good', 1)), ...changes);
    await expect(refused).rejects.toBeInstanceOf(InvalidChangeBatch);
    await expect(refused).rejects.toThrow(message);
    expect(await weights()).toEqual([]);
  });

  it('are deleted only with the values they have', async () => {
    await change(upsert(weighted('a', 1)));
    await expect(change({ Action: 'DELETE', ResourceRecordSet: weighted('a', 2) })).rejects.toThrow(
      /do not match/,
    );
    await change({ Action: 'DELETE', ResourceRecordSet: weighted('a', 1) });
    expect(await weights()).toEqual([]);
  });
});

describe('a zone', () => {
  it('pages its records by name, type and identifier', async () => {
    await change(...['c', 'a', 'b'].map((id) => upsert(weighted(id, 1))));
    const seen: (string | undefined)[] = [];
    let next: Record<string, unknown> = {};
    for (let pages = 0; pages < 5; pages++) {
      const page = await records({ MaxItems: 2, ...next });
      seen.push(...(page.ResourceRecordSets ?? []).map(({ Type, SetIdentifier }) => SetIdentifier ?? Type));
      if (!page.IsTruncated) break;
      next = {
        StartRecordName: page.NextRecordName,
        StartRecordType: page.NextRecordType,
        StartRecordIdentifier: page.NextRecordIdentifier,
      };
    }
    expect(seen).toEqual(['NS', 'SOA', 'a', 'b', 'c']);
  });

  it('is not deleted while it holds records, and is unknown afterwards', async () => {
    await change(upsert(weighted('a', 1)));
    await expect(client.send(new DeleteHostedZoneCommand({ Id: zone }))).rejects.toThrow(/cannot be deleted/);
    await change({ Action: 'DELETE', ResourceRecordSet: weighted('a', 1) });
    await client.send(new DeleteHostedZoneCommand({ Id: zone }));
    await expect(records()).rejects.toBeInstanceOf(NoSuchHostedZone);
  });
});

describe('Debian’s client', () => {
  it('changes and lists weighted records', async () => {
    const batch = JSON.stringify({ Changes: [upsert(weighted('phase1', 10))] });
    const change = [
      'route53',
      'change-resource-record-sets',
      '--hosted-zone-id',
      zone,
      '--change-batch',
      batch,
    ];
    expect((await awsCliJson(endpoint.url, ...change)).ChangeInfo.Status).toBe('PENDING');
    const listed = await awsCliJson(
      endpoint.url,
      'route53',
      'list-resource-record-sets',
      '--hosted-zone-id',
      zone,
    );
    expect(listed.ResourceRecordSets.at(-1)).toMatchObject({
      Name: 'api.shop.test.',
      SetIdentifier: 'phase1',
      Weight: 10,
    });
  });
});
