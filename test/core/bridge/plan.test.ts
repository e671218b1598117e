import { describe, expect, it } from 'vitest';
import { deadLetterRecords } from '../../../lib/core/bridge/deadLetter.ts';
import { explain } from '../../../lib/core/bridge/explain.ts';
import { type Plan, planOf } from '../../../lib/core/bridge/plan.ts';
import { type Sample, sampleMessage } from '../../../lib/core/bridge/sample.ts';
import { rulesFor } from '../../../lib/core/bridge/selection.ts';

const nats = { servers: ['nats://localhost:4222'] };
const source = { stream: 'MIG', durable: 'bridge', filter: 'mig.>', owner: 'single' };
const event = { eventbridge: { bus: 'b', source: 'nats.mig', detailType: 'Found' } };
const fifo = (queue = 'orders.fifo') => ({ sqs: { queue, group: '{{wildcard(1)}}' } });

type Document = Record<string, unknown>;

function document(changes: Document = {}): Document {
  return {
    version: 1,
    nats,
    sources: [source],
    rules: [{ match: 'mig.*.found', to: event }],
    dlq: { sqs: 'dead' },
    ...changes,
  };
}

function plan(changes: Document = {}): Plan {
  const result = planOf(document(changes));
  if ('faults' in result) throw new Error(JSON.stringify(result.faults));
  return result.plan;
}

function faults(changes: Document): readonly string[] {
  const result = planOf(document(changes));
  return 'faults' in result ? result.faults.map((f) => `${f.path.join('.')}: ${f.message}`) : [];
}

const rules = (...list: Document[]) => ({ rules: list });

