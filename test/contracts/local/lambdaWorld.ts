/** A local cloud of the services around Lambda, with bundles written for the occasion. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateFunctionCommand,
  type CreateFunctionCommandInput,
  InvokeCommand,
  type InvokeCommandInput,
  LambdaClient,
} from '@aws-sdk/client-lambda';
import { VirtualClock } from '../../../lib/asl/clock.ts';
import { Bus } from '../../../lib/local/bus.ts';
import { dynamodbService } from '../../../lib/local/dynamodb/dynamodbService.ts';
import { Tables, type TablesOptions } from '../../../lib/local/dynamodb/tables.ts';
import { type Endpoint, startEndpoint } from '../../../lib/local/endpoint.ts';
import { type Lambda, startLambda } from '../../../lib/local/lambda/lambda.ts';
import { seededRandom } from '../../../lib/local/random.ts';
import { Queues } from '../../../lib/local/sqs/queues.ts';
import { sqsService } from '../../../lib/local/sqs/sqsService.ts';
import { stsService } from '../../../lib/local/sts/stsService.ts';

export const place = { region: 'eu-west-1', account: '000000000000' };

export type Answered = {
  // biome-ignore lint/suspicious/noExplicitAny: whatever the function answers
  readonly payload: any;
  readonly error: string | undefined;
  readonly version: string | undefined;
  readonly log: string;
};

export type LambdaWorld = {
  readonly clock: VirtualClock;
  readonly queues: Queues;
  readonly tables: Tables;
  readonly lambda: Lambda;
  readonly endpoint: Endpoint;
  readonly client: LambdaClient;
  /** Writes a bundle and answers its path. */
  bundle(name: string, source: string): string;
  /** Creates a function from a bundle's source. */
  create(name: string, source: string, more?: Partial<CreateFunctionCommandInput>): Promise<void>;
  invoke(name: string, event?: unknown, more?: Partial<InvokeCommandInput>): Promise<Answered>;
  close(): Promise<void>;
};

export async function startLambdaWorld(tableOptions: Partial<TablesOptions> = {}): Promise<LambdaWorld> {
  const clock = new VirtualClock();
  const bus = new Bus();
  const queues = new Queues({ clock, bus });
  const tables = new Tables({ ...place, clock, ...tableOptions });
  const folder = mkdtempSync(join(tmpdir(), 'bundles-'));
  let url = '';
  const lambda = startLambda({ clock, bus, queues, tables, random: seededRandom(3), endpointUrl: () => url });
  const endpoint = await startEndpoint({
    services: [lambda.service, sqsService(queues, clock), dynamodbService(tables), stsService()],
    clock,
    killCaller: (key) => lambda.workers.killCaller(key),
  });
  url = endpoint.url;
  const client = new LambdaClient({ endpoint: url, region: place.region, maxAttempts: 1 });
  const bundle = (name: string, source: string) => {
    const path = join(folder, `${name}.mjs`);
    writeFileSync(path, source);
    return path;
  };
  return {
    clock,
    queues,
    tables,
    lambda,
    endpoint,
    client,
    bundle,
    async create(name, source, more = {}) {
      await client.send(
        new CreateFunctionCommand({
          FunctionName: name,
          Runtime: 'nodejs24.x',
          Handler: 'index.handler',
          Role: 'arn:aws:iam::000000000000:role/r',
          Code: { S3Bucket: 'hot-reload', S3Key: bundle(name, source) },
          ...more,
        }),
      );
    },
    async invoke(name, event, more = {}) {
      const given = event === undefined ? {} : { Payload: JSON.stringify(event) };
      const answer = await client.send(
        new InvokeCommand({ FunctionName: name, LogType: 'Tail', ...given, ...more }),
      );
      const text = Buffer.from(answer.Payload ?? []).toString();
      return {
        payload: text === '' ? undefined : JSON.parse(text),
        error: answer.FunctionError,
        version: answer.ExecutedVersion,
        log: Buffer.from(answer.LogResult ?? '', 'base64').toString(),
      };
    },
    async close() {
      await endpoint.close();
      rmSync(folder, { recursive: true });
    },
  };
}
