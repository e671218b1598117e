/** How the store on DynamoDB takes the errors that no stand-in for it makes. */
import {
  type AttributeValue,
  ConditionalCheckFailedException,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  type PutItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import { mockClient } from 'aws-sdk-client-mock';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DynamoEventStore } from '../../lib/aws/eventStore/dynamoEventStore.ts';
import { headOf } from '../../lib/aws/eventStore/items.ts';
import { EventStoreUnavailable } from '../../lib/core/outage.ts';
import { appendMany, appendOf } from './eventStoreEvents.ts';

const dynamo = mockClient(DynamoDBClient);
const stream = 'service/orchestrator';

/** Time that passes only in waits and in calls that are given a duration. */
let now = 0;
let pauses: number[] = [];
const options = {
  now: () => now,
  chance: () => 0.5,
  wait: async (ms: number) => {
    pauses.push(ms);
    now += ms;
  },
};
const newStore = () => new DynamoEventStore(new DynamoDBClient({}), 'events', options);

const failing = (name: string, status = 400) =>
  Object.assign(new Error(`it said ${name}`), { name, $metadata: { httpStatusCode: status } });

beforeEach(() => {
  dynamo.reset();
  now = 0;
  pauses = [];
});
afterEach(() => dynamo.reset());

describe('a failed condition', () => {
  it('is answered from what DynamoDB says stands there, without another read', async () => {
    let head: Record<string, AttributeValue> | undefined;
    dynamo.on(GetItemCommand).resolves({});
    dynamo.on(PutItemCommand).callsFake((input: PutItemCommandInput) => {
      expect(input.ReturnValuesOnConditionCheckFailure).toBe('ALL_OLD');
      if (head === undefined) {
        head = input.Item;
        return {};
      }
      throw new ConditionalCheckFailedException({ message: 'no', $metadata: {}, Item: head });
    });
    await newStore().append(stream, appendOf(0, 'first'));
    const answer = await newStore().append(stream, appendOf(0, 'second'));
    expect(answer).toMatchObject({
      outcome: 'conflict',
      head: { version: 1, tail: [{ commandId: 'first' }] },
    });
    expect(await newStore().append(stream, appendOf(0, 'first'))).toMatchObject({ outcome: 'repeated' });
    expect(dynamo.commandCalls(GetItemCommand)).toHaveLength(3); // each store's one read before its append
  });

  it('of a chunk trims the tail by the chunk that stands there, without another read', async () => {
    dynamo.on(GetItemCommand).resolvesOnce({}).rejects(new Error('no read was expected'));
    dynamo.on(PutItemCommand).callsFake(({ Item: item }: PutItemCommandInput) => {
      if (item?.n === undefined) return {};
      throw new ConditionalCheckFailedException({ message: 'no', $metadata: {}, Item: { n: { N: '12' } } });
    });
    const store = newStore();
    for (let version = 0; version < 17; version++) {
      expect(await store.append(stream, appendOf(version, `c${version}`))).toMatchObject({
        outcome: 'appended',
      });
    }
    const item = dynamo.commandCalls(PutItemCommand).at(-1)?.args[0].input.Item ?? {};
    expect(headOf(item)).toMatchObject({ base: 13, version: 17 });
    expect(headOf(item).commits).toHaveLength(5);
  });
});

describe('throttling', () => {
  it.each(['ProvisionedThroughputExceededException', 'ThrottlingException', 'RequestLimitExceeded'])(
    '(%s) is waited for with growing pauses, six attempts at most',
    async (name) => {
      dynamo.on(GetItemCommand).rejects(failing(name));
      const attempt = newStore().head(stream);
      await expect(attempt).rejects.toThrow(EventStoreUnavailable);
      await expect(attempt).rejects.toMatchObject({
        message: `reading S#${stream} failed after 6 attempts: ${name}: it said ${name}`,
        cause: { name },
      });
      expect(pauses).toEqual([25, 50, 100, 200, 200]);
    },
  );

  it('that ends is no outage', async () => {
    dynamo.on(GetItemCommand).rejectsOnce(failing('ThrottlingException')).resolves({});
    expect(await newStore().head(stream)).toMatchObject({ version: 0 });
  });

  it('of an urgent append is no longer waited for after 500 ms', async () => {
    dynamo.on(GetItemCommand).resolves({});
    dynamo.on(PutItemCommand).callsFake(() => {
      now += 200;
      throw failing('InternalServerError', 500);
    });
    const attempts = async (urgent: boolean) => {
      dynamo.resetHistory();
      await expect(newStore().append(stream, appendOf(0, 'alarm', { urgent }))).rejects.toThrow(
        EventStoreUnavailable,
      );
      return dynamo.commandCalls(PutItemCommand).length;
    };
    expect(await attempts(true)).toBe(3); // begun at 0, 225 and 475 ms
    expect(await attempts(false)).toBe(6);
  });
});

describe('a read on the alarm’s way', () => {
  it('is not tried again once 500 ms of refusals have passed', async () => {
    dynamo.on(GetItemCommand).callsFake(() => {
      expect(now).toBeLessThan(500);
      now += 100;
      throw failing('InternalServerError', 500);
    });
    await expect(newStore().head(stream, { urgent: true })).rejects.toThrow(EventStoreUnavailable);
    expect(pauses.length).toBeGreaterThan(1);
  });

  it('is given up after 500 ms of silence, where any other waits for 5 s', async () => {
    vi.useFakeTimers({ now: 0 });
    try {
      dynamo.on(GetItemCommand).callsFake(() => new Promise(() => undefined));
      const silentFor = async (urgent: boolean) => {
        const begun = Date.now();
        const store = new DynamoEventStore(new DynamoDBClient({}), 'events', { chance: () => 0 });
        const refusal = store.head(stream, { urgent }).catch((error: unknown) => error);
        await vi.runAllTimersAsync();
        expect(await refusal).toBeInstanceOf(EventStoreUnavailable);
        return Date.now() - begun;
      };
      expect(await silentFor(true)).toBe(500);
      expect(await silentFor(false)).toBe(5000);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('an error', () => {
  it.each(['ResourceNotFoundException', 'AccessDeniedException', 'ExpiredTokenException'])(
    '(%s) that every attempt would meet is an outage at once',
    async (name) => {
      dynamo.on(GetItemCommand).rejects(failing(name));
      await expect(newStore().head(stream)).rejects.toThrow(/failed after 1 attempt: /);
    },
  );

  it('of ours is thrown as it is', async () => {
    dynamo.on(GetItemCommand).resolves({});
    dynamo.on(PutItemCommand).rejects(failing('ValidationException'));
    await expect(appendMany(newStore(), stream, 1)).rejects.toMatchObject({ name: 'ValidationException' });
  });
});
