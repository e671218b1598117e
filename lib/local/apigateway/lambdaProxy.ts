/** AWS_PROXY: a function gets the request as an event and answers with status, headers and body. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ApiCall } from './apiCall.ts';

/** Runs a function by its ARN with a JSON payload; answers its JSON result. Rejects when it failed. */
export type InvokeFunction = (functionArn: string, payload: string) => Promise<string>;

/** Event and answer: API Gateway developer guide, "Lambda proxy integrations", payload version 1.0. */
export async function callFunction(
  invoke: InvokeFunction,
  call: ApiCall,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [, pattern = ''] = /\/functions\/(.+)\/invocations$/.exec(call.route.integration.uri) ?? [];
  const arn = pattern.replace(
    /\$\{stageVariables\.(\w+)\}/g,
    (_, name: string) => call.variables[name] ?? '',
  );
  let answered: Answered;
  try {
    answered = JSON.parse(await invoke(arn, JSON.stringify(await eventOf(call, incoming))));
    if (typeof answered?.statusCode !== 'number') throw new Error('the answer has no statusCode');
  } catch {
    response
      .writeHead(502, { 'content-type': 'application/json' })
      .end('{"message":"Internal server error"}');
    return;
  }
  const { statusCode, headers = {}, multiValueHeaders = {}, body = '', isBase64Encoded = false } = answered;
  response
    .writeHead(statusCode, { 'content-type': 'application/json', ...headers, ...multiValueHeaders })
    .end(isBase64Encoded ? Buffer.from(body, 'base64') : body);
}

type Answered = {
  readonly statusCode?: number;
  readonly headers?: Record<string, string>;
  readonly multiValueHeaders?: Record<string, string[]>;
  readonly body?: string;
  readonly isBase64Encoded?: boolean;
};

async function eventOf(call: ApiCall, incoming: IncomingMessage) {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  const lists: Record<string, string[]> = {};
  for (const [name, value] of call.search) lists[name] = [...(lists[name] ?? []), value];
  const last = Object.fromEntries(Object.entries(lists).map(([name, values]) => [name, values.at(-1)]));
  const headers = Object.entries(incoming.headers).map(
    ([name, value]) => [name, [value ?? ''].flat()] as const,
  );
  return {
    resource: call.route.path,
    path: call.path,
    httpMethod: call.method,
    headers: Object.fromEntries(headers.map(([name, values]) => [name, values.at(-1)])),
    multiValueHeaders: Object.fromEntries(headers),
    queryStringParameters: call.search.size > 0 ? last : null,
    multiValueQueryStringParameters: call.search.size > 0 ? lists : null,
    pathParameters: Object.keys(call.parameters).length > 0 ? call.parameters : null,
    stageVariables: Object.keys(call.variables).length > 0 ? call.variables : null,
    requestContext: {
      resourcePath: call.route.path,
      httpMethod: call.method,
      path: `/${call.stageName}${call.path}`,
      stage: call.stageName,
      apiId: call.apiId,
      requestId: randomUUID(),
      identity: { sourceIp: (incoming.socket.remoteAddress ?? '').replace(/^::ffff:/, '') },
    },
    body: body.length > 0 ? body.toString() : null,
    isBase64Encoded: false,
  };
}