describe('a configuration is refused for', () => {
  it.each<[string, Document, string]>([
    ['an unknown key', { nonsense: 1 }, "nonsense: 'nonsense' is not an option here"],
    [
      'an unknown key deep inside',
      rules({ match: 'mig.>', to: { sqs: { queue: 'q', grup: 'x' } } }),
      'rules.0.to.sqs.grup',
    ],
    ['a wrong version', { version: 2 }, 'version'],
    ['no duration', { drain: '5 days' }, "drain: '5 days' is not a duration"],
    ['a bad pattern', rules({ match: 'mig..x', to: event }), "rules.0.match: 'mig..x' has an empty token"],
    [
      'an unknown function',
      rules({ match: 'mig.>', to: { eventbridge: { source: '{{nope}}', detailType: 'T' } } }),
      "rules.0.to.eventbridge.source: 'nope' is not a function here",
    ],
    [
      'a wildcard out of range',
      rules({ match: 'mig.>', to: { eventbridge: { source: 's', detailType: '{{wildcard(1)}}' } } }),
      'rules.0.to.eventbridge.detailType: wildcard: wildcard 1 is out of range',
    ],
    [
      'a shadowed rule',
      rules({ match: 'mig.>', to: 'drop' }, { match: 'mig.*.found', to: event }),
      "rules.1.match: never reached: rule 1 ('mig.>') takes all of its subjects first",
    ],
    ['a rule no source feeds', rules({ match: 'other.>', to: event }), 'rules.0.match: no source delivers'],
    ['inboxes', rules({ match: '_INBOX.>', to: event }), "other clients' requests"],
    ['inboxes as a source', { sources: [{ core: '_INBOX.>' }] }, "other clients' requests"],
    ['FIFO without a group', rules({ match: 'mig.>', to: { sqs: { queue: 'a.fifo' } } }), "needs 'group'"],
    [
      'dedup without FIFO',
      rules({ match: 'mig.>', to: { sqs: { queue: 'a', dedup: '{{seq}}' } } }),
      'FIFO destination',
    ],
    [
      'order from a shared source',
      { sources: [{ ...source, owner: 'shared' }], ...rules({ match: 'mig.*', to: fifo() }) },
      "rules.0.order: order needs a source with 'owner: single'",
    ],
    [
      'a watermark from a shared source',
      { sources: [{ ...source, owner: 'shared', ack: 'watermark' }] },
      'sources.0.ack',
    ],
    [
      'a detail type that EventBridge would discard',
      rules({ match: 'mig.>', to: { eventbridge: { source: 's', detailType: 'x'.repeat(129) } } }),
      'at most 128 characters',
    ],
    [
      'a reserved source',
      rules({ match: 'mig.>', to: { eventbridge: { source: 'aws.x', detailType: 'T' } } }),
      "'aws.'",
    ],
    ['no dead-letter target', { dlq: undefined, unmatched: 'drop' }, "rules.0: has no 'dlq'"],
    ['a FIFO dead-letter queue', { dlq: { sqs: 'dead.fifo' } }, 'standard queue'],
    ['dead letters that come in again', { dlq: { nats: 'mig.dead.{{subject}}' } }, 'would come in again'],
    ['too large a batch', rules({ match: 'mig.>', to: event, batch: { max: 11 } }), 'at most 10 entries'],
    [
      'two rules that differ about one destination',
      rules({ match: 'mig.a', to: event }, { match: 'mig.b', to: event, limits: { inFlight: 3 } }),
      'with other batch, limits, order or retry',
    ],
    [
      'a key that is no attribute',
      rules({ match: 'mig.>', to: { dynamodb: { table: 't', key: ['pk'], item: {} } } }),
      "'pk' is not in 'item'",
    ],
    [
      'a pointer without slash',
      rules({ match: 'mig.>', where: { json: { a: 1 } }, to: event }),
      'no JSON pointer',
    ],
    [
      'a loop',
      {
        ...rules({ match: 'mig.>', to: { sqs: { queue: 'q' } } }),
        reverse: [{ from: { sqs: { queue: 'q' } }, subject: 'mig.x' }],
      },
      'reverse.0',
    ],
    ['nothing to carry', { rules: [], sources: [] }, 'nothing to carry'],
    [
      'two rules of one name',
      rules({ name: 'x', match: 'mig.a', to: event }, { name: 'x', match: 'mig.b', to: event }),
      "another rule's name",
    ],
    [
      'a reverse function that is a forward one',
      { reverse: [{ from: { sqs: { queue: 'c' } }, subject: 'cmd.{{wildcard(1)}}' }] },
      'reverse.0.subject',
    ],
  ])('%s', (_, changes, expected) => {
    expect(faults(changes).join('\n')).toContain(expected);
  });

  it('several faults are named at once', () => {
    const changes = rules(
      { match: 'mig..x', to: event },
      { match: 'other.x', to: { sqs: { queue: 'a.fifo' } } },
    );
    expect(faults(changes).length).toBeGreaterThanOrEqual(3);
  });
});

