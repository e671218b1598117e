/** On-demand backups: a table's definition and its items, kept until deleted, restored into a new table. */
import { randomUUID } from 'node:crypto';
import { ServiceError } from '../service.ts';
import type { Input, Item, Output, Table } from './engine.ts';
import type { Tables } from './tables.ts';

type Backup = {
  readonly arn: string;
  readonly name: string;
  readonly at: number;
  readonly table: Table;
  readonly items: readonly Item[];
  /** As JSON on the wire. */
  readonly bytes: number;
};

export class Backups {
  readonly #tables: Tables;
  readonly #backups = new Map<string, Backup>();

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  async create({ TableName, BackupName }: Input): Promise<Output> {
    const name = String(TableName);
    const table = structuredClone(await this.#tables.require(name));
    const items = await this.#items(name);
    const at = this.#tables.clock.now();
    const arn = `${table.TableArn}/backup/${String(at).padStart(17, '0')}-${randomUUID().slice(0, 8)}`;
    const backup: Backup = {
      arn,
      name: String(BackupName),
      at,
      table,
      items,
      bytes: JSON.stringify(items).length,
    };
    this.#backups.set(arn, backup);
    return { BackupDetails: detailsOf(backup) };
  }

  describe({ BackupArn }: Input): Output {
    return { BackupDescription: descriptionOf(this.#require(BackupArn)) };
  }

  delete({ BackupArn }: Input): Output {
    const backup = this.#require(BackupArn);
    this.#backups.delete(backup.arn);
    return {
      BackupDescription: {
        ...descriptionOf(backup),
        BackupDetails: { ...detailsOf(backup), BackupStatus: 'DELETED' },
      },
    };
  }

  list({ TableName }: Input): Output {
    const found = [...this.#backups.values()].filter(
      ({ table }) => TableName === undefined || table.TableName === TableName,
    );
    const BackupSummaries = found.map((backup) => ({
      TableName: backup.table.TableName,
      TableArn: backup.table.TableArn,
      ...detailsOf(backup),
    }));
    return { BackupSummaries };
  }

  /** Indexes and billing come back with the table; its stream, TTL and tags do not, as on AWS. */
  async restore({ TargetTableName, BackupArn }: Input): Promise<Output> {
    const { table, items, arn, at } = this.#require(BackupArn);
    const name = String(TargetTableName);
    if ((await this.#tables.engine.table(name)) !== null) {
      throw new ServiceError('TableAlreadyExistsException', `Table already exists: ${name}`);
    }
    const { TableDescription } = await this.#tables.create(definitionOf(table, name));
    for (const item of items) await this.#tables.run('PutItem', { TableName: name, Item: item });
    const RestoreSummary = {
      SourceBackupArn: arn,
      SourceTableArn: table.TableArn,
      RestoreDateTime: at / 1000,
      RestoreInProgress: false,
    };
    return { TableDescription: { ...TableDescription, RestoreSummary } };
  }

  async #items(name: string): Promise<readonly Item[]> {
    const items: Item[] = [];
    let start: unknown;
    do {
      const page = await this.#tables.run('Scan', {
        TableName: name,
        ConsistentRead: true,
        ...(start === undefined ? {} : { ExclusiveStartKey: start }),
      });
      items.push(...structuredClone(page.Items));
      start = page.LastEvaluatedKey;
    } while (start !== undefined);
    return items;
  }

  #require(arn: unknown): Backup {
    const backup = this.#backups.get(String(arn));
    if (backup === undefined) throw new ServiceError('BackupNotFoundException', `Backup not found: ${arn}`);
    return backup;
  }
}

const detailsOf = (backup: Backup) => ({
  BackupArn: backup.arn,
  BackupName: backup.name,
  BackupStatus: 'AVAILABLE',
  BackupType: 'USER',
  BackupCreationDateTime: backup.at / 1000,
  BackupSizeBytes: backup.bytes,
});

const descriptionOf = (backup: Backup) => ({
  BackupDetails: detailsOf(backup),
  SourceTableDetails: {
    TableName: backup.table.TableName,
    TableArn: backup.table.TableArn,
    TableId: backup.table.TableId,
    KeySchema: backup.table.KeySchema,
    TableCreationDateTime: backup.table.CreationDateTime,
    ProvisionedThroughput: { ReadCapacityUnits: 0, WriteCapacityUnits: 0 },
    ItemCount: backup.items.length,
    TableSizeBytes: backup.bytes,
  },
});

type Index = { readonly IndexName: string; readonly KeySchema: unknown; readonly Projection: unknown };

/** The CreateTable input that makes such a table again. */
function definitionOf(table: Table, name: string): Input {
  const indexes = (member: string) =>
    ((table[member] ?? []) as readonly Index[]).map(({ IndexName, KeySchema, Projection }) => ({
      IndexName,
      KeySchema,
      Projection,
    }));
  const global = indexes('GlobalSecondaryIndexes');
  const local = indexes('LocalSecondaryIndexes');
  return {
    TableName: name,
    BillingMode: 'PAY_PER_REQUEST',
    KeySchema: table.KeySchema,
    AttributeDefinitions: table.AttributeDefinitions,
    ...(global.length === 0 ? {} : { GlobalSecondaryIndexes: global }),
    ...(local.length === 0 ? {} : { LocalSecondaryIndexes: local }),
  };
}
