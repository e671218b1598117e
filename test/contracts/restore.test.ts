/** The event table goes back to a moment: under its own name, item by item, and its chains follow. */
import {
  CreateBackupCommand,
  DynamoDBClient,
  PutItemCommand,
  RestoreTableFromBackupCommand,
} from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { copyTable, difference } from '../../lib/apps/restore/copyTable.ts';
import { DynamoConsumers } from '../../lib/aws/eventStore/consumers.ts';
import { DynamoEventStore } from '../../lib/aws/eventStore/dynamoEventStore.ts';
import { createEventTable } from '../../lib/aws/eventStore/eventTable.ts';
import { type LocalCloud, startLocalCloud } from '../../lib/local/cloud.ts';
import { repositoryRoot, run } from '../tidy/plant.ts';
import { appendMany, appendOf } from './eventStoreEvents.ts';

const [to, from] = ['switchback-prod-events', 'switchback-prod-restored'];
const tables = { from, to };

let cloud: LocalCloud;
let client: DynamoDBClient;
beforeAll(async () => {
  cloud = await startLocalCloud();
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  client = new DynamoDBClient({ endpoint: cloud.url, region: 'eu-west-1', credentials });
});
afterAll(() => cloud.close());

const restore = (...words: readonly string[]) =>
  run(
    process.execPath,
    ['lib/apps/restore/main.ts', '--to', to, '--endpoint', cloud.url, '--region', 'eu-west-1', ...words],
    repositoryRoot,
    { ...process.env, AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' },
  );

describe('restoring the event table', () => {
  it('brings back what was, takes away what came after, and checks every chain', async () => {
    await createEventTable(client, to);
    const store = new DynamoEventStore(client, to);
    const consumers = new DynamoConsumers(client, to);
    // Long enough for chunks beside the head.
    await appendMany(store, 'service/shop', 40);
    await consumers.advance('bus', 'service/shop', 0, 40);
    const end = appendOf(40, 'end', { active: false });
    await store.append('service/shop', end);
    const backup = await client.send(new CreateBackupCommand({ TableName: to, BackupName: 'then' }));
    const BackupArn = backup.BackupDetails?.BackupArn;
    await client.send(new RestoreTableFromBackupCommand({ BackupArn, TargetTableName: from }));

    // What came after: a longer stream, a new one, and an item that somebody forged.
    await appendMany(store, 'service/shop', 20);
    await store.append('service/later', appendOf(0, 'x'));
    await client.send(
      new PutItemCommand({
        TableName: to,
        Item: { pk: { S: 'S#service/shop' }, sk: { N: '1' }, ev: { S: '!' } },
      }),
    );

    const { underWay, toWrite, toDelete } = await difference(client, tables);
    expect(underWay.toSorted()).toEqual(['service/later', 'service/shop']);
    expect([toWrite > 0, toDelete > 0]).toEqual([true, true]);
    const refused = await restore('--from', from, '--yes');
    expect([refused.status, refused.output]).toEqual([
      1,
      expect.stringContaining('something is under way there'),
    ]);

    expect(await copyTable(client, tables)).toEqual([]);
    expect(await difference(client, tables)).toMatchObject({ toWrite: 0, toDelete: 0, underWay: [] });
    const reopened = new DynamoEventStore(client, to);
    expect((await reopened.head('service/shop')).version).toBe(41);
    expect((await reopened.head('service/later')).version).toBe(0);
    expect(await reopened.verify('service/shop')).toEqual({ version: 41, brokenAt: null });
    expect(await consumers.checkpoint('bus', 'service/shop')).toMatchObject({ version: 40 });
  });

  it('is done twice without harm, and says what it would do before it does it', async () => {
    const told = await restore('--from', from);
    expect([told.status, told.output]).toEqual([0, expect.stringContaining('0 would be written')]);
    expect(told.output).toContain('nothing was changed: say --yes to do it');
    const done = await restore('--from', from, '--yes');
    expect([done.status, done.output]).toEqual([
      0,
      expect.stringContaining('every stream’s hash chain follows'),
    ]);
  });

  it('asks for two tables that are there, and not the same', async () => {
    expect((await restore('--from', to)).output).toContain('restore the moment into a table beside it first');
    expect((await restore()).output).toContain('say --from and --to');
    expect((await restore('--from', 'gone')).output).toContain('name tables that exist, both of them');
  });
});