describe('a rule', () => {
  const message = (changes: Partial<Sample> = {}) =>
    sampleMessage({ subject: 'mig.orders.found', stream: 'MIG', sequence: 9, timestampMs: 0, ...changes });

  it('that matches first takes the message; with match: all every one does', () => {
    const two = rules(
      { name: 'prod', match: 'mig.*.found', where: { header: { env: 'prod' } }, to: event },
      { name: 'rest', match: 'mig.>', to: event },
    );
    const names = (p: Plan, m: ReturnType<typeof message>) => rulesFor(p, m).map((rule) => rule.name);
    expect(names(plan(two), message({ headers: { ENV: 'prod' } }))).toEqual(['prod']);
    expect(names(plan(two), message({ headers: { env: 'dev' } }))).toEqual(['rest']);
    expect(names(plan({ ...two, match: 'all' }), message({ headers: { env: 'prod' } }))).toEqual([
      'prod',
      'rest',
    ]);
    expect(names(plan({ ...two, match: 'all' }), message())).toEqual(['rest']);
  });

  it.each([
    [{ json: { '/n': 5 } }, true],
    [{ json: { '/n': '5' } }, false],
    [{ json: { '/n': [1, 5] } }, true],
    [{ json: { '/s': { prefix: 'ab' } } }, true],
    [{ json: { '/x': { exists: false } } }, true],
    [{ json: { '/s': { exists: true } } }, true],
    [{ json: { '/deep/0': true } }, true],
    [{ header: { h: 7 } }, true],
    [{ header: { h: { prefix: 'x' } } }, false],
    [{ header: { h: '7' }, json: { '/n': 6 } }, false],
  ])('where %j holds: %s', (where, expected) => {
    const [rule] = plan(rules({ match: 'mig.>', where, to: event })).rules;
    const asked = message({ text: '{"n":5,"s":"abc","deep":[true]}', headers: { h: '7' } });
    expect(rule?.conditions.every((condition) => condition.holds(asked))).toBe(expected);
  });

  it('puts a payload into an envelope without touching its numbers', () => {
    const [rule] = plan().rules;
    const draft = rule?.render(message({ text: '{"big":12345678901234567890}', headers: { a: 'b' } }));
    expect(draft).toMatchObject({
      kind: 'eventbridge',
      detail:
        '{"id":"MIG.9","subject":"mig.orders.found","stream":"MIG","seq":9,' +
        '"time":"1970-01-01T00:00:00.000Z",' +
        '"headers":{"a":["b"]},"encoding":"json","data":{"big":12345678901234567890}}',
    });
  });

  it('envelopes text that is not JSON as a string', () => {
    const draft = plan().rules[0]?.render(message({ text: 'not "json"' }));
    expect(JSON.parse((draft as { detail: string }).detail)).toMatchObject({
      encoding: 'text',
      data: 'not "json"',
    });
  });

  it('picks fields, keeping the type of a lone pointer', () => {
    const to = {
      eventbridge: {
        ...event.eventbridge,
        detail: { pick: { n: '{{json(/n)}}', s: 'n={{json(/n)}}', x: '{{json(/x)}}' } },
      },
    };
    const draft = plan(rules({ match: 'mig.>', to })).rules[0]?.render(message({ text: '{"n":5}' }));
    expect(draft).toMatchObject({ detail: '{"n":5,"s":"n=5","x":null}' });
  });

  it.each([
    ['[1]', 'MalformedDetail'],
    ['nope', 'MalformedDetail'],
    ['"text"', 'MalformedDetail'],
  ])('refuses the raw payload %s for EventBridge, which would discard it', (text, code) => {
    const to = { eventbridge: { ...event.eventbridge, detail: 'raw' } };
    expect(plan(rules({ match: 'mig.>', to })).rules[0]?.render(message({ text }))).toMatchObject({
      refused: code,
    });
  });

  it('refuses a detail type that came out empty or too long', () => {
    const to = { eventbridge: { source: 's', detailType: '{{header(t)}}' } };
    const [rule] = plan(rules({ match: 'mig.>', to })).rules;
    expect(rule?.render(message())).toMatchObject({ refused: 'DetailTypeLength' });
    expect(rule?.render(message({ headers: { t: 'x'.repeat(129) } }))).toMatchObject({
      refused: 'DetailTypeLength',
    });
  });

  it('gives FIFO messages a lane and an id that is the same on every delivery', () => {
    const [rule] = plan(rules({ match: 'mig.*.found', to: fifo() })).rules;
    expect(rule?.render(message())).toMatchObject({ group: 'orders', dedup: 'MIG.9' });
    expect(rule?.render(message({ headers: { 'Nats-Msg-Id': 'own' } }))).toMatchObject({ dedup: 'own' });
    expect(rule?.render(message({ subject: 'mig.ö b.found' }))).toMatchObject({ group: '__b' });
  });

  it('sends characters that SQS refuses as base64', () => {
    const [rule] = plan(rules({ match: 'mig.>', to: { sqs: { queue: 'q' } } })).rules;
    expect(rule?.render(message({ text: 'a\u0001b' }))).toMatchObject({ base64: true, body: 'YQFi' });
    expect(rule?.render(message({ text: 'tab\tand\nline' }))).toMatchObject({ base64: false });
  });

  it('makes a DynamoDB item whose lane is its key', () => {
    const to = {
      dynamodb: {
        table: 't',
        key: ['pk', 'sk'],
        item: { pk: '{{wildcard(1)}}', sk: { number: '{{seq}}' }, body: { binary: 'payload' } },
      },
    };
    const [rule] = plan(rules({ match: 'mig.*.found', to })).rules;
    expect(rule?.render(message({ text: 'hi' }))).toEqual({
      kind: 'dynamodb',
      key: '["orders","9"]',
      item: [
        ['pk', 'S', 'orders'],
        ['sk', 'N', '9'],
        ['body', 'B', 'aGk='],
      ],
    });
  });
});

