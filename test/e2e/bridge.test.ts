/** The bridge as its own process: started, asked, reloaded, killed and drained. */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jetstreamManager } from '@nats-io/jetstream';
import { headers, type NatsConnection } from '@nats-io/transport-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { freePort } from '../../lib/local/freePort.ts';
import type { JetStreamApi } from '../../lib/nats/natsLink.ts';
import { deliveryCheck } from '../contracts/bridge/deliveryCheck.ts';
import { eventually, NatsServer } from '../contracts/bridge/natsServer.ts';
import { configuration, type Document, EVENT, FIFO, RETRY } from '../contracts/bridge/rig.ts';
import { StrictSink } from '../contracts/bridge/strictSink.ts';

const MAIN = new URL('../../lib/apps/bridge/main.ts', import.meta.url).pathname;
const LANES = 20;

let directory: string;
let server: NatsServer;
let nats: NatsConnection;
let api: JetStreamApi;
let sink: StrictSink;
let port: number;
const children: ChildProcess[] = [];
let output = '';

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'bridge-'));
  server = await NatsServer.start();
  nats = await server.connect();
  api = await jetstreamManager(nats);
  sink = await StrictSink.start();
  port = await freePort();
  output = '';
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await sink.down();
  await server.stop();
  await rm(directory, { recursive: true });
});

const file = () => join(directory, 'bridge.yml');

async function write(changes: Document = {}, source: Document = {}): Promise<void> {
  const http = { host: '127.0.0.1', port };
  await writeFile(file(), stringify(configuration(server, sink, { http, ...changes }, source)));
}

function spawnBridge(): ChildProcess {
  const env = { ...process.env, AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };
  const child = spawn(process.execPath, [MAIN, 'run', '--config', file()], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout?.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    output += chunk;
  });
  children.push(child);
  return child;
}

type Asked = { readonly status: number; readonly text: string };

