/** A stream's copy as a recorded operation, over a real nats-server and the local cloud. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CheckpointKeeper } from '../../../lib/apps/bridge/copyCheckpoint.ts';
import { type CopyArguments, copyCommand } from '../../../lib/apps/bridge/copyCommand.ts';
import { copyKinds, streamCutOver } from '../../../lib/apps/bridge/copyKinds.ts';
import { parsePlan } from '../../../lib/apps/bridge/loadConfig.ts';
import { StreamCopy } from '../../../lib/apps/bridge/streamCopy.ts';
import { realClock } from '../../../lib/asl/clock.ts';
import { createEventTable } from '../../../lib/aws/eventStore/eventTable.ts';
import { ItemEventStore } from '../../../lib/aws/lean/itemEventStore.ts';
import { ItemTable } from '../../../lib/aws/lean/itemTable.ts';
import { LeanSender } from '../../../lib/aws/lean/leanSender.ts';
import { operationStream, recordOperation } from '../../../lib/flows/recordOperation.ts';
import { repositoryRoot, run } from '../../tidy/plant.ts';
import { type CopyEnds, createStreamTable, openCopyEnds } from './copyEnds.ts';
import { eventually } from './natsServer.ts';
import { REGION } from './strictSink.ts';

const environment = {
  ...{ AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', AWS_REGION: REGION, USER: 'anna' },
};
const eventTable = 'switchback-test-events';

let ends: CopyEnds;
let server: CopyEnds['server'];
let nats: CopyEnds['nats'];
let api: CopyEnds['api'];
let dynamodb: CopyEnds['dynamodb'];
let client: CopyEnds['client'];
let config: string;
let directory: string;
let serial = 0;

beforeAll(async () => {
  ends = await openCopyEnds();
  ({ server, nats, api, dynamodb, client } = ends);
  await createEventTable(dynamodb, eventTable);
  config =
    `version: 1\nnats: { servers: ["${server.url}"] }\naws: { endpoint: "${ends.cloud.url}" }\n` +
    'sources: [{ core: "none" }]\nrules: [{ match: none, to: drop }]\ndlq: { sqs: dead }\n';
  directory = await mkdtemp(join(tmpdir(), 'copy-'));
  await writeFile(join(directory, 'bridge.yml'), config);
});
afterAll(async () => {
  await ends.close();
  await rm(directory, { recursive: true });
});

/** A stream of `count` messages, and a table for it. */
async function sides(count: number) {
  const stream = `S${++serial}`;
  const table = new ItemTable(client, `streams${serial}`);
  await createStreamTable(dynamodb, table.name);
  await api.streams.add({ name: stream, subjects: [`${stream}.>`] });
  const publish = async (more: number) => {
    const before = (await api.streams.info(stream)).state.last_seq;
    for (let n = 0; n < more; n++) nats.publish(`${stream}.k${n % 10}`, `{"n":${before + n}}`);
    await nats.flush();
    await eventually(async () => (await api.streams.info(stream)).state.last_seq === before + more, 'stored');
  };
  await publish(count);
  const notes: string[] = [];
  const command = async (verb: CopyArguments['verb'], more: Partial<CopyArguments> = {}) => {
    const lines: string[] = [];
    const signal = new AbortController().signal;
    const wanted = {
      verb,
      stream,
      table: table.name,
      shards: 1,
      follow: false,
      hold: false,
      as: undefined,
      signal,
    };
    const code = await copyCommand(
      { ...wanted, events: undefined, ...more },
      {
        ...{ plan: parsePlan(config, 'bridge.yml'), environment, timers: realClock },
        ...{ out: (line) => lines.push(line), note: (line) => void notes.push(line) },
      },
    );
    return { code, lines, report: verb === 'history' ? {} : JSON.parse(lines.at(-1) ?? 'null') };
  };
  const types = async (kind = 'copy') => {
    const told = new ItemEventStore(table).read(operationStream(`${kind}-${stream}-into-${table.name}`));
    return (await Array.fromAsync(told)).map(({ event }) => event.type);
  };
  const checkpoint = () => CheckpointKeeper.read(table, { stream, shards: 1 });
  const write = (sequence: number, subject: string) =>
    dynamodb.send(
      new PutItemCommand({
        TableName: table.name,
        Item: {
          ...{ StreamName: { S: stream }, SequenceNumber: { N: String(sequence) } },
          ...{ Subject: { S: subject }, StoredAt: { N: '1' }, Data: { B: Buffer.from('other') } },
        },
      }),
    );
  const partitions = async () => {
    const { Items = [] } = await dynamodb.send(new ScanCommand({ TableName: table.name }));
    return Items.map(({ StreamName }) => StreamName?.S).toSorted();
  };
  /** The command as a process of its own. */
  const words = (verb: string, ...more: readonly string[]) => [
    ...['lib/apps/bridge/main.ts', verb, '--stream', stream, '--table', table.name],
    ...['--config', join(directory, 'bridge.yml'), ...more],
  ];
  return { stream, table, publish, notes, command, types, checkpoint, write, partitions, words };
}