describe('dead letters', () => {
  const reason = { rule: 'r', target: 't', code: 'C', message: 'm', attempts: 2 };

  it('keep subject, headers, reason and payload', () => {
    const [record] = deadLetterRecords(
      sampleMessage({ subject: 'a.b', text: 'pay\u0000load', headers: { h: '1' }, stream: 'S', sequence: 3 }),
      reason,
    );
    expect(JSON.parse(record as string)).toEqual({
      id: 'S.3',
      reason,
      subject: 'a.b',
      stream: 'S',
      seq: 3,
      time: '1970-01-01T00:00:00.000Z',
      headers: { h: ['1'] },
      encoding: 'text',
      parts: 1,
      part: 1,
      data: 'pay\u0000load',
    });
  });

  it.each([
    ['ASCII', 'x'.repeat(1_000_000)],
    ['three-byte characters', '語'.repeat(300_000)],
    ['control characters', '\u0001'.repeat(100_000)],
    ['pairs', '😀'.repeat(200_000)],
  ])('larger than a queue takes come in parts that add up: %s', (_, text) => {
    const records = deadLetterRecords(sampleMessage({ subject: 'a', text }), reason);
    expect(records.length).toBeGreaterThan(1);
    for (const record of records) expect(Buffer.byteLength(record)).toBeLessThan(262_144);
    expect(records.map((record) => JSON.parse(record).data).join('')).toBe(text);
    expect(records.map((record) => JSON.parse(record).part)).toEqual(records.map((__, i) => i + 1));
  });
});

describe('explain', () => {
  const explained = plan({
    sources: [source, { core: 'telemetry.>' }],
    rules: [
      { name: 'orders', match: 'mig.*.order', where: { header: { env: 'prod' } }, to: fifo() },
      { name: 'found', match: 'mig.*.found', to: event, retry: { cap: '2m' } },
      { name: 'noise', match: 'telemetry.>', to: 'drop' },
    ],
  });

  it('shows the rule, the target, the rendered entry and where it dies', () => {
    const lines = explain(
      explained,
      sampleMessage({
        subject: 'mig.shop.order',
        headers: { env: 'prod' },
        text: '{"a":1}',
        stream: 'MIG',
        sequence: 5,
      }),
    );
    expect(lines.join('\n')).toMatchInlineSnapshot(`
      "subject   mig.shop.order
      source    stream MIG, consumer bridge, explicit acknowledgements, single owner
      takes     orders  mig.*.order
        where   header env = prod
        to      sqs:orders.fifo
        batch   up to 10 entries, 1048576 bytes, 5ms wait; 64 under way; no rate limit until throttled
        retry   8 attempts per entry over 15m or more, 100ms to 20s apart, then park
        lane    shop
        dedup   MIG.5
        body    {"a":1}
        dlq     sqs:dead"
    `);
  });

  it.each([
    ['mig.shop.order', 'passed    orders  mig.*.order: needs header env = prod'],
    ['mig.shop.order', 'no rule   to sqs:dead'],
    ['telemetry.cpu', 'dropped and counted'],
    ['elsewhere', 'source    none delivers it'],
    ['mig..x', 'is no subject: it has an empty token'],
    ['_INBOX.x', 'reserved'],
  ])('%s: %s', (subject, expected) => {
    expect(explain(explained, sampleMessage({ subject })).join('\n')).toContain(expected);
  });
});
