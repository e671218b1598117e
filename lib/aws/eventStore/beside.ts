/** What is kept beside a stream because it is too big for an event: plans and the raw minutes of verdicts. */

import { hash } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import { type DynamoDBClient, GetItemCommand, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import type { Minute } from '../../core/analysis/minutes.ts';
import { invariant } from '../../core/decision.ts';
import { canonical } from '../../core/eventStore/hashChain.ts';
import { minutesBytesMax } from '../../core/eventStore/limits.ts';
import { PlanDiffers } from '../../core/outage.ts';
import { type Calls, isConditionFailure } from './calls.ts';
import { itemKey, streamKey } from './items.ts';
import { type Item, textOf } from './stored.ts';

export class Beside {
  readonly #client: DynamoDBClient;
  readonly #table: string;
  readonly #calls: Calls;

  constructor(client: DynamoDBClient, table: string, calls: Calls) {
    this.#client = client;
    this.#table = table;
    this.#calls = calls;
  }

  /**
   * @returns the SHA-256 of the plan's canonical JSON, hex
   * @throws PlanDiffers when another plan is kept under this id
   */
  async keepPlan(stream: string, rolloutId: string, plan: unknown): Promise<string> {
    const text = canonical(plan);
    const item = { ...planKey(stream, rolloutId), rolloutId: { S: rolloutId }, plan: { S: text } };
    try {
      await this.#calls.make(`keeping the plan of ${rolloutId}`, () =>
        this.#client.send(
          new PutItemCommand({
            TableName: this.#table,
            Item: item,
            ConditionExpression: 'attribute_not_exists(#pk)',
            ExpressionAttributeNames: { '#pk': 'pk' },
          }),
        ),
      );
    } catch (error) {
      if (!isConditionFailure(error)) throw error;
      if (canonical(await this.plan(stream, rolloutId)) !== text) {
        const sentence = `${rolloutId} has another plan already: start a rollout under a new id`;
        throw new PlanDiffers(sentence, { cause: error });
      }
    }
    return hash('sha256', text, 'hex');
  }

  async plan(stream: string, rolloutId: string): Promise<unknown> {
    const { Item: item } = await this.#calls.make(`reading the plan of ${rolloutId}`, () =>
      this.#client.send(
        new GetItemCommand({
          TableName: this.#table,
          Key: planKey(stream, rolloutId),
          ConsistentRead: true,
        }),
      ),
    );
    return item === undefined ? null : JSON.parse(textOf(item.plan));
  }

  /** @returns the SHA-256 of the minutes' canonical JSON, hex */
  async keepMinutes(rolloutId: string, block: number, minutes: readonly Minute[]): Promise<string> {
    const text = canonical(minutes);
    const deflated = deflateRawSync(text);
    invariant(
      deflated.length <= minutesBytesMax,
      `block ${block} of ${rolloutId}'s minutes takes ${deflated.length} bytes ` +
        `and may take ${minutesBytesMax}: begin a new block earlier`,
    );
    await this.#calls.make(`keeping minutes of ${rolloutId}`, () =>
      this.#client.send(
        new PutItemCommand({
          TableName: this.#table,
          Item: { ...itemKey(minutesKey(rolloutId), block), minutes: { B: deflated } },
        }),
      ),
    );
    return hash('sha256', text, 'hex');
  }

  async minutes(rolloutId: string): Promise<readonly Minute[]> {
    const minutes: Minute[] = [];
    let after: Item | undefined;
    do {
      const page = await this.#calls.make(`reading the minutes of ${rolloutId}`, () =>
        this.#client.send(
          new QueryCommand({
            TableName: this.#table,
            ConsistentRead: true,
            KeyConditionExpression: '#pk = :pk',
            ExpressionAttributeNames: { '#pk': 'pk' },
            ExpressionAttributeValues: { ':pk': { S: minutesKey(rolloutId) } },
            ...(after === undefined ? {} : { ExclusiveStartKey: after }),
          }),
        ),
      );
      for (const item of page.Items ?? []) minutes.push(...(JSON.parse(textOf(item.minutes)) as Minute[]));
      after = page.LastEvaluatedKey;
    } while (after !== undefined);
    return minutes;
  }
}

const minutesKey = (rolloutId: string): string => `M#${rolloutId}`;

/**
 * A plan is found by its rollout alone: its sort key is 24 hex digits of the id's hash, as a negative
 * number.
 */
function planKey(stream: string, rolloutId: string): Item {
  const digits = hash('sha256', rolloutId, 'hex').slice(0, 24);
  return itemKey(streamKey(stream), `-${BigInt(`0x${digits}`) + 1n}`);
}