const whole = ['StepStarted', 'StepApplied', 'VerificationStarted', 'StepVerified', 'OperationCompleted'];
const planned = ['OperationPlanned', 'StepPlanned'];

describe('copy', () => {
  it('applies and verifies, tells how it goes on, and is one recorded story', async () => {
    const { stream, table, publish, notes, command, types } = await sides(300);
    const operation = `copy-${stream}-into-${table.name}`;
    expect(await command('copy')).toMatchObject({
      code: 0,
      report: {
        ...{ copy: stream, table: table.name, phase: 'verified', floor: 300, count: 300, gaps: 0 },
        ...{ verified: true, messages: 300, mismatches: [], operation, outcome: 'completed' },
      },
    });
    expect(await types()).toEqual([...planned, ...whole]);
    expect(notes.at(-2)).toBe('copy: verified, 300 messages are equal on both sides');
    await publish(50);
    expect(await command('copy')).toMatchObject({ code: 0, report: { floor: 350, verified: true } });
    expect((await types()).slice(7)).toEqual(['OperationReopened', ...whole]);
    const { lines } = await command('history');
    expect(lines[0]).toContain(`the stream ${stream} into the table ${table.name}: asked for by anna`);
    expect(lines).toHaveLength(13);
  });

  it('whose verification finds a changed item is taken back, and can be made again', async () => {
    const { stream, command, types, publish, write, partitions } = await sides(1_030);
    await command('copy');
    // In a block that is complete: the last one is written again by the next copy.
    await write(7, `${stream}.changed`);
    await publish(1);
    const { code, report } = await command('copy');
    expect([code, report.outcome, report.mismatches.length]).toEqual([1, 'taken-back', 1]);
    expect(report.reason).toBe('copy: sequences 1–999 differ: 999 messages in the stream, 999 in the table');
    expect((await types()).slice(-5)).toEqual([
      ...['StepFailed', 'OperationTakeBackInitiated', 'InverseStarted', 'StepInverted', 'OperationTakenBack'],
    ]);
    expect(await partitions()).toEqual([`${stream}#copy`, expect.stringMatching(/^operation\/copy-/)]);
    expect(await command('copy')).toMatchObject({ code: 0, report: { count: 1_031, outcome: 'completed' } });
  });

  it('waits for a person instead where that is asked for, and can be undone then', async () => {
    const { stream, command, types, publish, write, checkpoint } = await sides(1_030);
    await command('copy');
    await write(7, `${stream}.changed`);
    await publish(1);
    expect(await command('copy', { hold: true })).toMatchObject({ code: 1, report: { outcome: 'held' } });
    expect([(await types()).at(-1), (await checkpoint())?.floor]).toEqual(['OperationHeld', 1_031]);
    await api.streams.deleteMessage(stream, 7);
    await command('undo');
    expect(await command('copy')).toMatchObject({ code: 0, report: { count: 1_030, gaps: 1 } });
  });

  it('killed midway goes on where it was when it is run again', async () => {
    const { command, types, checkpoint, words } = await sides(1_500);
    const child = spawn(process.execPath, words('copy', '--follow'), {
      ...{ cwd: repositoryRoot, stdio: 'ignore', env: { ...process.env, ...environment } },
    });
    await eventually(async () => ((await checkpoint())?.floor ?? 0) > 0, 'it copies');
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
    expect(await types()).toEqual([...planned, 'StepStarted']);
    expect(await command('copy')).toMatchObject({ code: 0, report: { count: 1_500, messages: 1_500 } });
    expect(await types()).toEqual([...planned, 'StepStarted', ...whole]);
  });

  it('that is followed is stopped by the signal with what it has, and verified by the next command', async () => {
    const { command, types, checkpoint } = await sides(20);
    const stop = new AbortController();
    const following = command('copy', { follow: true, signal: stop.signal });
    await eventually(async () => (await checkpoint())?.floor === 20, 'twenty are copied');
    stop.abort();
    expect(await following).toMatchObject({ code: 0, report: { phase: 'tail', outcome: 'interrupted' } });
    expect((await types()).at(-1)).toBe('VerificationStarted');
    expect(await command('verify')).toMatchObject({ code: 0, report: { verified: true, messages: 20 } });
  });

  it('run twice at the same time ends once, and the run that was overtaken says so', async () => {
    const { command, types } = await sides(1_000);
    const both = await Promise.all([command('copy'), command('copy')]);
    expect(both.map(({ code }) => code)).toContain(0);
    for (const { code, report } of both) {
      if (code !== 0) expect(report.reason).toMatch(/another run has taken over/);
    }
    expect(await command('verify')).toMatchObject({ code: 0, report: { messages: 1_000 } });
    expect((await types()).filter((type) => type === 'StepFailed')).toEqual([]);
  });

  it('of a stream that is not there, or stopped at once, is refused before anything is recorded', async () => {
    const { command, table, partitions } = await sides(0);
    await expect(command('copy', { stream: 'NONE' })).rejects.toThrow('stream not found');
    expect(await partitions()).toEqual([]);
    await expect(command('undo')).rejects.toThrow(
      /no copy of S\d+ into streams\d+ is recorded here: copy it/,
    );
    await expect(command('verify', { events: table.name })).rejects.toThrow(
      `${table.name} is no event table: name Switchback's own with --events`,
    );
  });
});

