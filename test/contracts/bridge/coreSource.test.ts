/** Core NATS: at most once, and what is lost is counted; other clients' requests and replies stay theirs. */
import type { NatsConnection } from '@nats-io/transport-node';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { EmfReporter } from '../../../lib/apps/bridge/emf.ts';
import { eventually, NatsServer } from './natsServer.ts';
import { sorted, upTo } from './numbers.ts';
import { configuration, type Document, EVENT, RETRY, type Rig, startBridge } from './rig.ts';
import { StrictSink } from './strictSink.ts';

let server: NatsServer;
let nats: NatsConnection;
let sink: StrictSink;
const rigs: Rig[] = [];

beforeAll(async () => {
  server = await NatsServer.start();
  nats = await server.connect();
});
afterAll(() => server.stop());
beforeEach(async () => {
  sink = await StrictSink.start();
});
afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.die();
  await sink.down();
});

async function start(source: Document, rule: Document = {}): Promise<Rig> {
  const rules = [{ match: '>', to: EVENT, retry: RETRY, ...rule }];
  const rig = await startBridge(configuration(server, sink, { sources: [source], rules }));
  rigs.push(rig);
  return rig;
}

const arrived = () =>
  sink.services.taken
    .filter(({ address }) => address === 'main')
    .map(({ body }) => JSON.parse(body))
    .map(({ subject, data }) => ({ subject: subject as string, n: data.n as number }));
const state = (rig: Rig) => rig.bridge.intakes[0]?.state;

it('a bridge on everything carries requests, and never an inbox, nor answers for anybody', async () => {
  const rig = await start({ core: '>' });
  const replies: string[] = [];
  nats.subscribe('_INBOX.>', { callback: (_, msg) => void replies.push(msg.string()) });
  nats.subscribe('price.*', {
    callback: (_, msg) => void msg.respond(`{"paid":${msg.json<{ n: number }>().n}}`),
  });
  await nats.flush();
  const asking = await server.connect();
  for (const n of upTo(40)) {
    const answer = await asking.request('price.tea', JSON.stringify({ n }), { timeout: 5_000 });
    expect(answer.json()).toEqual({ paid: n });
  }
  await eventually(() => rig.metrics.target('eventbridge:main').delivered === 40, 'all requests are carried');
  expect(arrived().every(({ subject }) => subject === 'price.tea')).toBe(true);
  expect(sorted(arrived().map(({ n }) => n))).toEqual(upTo(40));
  expect(replies).toHaveLength(40);
});

it('what the buffer cannot hold is dropped and counted, the rest arrives', async () => {
  sink.fault = () => ({ kind: 'reset' });
  const rig = await start({ core: 'mig.>', buffer: 10 });
  for (const n of upTo(50)) nats.publish('mig.x', JSON.stringify({ n }));
  await eventually(() => state(rig)?.dropped === 40, 'forty are dropped');
  expect(state(rig)?.open).toBe(10);
  sink.fault = () => null;
  await eventually(() => state(rig)?.open === 0, 'ten are delivered');
  expect(sorted(arrived().map(({ n }) => n))).toEqual(upTo(10));
});

it('what comes while the target refuses us is dropped and counted, and then it goes on', async () => {
  sink.fault = () => ({ kind: 'status', status: 400, code: 'AccessDeniedException' });
  const rig = await start({ core: 'mig.>' });
  nats.publish('mig.x', '{"n":0}');
  await eventually(() => rig.bridge.carrier.blockedBy.length === 1, 'the circuit opens');
  for (const n of [1, 2, 3]) nats.publish('mig.x', JSON.stringify({ n }));
  await eventually(() => state(rig)?.dropped === 3, 'three are dropped');
  sink.fault = () => null;
  await eventually(() => rig.bridge.carrier.blockedBy.length === 0, 'the circuit closes');
  nats.publish('mig.x', '{"n":4}');
  await eventually(() => arrived().length === 2, 'the first and the last are delivered');
  expect(sorted(arrived().map(({ n }) => n))).toEqual([0, 4]);
});

it('the tasks of a queue group share its messages', async () => {
  const source = { core: 'mig.>', queue: 'bridge' };
  const both = [await start(source), await start(source)];
  for (const n of upTo(200)) nats.publish('mig.x', JSON.stringify({ n }));
  await eventually(() => arrived().length === 200, 'all are delivered, each once');
  expect(sorted(arrived().map(({ n }) => n))).toEqual(upTo(200));
  for (const { metrics } of both) expect(metrics.received).toBeGreaterThan(20);
});

it('a line for CloudWatch tells what was dropped since the one before', async () => {
  sink.fault = () => ({ kind: 'reset' });
  const rig = await start({ core: 'mig.>', buffer: 1 });
  const reporter = new EmfReporter(rig.bridge, rig.metrics, 'b');
  const dropped = () => JSON.parse(reporter.line(Date.now())).Dropped;
  for (const n of upTo(4)) nats.publish('mig.x', JSON.stringify({ n }));
  await eventually(() => state(rig)?.dropped === 3, 'three are dropped');
  expect([dropped(), dropped()]).toEqual([3, 0]);
});
