/** `npm run history`: the record as a person reads it, from the account's table. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DynamoEventStore } from '../../lib/aws/eventStore/dynamoEventStore.ts';
import { createEventTable } from '../../lib/aws/eventStore/eventTable.ts';
import { record } from '../../lib/flows/record.ts';
import { recordOperation } from '../../lib/flows/recordOperation.ts';
import { type LocalCloud, startLocalCloud } from '../../lib/local/cloud.ts';
import { request, step } from '../core/operations/facts.ts';
import { at, start } from '../core/rollout/facts.ts';
import { repositoryRoot, run } from '../tidy/plant.ts';

let cloud: LocalCloud;
beforeAll(async () => {
  cloud = await startLocalCloud();
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const client = new DynamoDBClient({ endpoint: cloud.url, region: 'eu-west-1', credentials });
  await createEventTable(client, 'switchback-prod-events');
  const world = { store: new DynamoEventStore(client, 'switchback-prod-events') };
  const cause = { correlationId: 'c-1', actor: 'anna, as shop.pipeline of 123456789012' };
  await record(world, 'orchestrator', start(), cause);
  await record(world, 'orchestrator', { type: 'ConfirmPrepared', tasks: 3, now: at(60) }, cause);
  await recordOperation(world, 'smith-data', request([step('rows')]), { ...cause, run: 'r' });
});
afterAll(() => cloud.close());

const history = (...words: readonly string[]) =>
  run(
    process.execPath,
    ['lib/apps/history/main.ts', '--endpoint', cloud.url, '--stage', 'prod', ...words],
    repositoryRoot,
    { ...process.env, AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', NO_COLOR: '1' },
  );

describe('npm run history', () => {
  it('tells each event with its time, its number, what it says and who, and checks the chain', async () => {
    const { status, output } = await history('--service', 'orchestrator', '--rollout', 'ro-1', '--verify');
    const [first, second, chain] = output.split('\n');
    expect(first).toMatch(
      /^2026-11-21T09:00:00\.000Z {6}1 {2}rollout of \S+:42 started, 11 steps, asked for by .*anna, as shop\.pipeline of 123456789012$/,
    );
    expect(second).toContain('canary ready: 3 healthy tasks, no traffic yet');
    expect([chain, status]).toEqual(['the hash chain follows, from 1 to 2', 0]);
  });

  it('gives whole events to a program', async () => {
    const { output } = await history('--service', 'orchestrator', '--json');
    expect(JSON.parse(output.split('\n')[0] ?? '')).toMatchObject({
      version: 1,
      event: { type: 'RolloutStarted' },
    });
  });

  it('tells the story of an operation', async () => {
    const { status, output } = await history('--operation', 'smith-data', '--verify');
    expect(output.split('\n').map((line) => line.slice(24).trim())).toEqual([
      '1  the data of MisterSmith: asked for by ada; if it fails, it is taken back  anna, as shop.pipeline of 123456789012',
      '2  planned rows (data): table with table rows  anna, as shop.pipeline of 123456789012',
      ...['from 1 to 2', ''],
    ]);
    expect(status).toBe(0);
    expect((await history('--operation', 'moon')).output).toBe(
      'nothing is recorded of moon: name it as the command that began it said\n',
    );
  });

  it('says what it was not told, and what is not there', async () => {
    expect(await history()).toMatchObject({
      status: 1,
      output: expect.stringContaining('say --service or --operation. Usage: '),
    });
    const none = await history('--service', 'orchestrater');
    expect([none.status, none.output]).toEqual([
      1,
      'nothing is recorded of orchestrater: name it as switchback.yml does\n',
    ]);
    expect(await history('--service', 'x', '--table', 'gone')).toMatchObject({
      status: 1,
      output: expect.stringContaining('name the stage, or the table'),
    });
  });
});