describe('verify, undo, cut-over and restore', () => {
  it('a difference that is found by hand is held until a person takes the copy back', async () => {
    const { stream, command, types, write, partitions } = await sides(10);
    await command('copy');
    await write(3, `${stream}.changed`);
    expect(await command('verify')).toMatchObject({ code: 1, report: { verified: false, outcome: 'held' } });
    expect((await types()).slice(-2)).toEqual(['StepFailed', 'OperationHeld']);
    expect(await command('undo')).toMatchObject({ code: 0, report: { outcome: 'taken-back' } });
    expect(await command('undo')).toMatchObject({ code: 0 });
    expect(await partitions()).toEqual([`${stream}#copy`, expect.stringMatching(/^operation\/copy-/)]);
  });

  it('a copy that is being followed elsewhere is taken back with what that run still writes', async () => {
    const { stream, command, publish, types, checkpoint, partitions } = await sides(10);
    const stop = new AbortController();
    const following = command('copy', { follow: true, signal: stop.signal });
    await eventually(async () => (await checkpoint())?.floor === 10, 'ten are copied');
    let publishing = true;
    const published = (async () => {
      while (publishing) await publish(20);
    })();
    expect(await command('undo')).toMatchObject({ code: 0, report: { outcome: 'taken-back' } });
    publishing = false;
    await published;
    expect(await following).toMatchObject({ code: 1, report: { outcome: 'interrupted' } });
    expect(await partitions()).toEqual([`${stream}#copy`, expect.stringMatching(/^operation\/copy-/)]);
    expect((await types()).slice(-2)).toEqual(['StepInverted', 'OperationTakenBack']);
  });

  it('what an overtaken run writes before it notices is deleted as well', async () => {
    const { stream, table, command, write, partitions } = await sides(3);
    await command('copy');
    let late = 2;
    const timers = {
      now: realClock.now,
      // Longer than anything but the wait for the overtaken run.
      schedule(ms: number, fire: () => void) {
        if (ms < 1_000) return realClock.schedule(ms, fire);
        void (late-- > 0 ? write(4, `${stream}.late`) : Promise.resolve()).then(fire);
        return () => undefined;
      },
    };
    const sender = new LeanSender(client, { eventbridge: 0, sqs: 0, sns: 0 }, null);
    const world = { sender, table, timers, chance: Math.random, log: () => undefined };
    const copy = new StreamCopy({ stream, shards: 1 }, { ...world, link: null as never });
    await copy.undo({ overtaken: true });
    expect([late, await partitions()]).toEqual([
      ...[-1, [`${stream}#copy`, expect.stringMatching(/^operation\/copy-/)]],
    ]);
  });

  it('a cut-over is an operation too, and restore is its inverse', async () => {
    const { stream, table, command, types, write, checkpoint } = await sides(10);
    await expect(command('cut-over')).rejects.toThrow(
      `${stream} goes to 10 and its copy to 0: stop what writes`,
    );
    await command('copy');
    const cutOver = { code: 0, report: { phase: 'switched', floor: 10, outcome: 'completed' } };
    expect(await command('cut-over')).toMatchObject(cutOver);
    await expect(command('copy')).rejects.toThrow("a copy that is 'switched' cannot become 'tail'");
    await expect(command('undo')).rejects.toThrow("a copy that is 'switched' cannot become 'undone'");
    await write(11, `${stream}.new`);
    expect(await command('restore')).toMatchObject({
      ...{ code: 0, report: { stream, next: 12, written: 1, outcome: 'taken-back' } },
    });
    expect(await types('cut-over')).toEqual([
      ...[...planned, ...whole, 'OperationTakeBackInitiated', 'InverseStarted', 'StepInverted'],
      'OperationTakenBack',
    ]);
    expect((await checkpoint())?.phase).toBe('tail');
    expect(await command('copy')).toMatchObject({ code: 0, report: { floor: 11, verified: true } });
    await command('cut-over');
    // A restore that dies when all is back, before it has said so.
    const id = `cut-over-${stream}-into-${table.name}`;
    const world = { store: new ItemEventStore(table) };
    const cause = { correlationId: 'c', actor: 'anna', run: 'dead' };
    const order = { type: 'TakeBack', reason: 'asked for', by: 'anna', now: 1 } as const;
    await recordOperation(world, id, order, cause);
    await recordOperation(world, id, { type: 'Begin', part: 'invert', step: 'cut-over', now: 1 }, cause);
    const keeper = await CheckpointKeeper.take(table, { stream, shards: 1 }, 'returning');
    await keeper.advance({ phase: 'tail' });
    expect(await command('restore')).toMatchObject({ code: 0, report: { outcome: 'taken-back' } });
    expect((await types('cut-over')).slice(-3)).toEqual([
      ...['InverseStarted', 'StepInverted', 'OperationTakenBack'],
    ]);
    await api.streams.delete(stream);
    expect(await command('restore', { as: `${stream}X` })).toMatchObject({
      code: 0,
      report: { written: 11 },
    });
  });

  it('what still reaches the stream after the cut-over is a failure, with both numbers', async () => {
    const checkpoint = async () => ({ phase: 'switched', floor: 5 });
    const copy = (last: number) => ({ checkpoint, lastSequence: async () => last }) as unknown as StreamCopy;
    const verified = (last: number) =>
      copyKinds({
        ...{ open: () => ({ copy: copy(last), restore: () => Promise.reject(new Error('not asked')) }) },
        ...{ follow: false, overtaken: false, signal: new AbortController().signal, report: () => undefined },
      })[streamCutOver]?.verify({ arguments: { stream: 'S' }, intent: 1 });
    expect(await verified(5)).toMatchObject({ outcome: 'done' });
    expect(await verified(6)).toEqual({
      ...{ outcome: 'failed', reason: 'S goes to 6 and the table took it up to 5: something still writes' },
    });
  });
});

