/** A DynamoDB table keyed StreamName and SequenceNumber, over the lean client. */
import type { AwsClient, CallResult, Operation } from './awsClient.ts';

const operation = (name: string): Operation => ({
  service: 'dynamodb',
  contentType: 'application/x-amz-json-1.0',
  target: `DynamoDB_20120810.${name}`,
});
const QUERY = operation('Query');
const GET = operation('GetItem');
const PUT = operation('PutItem');
const DELETE = operation('DeleteItem');

/** DynamoDB's typed attributes: `{ S }`, `{ N }` or `{ B }` in base64. */
export type Item = Readonly<Record<string, Readonly<Record<string, string>>>>;
export type ItemKey = { readonly partition: string; readonly sequence: string };

/** The table does not answer as it should; `code` is the service's. */
export class TableUnavailable extends Error {
  override readonly name = 'TableUnavailable';
  readonly code: string;

  constructor(code: string, message: string) {
    super(`${code}: ${message}`);
    this.code = code;
  }
}

const ATTEMPTS = 8;
const BASE_MS = 50;

export class ItemTable {
  readonly name: string;
  readonly #client: AwsClient;

  constructor(client: AwsClient, name: string) {
    this.#client = client;
    this.name = name;
  }

  /**
   * Items of one partition with numbers from `from` up to, not including, `before`, in order, page by page.
   * @throws TableUnavailable
   */
  async *range(partition: string, from: string, before: string): AsyncIterable<readonly Item[]> {
    let start: object | undefined;
    do {
      const body = await this.#call(QUERY, {
        TableName: this.name,
        ConsistentRead: true,
        KeyConditionExpression: '#p = :p AND #s BETWEEN :from AND :to',
        ExpressionAttributeNames: { '#p': 'StreamName', '#s': 'SequenceNumber' },
        ExpressionAttributeValues: { ':p': { S: partition }, ':from': { N: from }, ':to': { N: before } },
        ...(start === undefined ? {} : { ExclusiveStartKey: start }),
      });
      const { Items = [], LastEvaluatedKey } = JSON.parse(body) as {
        Items?: Item[];
        LastEvaluatedKey?: object;
      };
      // BETWEEN includes its end, which belongs to the next range.
      yield Items.filter((item) => Number(item.SequenceNumber?.N) < Number(before));
      start = LastEvaluatedKey;
    } while (start !== undefined);
  }

  /** @throws TableUnavailable */
  async get(key: ItemKey): Promise<Item | null> {
    const body = await this.#call(GET, { TableName: this.name, Key: typed(key), ConsistentRead: true });
    return (JSON.parse(body) as { Item?: Item }).Item ?? null;
  }

  /**
   * Writes an item, if its attribute `guard` has the value it had; a new item if `guard` is null.
   * @returns false when somebody else has written it
   * @throws TableUnavailable
   */
  async put(item: Item, guard: { readonly name: string; readonly number: number } | null): Promise<boolean> {
    const condition =
      guard === null
        ? {
            ConditionExpression: 'attribute_not_exists(#p)',
            ExpressionAttributeNames: { '#p': 'StreamName' },
          }
        : {
            ConditionExpression: '#g = :g',
            ExpressionAttributeNames: { '#g': guard.name },
            ExpressionAttributeValues: { ':g': { N: String(guard.number) } },
          };
    try {
      await this.#call(PUT, { TableName: this.name, Item: item, ...condition });
      return true;
    } catch (error) {
      if (error instanceof TableUnavailable && error.code === 'ConditionalCheckFailedException') return false;
      throw error;
    }
  }

  /** @throws TableUnavailable */
  async remove(key: ItemKey): Promise<void> {
    await this.#call(DELETE, { TableName: this.name, Key: typed(key) });
  }

  async #call(operation: Operation, input: object): Promise<string> {
    const body = JSON.stringify(input);
    let result: CallResult = await this.#client.call(operation, body);
    for (
      let attempt = 1;
      !result.ok && passing(result.status, result.code) && attempt < ATTEMPTS;
      attempt++
    ) {
      await new Promise((resolve) => setTimeout(resolve, BASE_MS * 2 ** attempt * Math.random()));
      result = await this.#client.call(operation, body);
    }
    if (result.ok) return result.body;
    throw new TableUnavailable(result.code || String(result.status), result.message);
  }
}

const typed = ({ partition, sequence }: ItemKey): Item => ({
  StreamName: { S: partition },
  SequenceNumber: { N: sequence },
});

const passing = (status: number, code: string) =>
  status === 0 || status >= 500 || /Throttl|Exceeded/.test(code);
