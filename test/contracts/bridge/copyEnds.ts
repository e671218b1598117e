/** The two ends of a copied stream: a real nats-server, and the local cloud with its clients. */
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { jetstreamManager } from '@nats-io/jetstream';
import { realClock } from '../../../lib/asl/clock.ts';
import { AwsClient } from '../../../lib/aws/lean/awsClient.ts';
import { CredentialKeeper } from '../../../lib/aws/lean/credentials.ts';
import { startLocalCloud } from '../../../lib/local/cloud.ts';
import type { JetStreamApi } from '../../../lib/nats/natsLink.ts';
import { NatsServer } from './natsServer.ts';
import { CREDENTIALS, REGION } from './strictSink.ts';

export type CopyEnds = Awaited<ReturnType<typeof openCopyEnds>>;

export async function openCopyEnds() {
  const server = await NatsServer.start();
  const cloud = await startLocalCloud();
  const nats = await server.connect();
  const api: JetStreamApi = await jetstreamManager(nats);
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const dynamodb = new DynamoDBClient({ endpoint: cloud.url, region: REGION, credentials });
  const keeper = new CredentialKeeper(async () => CREDENTIALS, realClock);
  const client = new AwsClient({ region: REGION, endpoint: cloud.url, timeoutMs: 10_000 }, keeper, realClock);
  const close = async () => {
    client.close();
    dynamodb.destroy();
    await cloud.close();
    await server.stop();
  };
  return { server, cloud, nats, api, dynamodb, client, close };
}

/** A table that a stream can be copied into. */
export async function createStreamTable(dynamodb: DynamoDBClient, TableName: string): Promise<void> {
  await dynamodb.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [
        { AttributeName: 'StreamName', AttributeType: 'S' },
        { AttributeName: 'SequenceNumber', AttributeType: 'N' },
      ],
      KeySchema: [
        { AttributeName: 'StreamName', KeyType: 'HASH' },
        { AttributeName: 'SequenceNumber', KeyType: 'RANGE' },
      ],
    }),
  );
}