it('a record beside the copy takes an append once, tells who was first, and chains its events', async () => {
  const { table } = await sides(0);
  const append = (commandId: string, expected: number) =>
    new ItemEventStore(table).append('operation/o', {
      ...{ expected, commandId, events: [{ type: 'OperationCompleted', at: 1 }] },
      ...{ correlationId: 'c', actor: 'anna', snapshot: { schema: 1, state: { commandId } }, active: false },
    });
  const firsts = await Promise.all([append('a', 0), append('b', 0)]);
  expect(firsts.map(({ outcome }) => outcome).toSorted()).toEqual(['appended', 'conflict']);
  const first = firsts[0]?.outcome === 'appended' ? 'a' : 'b';
  expect(await append(first, 0)).toMatchObject({ outcome: 'repeated', version: 1 });
  expect(await append('c', 1)).toMatchObject({ outcome: 'appended', version: 2, events: [{ version: 2 }] });
  const { version, snapshot, tail } = await new ItemEventStore(table).head('operation/o');
  expect([version, snapshot?.state, tail.map(({ commandId }) => commandId)]).toEqual([
    ...[2, { commandId: 'c' }, [first, 'c']],
  ]);
  expect(new Set(tail.map(({ hash }) => hash)).size).toBe(2);
});

it('is recorded in the event table where one is named, and its history is told from there', async () => {
  const { stream, table, words } = await sides(8);
  const env = { ...process.env, ...environment, NO_COLOR: '1' };
  const copied = await run(process.execPath, words('copy', '--events', eventTable), repositoryRoot, env);
  expect([copied.status, copied.output]).toEqual([0, expect.stringContaining('"outcome":"completed"')]);
  const operation = `copy-${stream}-into-${table.name}`;
  const told = await run(
    process.execPath,
    [
      ...['lib/apps/history/main.ts', '--operation', operation, '--table', eventTable],
      ...['--endpoint', ends.cloud.url, '--verify'],
    ],
    repositoryRoot,
    env,
  );
  expect([told.status, told.output.trim().split('\n').length]).toEqual([0, 8]);
  expect(told.output).toContain('copy: verified, 8 messages are equal on both sides');
  expect(told.output).toContain('the hash chain follows, from 1 to 7');
});
