/** One contract for both senders, lean and SDK, against the strict sink. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { realClock } from '../../../lib/asl/clock.ts';
import { AwsClient } from '../../../lib/aws/lean/awsClient.ts';
import { CredentialKeeper } from '../../../lib/aws/lean/credentials.ts';
import { LeanSender } from '../../../lib/aws/lean/leanSender.ts';
import { SdkSender } from '../../../lib/aws/sdkSender.ts';
import { planOf } from '../../../lib/core/bridge/plan.ts';
import type { Answer, Entry, Sender } from '../../../lib/core/bridge/ports.ts';
import { type Sample, sampleMessage } from '../../../lib/core/bridge/sample.ts';
import type { TargetSpec } from '../../../lib/core/bridge/target.ts';
import type { Taken } from './strictServices.ts';
import { CREDENTIALS, REGION, type SinkFault, StrictSink } from './strictSink.ts';

const limits = { eventbridge: 1_000_000, sqs: 1_048_576, sns: 262_144 };
const attributes = { attributes: { subject: '{{subject}}', none: '{{header(x)}}' } };
const DESTINATIONS = {
  eventbridge: {
    eventbridge: {
      bus: 'main',
      source: 's',
      detailType: 'T',
      time: '{{timestamp}}',
      resources: ['r:{{seq}}'],
    },
  },
  sqs: { sqs: { queue: 'plain', ...attributes } },
  fifo: { sqs: { queue: 'orders.fifo', group: '{{token(2)}}', ...attributes } },
  sns: { sns: { topic: 'arn:aws:sns:eu-west-1:000000000000:t', subject: 'about {{seq}}', ...attributes } },
  dynamodb: {
    dynamodb: {
      table: 'items',
      key: ['pk', 'sk'],
      item: { pk: '{{token(2)}}', sk: { number: '{{seq}}' }, b: { binary: 'payload' } },
    },
  },
} as const;
type Kind = keyof typeof DESTINATIONS;
const KINDS = Object.keys(DESTINATIONS) as Kind[];

function ruleOf(kind: Kind) {
  const result = planOf({
    version: 1,
    nats: { servers: ['x'] },
    sources: [{ core: 'a.>' }],
    rules: [{ match: 'a.>', to: DESTINATIONS[kind] }],
    dlq: { sqs: 'dead' },
  });
  if ('faults' in result) throw new Error(JSON.stringify(result.faults));
  const [rule] = result.plan.rules;
  if (rule === undefined || rule.target === null) throw new Error('no rule');
  return { render: rule.render, target: rule.target };
}

const message = (sequence: number, text = `{"n":${sequence},"s":"grün 😀 <&> \\"q\\""}`) =>
  sampleMessage({
    subject: `a.lane${sequence % 3}.x`,
    text,
    stream: 'S',
    sequence,
    timestampMs: 1_767_225_600_123,
  } as Sample);

function entriesOf(sender: Sender, kind: Kind, count: number): { target: TargetSpec; entries: Entry[] } {
  const { render, target } = ruleOf(kind);
  const entries = Array.from({ length: count }, (_, i) => {
    const draft = render(message(i + 1));
    if ('refused' in draft) throw new Error(draft.message);
    const entry = sender.entryOf(target, draft);
    if ('refused' in entry) throw new Error(entry.message);
    return entry;
  });
  return { target, entries };
}

let sink: StrictSink;
beforeAll(async () => {
  sink = await StrictSink.start();
});
afterAll(() => sink.down());
beforeEach(() => {
  sink.fault = () => null;
  sink.services.forget();
});

const makers: Record<string, (timeoutMs?: number) => Sender> = {
  lean: (timeoutMs = 5_000) => {
    const keeper = new CredentialKeeper(async () => CREDENTIALS, realClock);
    const client = new AwsClient({ region: REGION, endpoint: sink.url, timeoutMs }, keeper, realClock);
    return new LeanSender(client, limits, null);
  },
  sdk: (timeoutMs = 5_000) => new SdkSender({ region: REGION, endpoint: sink.url, timeoutMs, limits }),
};

const failedAt = (answer: Answer) =>
  answer.kind === 'taken'
    ? [...(answer.failed ?? [])].map(([at, { kind, code }]) => [at, kind, code])
    : answer.failure;

it.each(KINDS)('both senders say the same to %s', async (kind) => {
  const said: Taken[][] = [];
  for (const make of Object.values(makers)) {
    sink.services.forget();
    const sender = make();
    const { target, entries } = entriesOf(sender, kind, 10);
    expect(await sender.send(target, entries)).toEqual({ kind: 'taken', failed: null });
    sender.close();
    said.push([...sink.services.taken]);
  }
  expect(said[0]).toHaveLength(10);
  expect(said[0]).toEqual(said[1]);
});

describe.each(Object.keys(makers))('the %s sender', (name) => {
  const make = makers[name] as (timeoutMs?: number) => Sender;

  it.each(KINDS)('delivers a full batch to %s in order, as the service wants it', async (kind) => {
    const sender = make();
    const { target, entries } = entriesOf(sender, kind, kind === 'dynamodb' ? 25 : 10);
    expect(await sender.send(target, entries)).toEqual({ kind: 'taken', failed: null });
    expect(sink.services.violations).toEqual([]);
    expect(sink.services.taken).toHaveLength(entries.length);
    sender.close();
  });

  it.each(KINDS)('names exactly the entries that %s did not take, whichever they are', async (kind) => {
    const sender = make();
    const { target, entries } = entriesOf(sender, kind, 5);
    const kindOf = {
      eventbridge: 'throttle',
      sqs: 'throttle',
      fifo: 'throttle',
      sns: 'throttle',
      dynamodb: 'throttle',
    };
    for (let mask = 1; mask < 32; mask++) {
      sink.fault = () => ({
        kind: 'entries',
        fails: (at) => (mask & (1 << at) ? 'ThrottlingException' : null),
      });
      const code = kind === 'dynamodb' ? 'Unprocessed' : 'ThrottlingException';
      const expected = [0, 1, 2, 3, 4].filter((at) => mask & (1 << at)).map((at) => [at, kindOf[kind], code]);
      expect(failedAt(await sender.send(target, entries))).toEqual(expected);
    }
    sender.close();
  });

  it('tells a permanent entry failure from a passing one', async () => {
    const sender = make();
    const { target, entries } = entriesOf(sender, 'eventbridge', 3);
    const codes = ['MalformedDetail', 'InternalFailure', 'AccessDeniedException'];
    sink.fault = () => ({ kind: 'entries', fails: (at) => codes[at] as string });
    expect(failedAt(await sender.send(target, entries))).toEqual([
      [0, 'permanent', 'MalformedDetail'],
      [1, 'retry', 'InternalFailure'],
      [2, 'denied', 'AccessDeniedException'],
    ]);
    sender.close();
  });

  it.each<[string, SinkFault, string]>([
    ['a broken connection', { kind: 'reset' }, 'retry'],
    ['a connection broken after the work', { kind: 'reset-after' }, 'retry'],
    ['half an answer', { kind: 'half' }, 'retry'],
    ['silence', { kind: 'stall' }, 'retry'],
    ['500', { kind: 'status', status: 500, code: 'InternalFailure' }, 'retry'],
    ['503 without a code', { kind: 'status', status: 503, code: '' }, 'retry'],
    ['throttling', { kind: 'status', status: 400, code: 'ThrottlingException' }, 'throttle'],
    ['missing rights', { kind: 'status', status: 400, code: 'AccessDeniedException' }, 'denied'],
    ['a missing resource', { kind: 'status', status: 400, code: 'ResourceNotFoundException' }, 'denied'],
    [
      'a request that is refused as such',
      { kind: 'status', status: 400, code: 'ValidationException' },
      'permanent',
    ],
  ])('answers %s with the right kind of failure', async (_, fault, kind) => {
    const sender = make(600);
    for (const target of ['eventbridge', 'sns'] as const) {
      const batch = entriesOf(sender, target, 2);
      sink.fault = () => fault;
      expect(await sender.send(batch.target, batch.entries)).toMatchObject({
        kind: 'failed',
        failure: { kind },
      });
    }
    sink.fault = () => null;
    const after = entriesOf(sender, 'eventbridge', 2);
    expect(await sender.send(after.target, after.entries)).toEqual({ kind: 'taken', failed: null });
    sender.close();
  });

  it('refuses what is larger than the service takes, counting bytes', () => {
    const sender = make();
    for (const [kind, bytes] of [
      ['eventbridge', 1_000_000],
      ['sqs', 1_048_576],
      ['sns', 262_144],
    ] as const) {
      const { render, target } = ruleOf(kind);
      const sized = (size: number) => {
        const draft = render(message(1, `"${'ü'.repeat(size / 2)}"`));
        return 'refused' in draft ? draft : sender.entryOf(target, draft);
      };
      expect(sized(bytes + 1000)).toMatchObject({ refused: 'TooLarge' });
      expect(sized(bytes - 1000)).toHaveProperty('json');
    }
    sender.close();
  });

  it('hashes a deduplication id that the service would not take, so that no two become one', () => {
    const sender = make();
    const { target } = ruleOf('fifo');
    const draft = (dedup: string) =>
      ({
        kind: 'sqs',
        group: 'g',
        dedup,
        body: 'b',
        base64: false,
        subject: '',
        attributes: [],
        delaySeconds: 0,
      }) as const;
    const ids = ['x'.repeat(200), `${'x'.repeat(199)}y`, 'with space', 'plain'].map((dedup) => {
      const entry = sender.entryOf(target, draft(dedup));
      return 'json' in entry ? JSON.parse(entry.json).MessageDeduplicationId : '';
    });
    expect(new Set(ids).size).toBe(4);
    for (const id of ids) expect(id).toMatch(/^[!-~]{1,128}$/);
    expect(ids[3]).toBe('plain');
    sender.close();
  });
});
