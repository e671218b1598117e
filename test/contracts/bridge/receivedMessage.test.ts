import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { messageEntries } from '../../../lib/aws/lean/streamItems.ts';
import { keyOf } from '../../../lib/core/bridge/draft.ts';
import { PART_BYTES } from '../../../lib/core/bridge/streamCopy.ts';
import { demand, supports } from '../../../lib/nats/features.ts';
import { parseDelivery } from '../../../lib/nats/receivedMessage.ts';

const name = fc.stringMatching(/^[A-Za-z0-9_-]{1,20}$/);
const count = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const nanos = fc.bigInt({ min: 10n ** 18n, max: 2n * 10n ** 18n });

describe('the reply of a delivery', () => {
  it('is read as it was written, in both of its forms', () => {
    fc.assert(
      fc.property(
        name,
        name,
        fc.array(count, { minLength: 4, maxLength: 4 }),
        nanos,
        (stream, consumer, n, time) => {
          const [deliveries, sequence, delivery, pending] = n;
          const rest = `${stream}.${consumer}.${deliveries}.${sequence}.${delivery}.${time}.${pending}`;
          const expected = {
            stream,
            consumer,
            deliveries,
            sequence,
            delivery,
            timestampMs: Number(time / 1_000_000n),
            pending,
          };
          expect(parseDelivery(`$JS.ACK.${rest}`)).toEqual(expected);
          expect(parseDelivery(`$JS.ACK.hub.ACCOUNT.${rest}`)).toEqual(expected);
          expect(parseDelivery(`$JS.ACK.hub.ACCOUNT.${rest}.random`)).toEqual(expected);
          // Tokens that a later server adds.
          expect(parseDelivery(`$JS.ACK.hub.ACCOUNT.${rest}.a.b.c.d.e.f.g.h`)).toEqual(expected);
        },
      ),
    );
  });

  it.each([
    '',
    '_INBOX.a.b',
    '$JS.ACK.',
    '$JS.ACK.S.C.1.2.3',
    '$JS.ACK.S.C.1.2.3.4.5.6',
    '$JS.API.STREAM.INFO.S',
    'orders.$JS.ACK.S.C.1.2.3.4.5',
  ])('%j is none, and is never replied to', (reply) => {
    expect(parseDelivery(reply)).toBeNull();
  });
});

describe('an item of a copy', () => {
  it('has the key by which an unprocessed one is recognised', () => {
    const subject = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(subject, fc.integer({ min: 1, max: 2 ** 53 - 1 }), (stream, sequence) => {
        const message = { sequence, subject: 's', storedAtMs: 1, headers: '', data: new Uint8Array(3) };
        const [entry] = messageEntries({ stream, shards: 1 }, message);
        const { PutRequest } = JSON.parse(entry?.json ?? '');
        const keys = ['StreamName', 'SequenceNumber'];
        expect(entry?.key).toBe(keyOf(keys, (key) => Object.values(PutRequest.Item[key])[0]));
      }),
    );
  });

  it.each([0, 1, PART_BYTES, PART_BYTES + 1, 2 * PART_BYTES, 2 * PART_BYTES + 7])(
    'of %i bytes holds them all, in as many parts as that takes',
    (length) => {
      // A view into something larger, as messages are views into what a socket read.
      const data = Uint8Array.from({ length: length + 9 }, (_, at) => at % 251).subarray(5, 5 + length);
      const message = { sequence: 7, subject: 's', storedAtMs: 1, headers: 'a: "b"\r\n', data };
      const items = messageEntries({ stream: 'S', shards: 1 }, message).map(({ json, bytes, key }) => {
        const { Item } = JSON.parse(json).PutRequest;
        const payload = Buffer.from(Item.Data?.B ?? '', 'base64');
        expect(bytes).toBeGreaterThan(payload.length);
        expect(JSON.parse(key)).toEqual(['S', Item.SequenceNumber.N]);
        return { payload, number: Item.SequenceNumber.N, parts: Item.Parts?.N, headers: Item.Headers?.S };
      });
      const parts = Math.max(1, Math.ceil(length / PART_BYTES));
      expect(Buffer.concat(items.map(({ payload }) => payload)).equals(Buffer.from(data))).toBe(true);
      expect(items.map(({ number }) => number)).toEqual(['7', '7.001', '7.002'].slice(0, parts));
      expect(items.map((item) => item.parts)).toEqual(
        [parts === 1 ? undefined : `${parts}`, undefined, undefined].slice(0, parts),
      );
      expect(items[0]?.headers).toBe(message.headers);
    },
  );
});

describe('a server feature', () => {
  it.each([
    ['2.9.10', 'several filters', false],
    ['2.10.0', 'several filters', true],
    ['2.10.3', 'term with a reason', false],
    ['2.10.4', 'term with a reason', true],
    ['2.11.0-preview.2', 'compression', true],
    ['3.0.0', 'first sequence', true],
  ] as const)('of %s: %s is %s', (version, feature, has) => {
    expect(supports(version, feature)).toBe(has);
    if (has) expect(() => demand(version, feature)).not.toThrow();
    else
      expect(() => demand(version, feature)).toThrow(
        /needs nats-server 2\.10\.\d or later, and this one is 2\./,
      );
  });
});
