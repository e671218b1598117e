/**
 * The DynamoDB Streams API. An iterator is a place in a shard, written into the token itself; the record a
 * reader stopped at stays where it is, so an iterator never goes stale.
 */
import * as sdk from '@aws-sdk/client-dynamodb-streams';
import { type LocalService, ServiceError } from '../service.ts';
import type { Shard, TableStream } from './tableStream.ts';
import type { Tables } from './tables.ts';

const recordsMax = 1_000;

export function dynamodbStreamsService(tables: Tables): LocalService {
  const streamOf = (arn: string): TableStream => {
    const stream = tables.stream(arn);
    if (stream === null) throw missing(`Requested resource not found: Stream: ${arn} not found`);
    return stream;
  };
  return {
    scope: 'dynamodb',
    sdk,
    undecoded: true,
    operations: {
      ListStreams({ TableName }) {
        const found = tables.streams.filter(({ table }) => TableName === undefined || table === TableName);
        const Streams = found.map(({ arn, table, label }) => ({
          StreamArn: arn,
          TableName: table,
          StreamLabel: label,
        }));
        return { Streams };
      },
      async DescribeStream({ StreamArn }) {
        const stream = streamOf(StreamArn);
        const table = await tables.engine.table(stream.table);
        return {
          StreamDescription: {
            StreamArn,
            StreamLabel: stream.label,
            StreamStatus: stream.enabled ? 'ENABLED' : 'DISABLED',
            StreamViewType: stream.view,
            CreationRequestDateTime: stream.createdAt / 1000,
            TableName: stream.table,
            KeySchema: table?.KeySchema,
            Shards: stream.shards.map(({ id, startingSequenceNumber }) => ({
              ShardId: id,
              SequenceNumberRange: { StartingSequenceNumber: startingSequenceNumber },
            })),
          },
        };
      },
      GetShardIterator({ StreamArn, ShardId, ShardIteratorType, SequenceNumber }) {
        const shard = shardOf(streamOf(StreamArn), ShardId);
        const position = startOf(shard, ShardIteratorType, SequenceNumber);
        return { ShardIterator: writeIterator({ arn: StreamArn, shard: ShardId, position }) };
      },
      GetRecords({ ShardIterator, Limit = recordsMax }) {
        if (Limit < 1 || Limit > recordsMax)
          throw invalid(`Limit must be between 1 and ${recordsMax}: ${Limit}`);
        const { arn, shard: id, position } = readIterator(ShardIterator);
        const Records = shardOf(streamOf(arn), id).read(position, Limit);
        const next = writeIterator({ arn, shard: id, position: position + Records.length });
        return { Records, NextShardIterator: next };
      },
    },
  };
}

function startOf(shard: Shard, type: string, sequenceNumber: string | undefined): number {
  if (type === 'TRIM_HORIZON') return 0;
  if (type === 'LATEST') return shard.end;
  const position =
    sequenceNumber === shard.startingSequenceNumber ? 0 : shard.positionOf(sequenceNumber ?? '');
  if (position === null) throw invalid(`Invalid SequenceNumber: ${sequenceNumber}`);
  if (type === 'AT_SEQUENCE_NUMBER') return position;
  if (type === 'AFTER_SEQUENCE_NUMBER') return position + 1;
  throw invalid(`Invalid ShardIteratorType: ${type}`);
}

function shardOf(stream: TableStream, id: string): Shard {
  const shard = stream.shards.find((other) => other.id === id);
  if (shard === undefined) throw missing(`Requested resource not found: Shard: ${id} in ${stream.arn}`);
  return shard;
}

type Iterator_ = { readonly arn: string; readonly shard: string; readonly position: number };

const writeIterator = (iterator: Iterator_) => Buffer.from(JSON.stringify(iterator)).toString('base64url');

function readIterator(token: string): Iterator_ {
  try {
    return JSON.parse(Buffer.from(token, 'base64url').toString());
  } catch {
    throw invalid('Invalid ShardIterator');
  }
}

const missing = (message: string) => new ServiceError('ResourceNotFoundException', message);
const invalid = (message: string) => new ServiceError('ValidationException', message);
