// Our store as it would be with the SDK's own calls: what its lean ones bring is told apart from the rest.

import { type DynamoDBClient, GetItemCommand, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { LeanGetItem, LeanPutItem, LeanQuery } from '../../lib/aws/eventStore/leanCommands.ts';

/** The same client, which sends every command through the SDK's middleware. */
export function sdkCalls(client: DynamoDBClient): DynamoDBClient {
  const send = client.send.bind(client) as (command: object) => Promise<unknown>;
  return Object.assign(client, { send: (command: object) => send(asTheSdks(command)) });
}

function asTheSdks(command: object): object {
  if (command instanceof LeanPutItem) return new PutItemCommand(command.input);
  if (command instanceof LeanGetItem) return new GetItemCommand(command.input);
  return command instanceof LeanQuery ? new QueryCommand(command.input) : command;
}
