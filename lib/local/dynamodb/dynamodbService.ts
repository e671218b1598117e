/** Amazon DynamoDB as its clients see it: dynalite's operations, and those it lacks. */
import * as sdk from '@aws-sdk/client-dynamodb';
import { type LocalService, type Operation, ServiceError } from '../service.ts';
import { Backups } from './backups.ts';
import type { Input } from './engine.ts';
import { type Tables, tagsOf } from './tables.ts';

const dynalites = [
  'GetItem',
  'PutItem',
  'UpdateItem',
  'DeleteItem',
  'Query',
  'Scan',
  'BatchGetItem',
  'BatchWriteItem',
  'ListTables',
];

export function dynamodbService(tables: Tables): LocalService {
  const items = dynalites.map((name): [string, Operation] => [
    name,
    (input: Input) => tables.run(name, input),
  ]);
  return {
    scope: 'dynamodb',
    sdk,
    undecoded: true,
    operations: {
      ...Object.fromEntries(items),
      ...tableOperations(tables),
      ...tagOperations(tables),
      ...backupOperations(new Backups(tables)),
    },
    close: () => tables.engine.close(),
  };
}

function tableOperations(tables: Tables): LocalService['operations'] {
  return {
    CreateTable: (input: Input) => tables.create(input),
    UpdateTable: (input: Input) => tables.update(input),
    DeleteTable: (input: Input) => tables.delete(input),
    DescribeTable: (input: Input) => tables.describe(input),
    TransactWriteItems: (input: Input) => tables.transactWrite(input),
    TransactGetItems: (input: Input) => tables.transactGet(input),
    async UpdateTimeToLive({ TableName, TimeToLiveSpecification: wanted }) {
      await tables.require(TableName);
      const extras = tables.extras(TableName);
      if (wanted.Enabled === (extras.ttlAttribute !== null)) {
        const sentence = `TimeToLive is already ${wanted.Enabled ? 'enabled' : 'disabled'}`;
        throw new ServiceError('ValidationException', sentence);
      }
      extras.ttlAttribute = wanted.Enabled ? wanted.AttributeName : null;
      return { TimeToLiveSpecification: wanted };
    },
    async DescribeTimeToLive({ TableName }) {
      await tables.require(TableName);
      const { ttlAttribute } = tables.extras(TableName);
      const enabled = { TimeToLiveStatus: 'ENABLED', AttributeName: ttlAttribute };
      return { TimeToLiveDescription: ttlAttribute === null ? { TimeToLiveStatus: 'DISABLED' } : enabled };
    },
    async UpdateContinuousBackups({ TableName, PointInTimeRecoverySpecification: wanted }) {
      await tables.require(TableName);
      tables.extras(TableName).recoverable = wanted.PointInTimeRecoveryEnabled;
      return { ContinuousBackupsDescription: continuousBackups(wanted.PointInTimeRecoveryEnabled) };
    },
    async DescribeContinuousBackups({ TableName }) {
      await tables.require(TableName);
      return { ContinuousBackupsDescription: continuousBackups(tables.extras(TableName).recoverable) };
    },
  };
}

function tagOperations(tables: Tables): LocalService['operations'] {
  const ofResource = async (arn: string) => {
    const name = arn.split('/')[1] ?? '';
    await tables.require(name);
    return tables.extras(name);
  };
  return {
    async TagResource({ ResourceArn, Tags }) {
      const extras = await ofResource(ResourceArn);
      extras.tags = { ...extras.tags, ...tagsOf(Tags) };
    },
    async UntagResource({ ResourceArn, TagKeys }) {
      const extras = await ofResource(ResourceArn);
      extras.tags = Object.fromEntries(Object.entries(extras.tags).filter(([key]) => !TagKeys.includes(key)));
    },
    async ListTagsOfResource({ ResourceArn }) {
      const { tags } = await ofResource(ResourceArn);
      return { Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) };
    },
  };
}

function backupOperations(backups: Backups): LocalService['operations'] {
  return {
    CreateBackup: (input: Input) => backups.create(input),
    DescribeBackup: (input: Input) => backups.describe(input),
    DeleteBackup: (input: Input) => backups.delete(input),
    ListBackups: (input: Input) => backups.list(input),
    RestoreTableFromBackup: (input: Input) => backups.restore(input),
  };
}

const continuousBackups = (enabled: boolean) => ({
  ContinuousBackupsStatus: 'ENABLED',
  PointInTimeRecoveryDescription: { PointInTimeRecoveryStatus: enabled ? 'ENABLED' : 'DISABLED' },
});