async function ask(path: string): Promise<Asked> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`).catch(() => null);
  return answer === null ? { status: 0, text: '' } : { status: answer.status, text: await answer.text() };
}

async function startBridge(): Promise<ChildProcess> {
  const child = spawnBridge();
  await eventually(async () => {
    const health = await ask('/health');
    return (
      health.status === 200 &&
      !health.text.includes('another task') &&
      !health.text.includes('"holding":"starting"')
    );
  }, `ready: ${output}`);
  return child;
}

async function publish(count: number, from = 0): Promise<void> {
  for (let n = from; n < from + count; n++) {
    const head = headers();
    head.set('Nats-Msg-Id', `m${n}`);
    nats.publish(`mig.lane${n % LANES}.x`, `{"n":${n}}`, { headers: head });
  }
  await nats.flush();
  await eventually(async () => (await api.streams.info('MIG')).state.last_seq >= from + count, 'stored');
}

const acknowledged = () =>
  eventually(async () => {
    const info = await api.consumers.info('MIG', 'bridge').catch(() => null);
    return info !== null && info.num_pending === 0 && info.num_ack_pending === 0;
  }, `all is acknowledged: ${output}`);

const exited = (child: ChildProcess) => new Promise<number | null>((resolve) => child.once('exit', resolve));

describe('the bridge process', () => {
  it('killed with -9 again and again loses nothing, keeps lanes in order, and repeats only what has the same id', async () => {
    const check = deliveryCheck(sink, LANES);
    await write({ rules: [{ match: 'mig.>', to: FIFO, retry: RETRY, limits: { ratePerSec: 400 } }] });
    let child = await startBridge();
    await publish(6_000);
    for (const share of [0.1, 0.4, 0.7]) {
      await eventually(() => check.arrived > 6_000 * share, `${share} have arrived: ${output}`);
      const gone = exited(child);
      child.kill('SIGKILL');
      await gone;
      child = spawnBridge();
    }
    await acknowledged();
    expect(check.verdict(6_000)).toEqual({ lost: 0, disorder: 0, foreign: 0 });
    expect(sink.services.violations).toEqual([]);
  });

  it('is alive at once, ready when it works, and says how it is', async () => {
    await write();
    await startBridge();
    await publish(200);
    await acknowledged();
    expect(await ask('/live')).toMatchObject({ status: 200 });
    expect(await ask('/ready')).toMatchObject({ status: 200, text: '{"ok":true,"why":[]}\n' });
    const health = JSON.parse((await ask('/health')).text);
    expect(health).toMatchObject({
      status: 'healthy',
      components: {
        nats: { status: 'up', version: nats.info?.version },
        credentials: { status: 'up' },
        sources: { 'MIG/bridge': { connected: true, open: 0, pending: 0 } },
        targets: { 'eventbridge:main': { status: 'up', waiting: 0 } },
      },
      versions: { node: process.version, nats: nats.info?.version },
      rates: { receivedPerSec: expect.any(Number), deliveredPerSec: expect.any(Number) },
    });
    const metrics = (await ask('/metrics')).text;
    expect(metrics).toContain('bridge_delivered_total{target="eventbridge:main"} 200\n');
    expect(metrics).toContain('bridge_added_ms_count{target="eventbridge:main"} 200\n');
    for (const line of metrics.trim().split('\n')) {
      expect(line).toMatch(/^(# (HELP|TYPE) .+|[a-z_]+(\{[^}]*\})? (\d|\+Inf).*)$/);
    }
    const names = metrics
      .split('\n')
      .filter((line) => line.startsWith('# TYPE'))
      .map((line) => line.split(' ')[2]);
    expect(new Set(names).size).toBe(names.length);
    expect((await ask('/nowhere')).status).toBe(404);
  });

  it('is not ready while its target refuses it, and while NATS is gone; but alive', async () => {
    await write();
    await startBridge();
    sink.fault = () => ({ kind: 'status', status: 400, code: 'AccessDeniedException' });
    await publish(10);
    await eventually(
      async () => (await ask('/ready')).text.includes('AccessDeniedException'),
      'the refusal shows',
    );
    sink.fault = () => null;
    await eventually(async () => (await ask('/ready')).status === 200, 'ready again');
    await server.down();
    await eventually(
      async () => (await ask('/ready')).text.includes('no connection to NATS'),
      'the loss shows',
    );
    expect((await ask('/live')).status).toBe(200);
    await server.up();
    await eventually(async () => (await ask('/ready')).status === 200, 'connected again');
    await publish(10, 10);
    await acknowledged();
  });

  it('drains on SIGTERM: not ready at once, everything in hand delivered, exit 0, nothing delivered twice', async () => {
    const check = deliveryCheck(sink, LANES);
    await write({ rules: [{ match: 'mig.>', to: EVENT, retry: RETRY, limits: { ratePerSec: 50 } }] });
    const child = await startBridge();
    await publish(3_000);
    await eventually(() => check.arrived > 100, 'some have arrived');
    const gone = exited(child);
    child.kill('SIGTERM');
    await eventually(async () => (await ask('/ready')).text.includes('draining'), 'draining shows');
    expect((await ask('/live')).status).toBe(200);
    expect(await gone).toBe(0);
    expect(output).toContain('"drained"');
    const before = check.arrived;
    expect(before).toBeLessThan(3_000);
    await write({ rules: [{ match: 'mig.>', to: EVENT, retry: RETRY }] });
    await startBridge();
    await acknowledged();
    expect(check.verdict(3_000)).toEqual({ lost: 0, disorder: 0, foreign: 0 });
    expect(check.duplicates).toBe(0);
  });

  it('takes over a changed configuration without losing a message, and keeps the old one when the new is refused', async () => {
    const check = deliveryCheck(sink, LANES);
    const to = (bus: string) => ({
      rules: [{ match: 'mig.>', to: { eventbridge: { ...EVENT.eventbridge, bus } }, retry: RETRY }],
    });
    await write(to('one'));
    const child = await startBridge();
    const busses = new Set<string>();
    const taken = sink.services.onTaken;
    sink.services.onTaken = (event) => {
      busses.add(event.address);
      taken(event);
    };
    await publish(3_000);
    await write(to('two'));
    child.kill('SIGHUP');
    await eventually(() => output.includes('is in force'), `reloaded: ${output}`);
    await publish(3_000, 3_000);
    await acknowledged();
    expect(check.verdict(6_000)).toEqual({ lost: 0, disorder: 0, foreign: 0 });
    expect(check.duplicates).toBe(0);
    expect(busses).toEqual(new Set(['one', 'two']));
    await write({ rules: [{ match: 'mig..', to: EVENT }] });
    child.kill('SIGHUP');
    await eventually(
      () => output.includes('is refused, the one before stays in force'),
      `refused: ${output}`,
    );
    await publish(100, 6_000);
    await acknowledged();
    expect(check.verdict(6_100).lost).toBe(0);
  });

  it('ends with 2 and one clear sentence for a configuration it cannot use, with 1 for a port that is taken', async () => {
    await writeFile(file(), 'version: 1\nnats: { servers: [x] }\nrules: [{ match: "a..b", to: drop }]\n');
    expect(await exited(spawnBridge())).toBe(2);
    expect(output).toContain("rules.0.match: 'a..b' has an empty token");
    await write();
    await startBridge();
    output = '';
    expect(await exited(spawnBridge())).toBe(1);
    expect(output).toContain('EADDRINUSE');
  });

  it('waits for a NATS that is not there yet, and can be stopped while it waits', async () => {
    await write();
    await server.down();
    const child = spawnBridge();
    await eventually(async () => (await ask('/ready')).text.includes('starting'), `waiting: ${output}`);
    expect((await ask('/live')).status).toBe(200);
    const gone = exited(child);
    child.kill('SIGTERM');
    expect(await gone).toBe(0);
    spawnBridge();
    await server.up();
    await eventually(async () => (await ask('/ready')).status === 200, `ready: ${output}`);
  });
});
