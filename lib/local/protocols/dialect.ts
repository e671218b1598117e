/**
 * The ways an AWS client may put one call: aws-json, Query, rest-json, rest-xml. Which one a request
 * speaks is read from the request itself, because clients of different age speak differently to one
 * service: the SDK sends JSON to SQS and CloudWatch where awscli 2.9 sends Query.
 */
import { readJson, writeJson } from './json.ts';
import type { ErrorModel, Model, OperationModel, Schema } from './model.ts';
import { readForm, readQuery } from './query.ts';
import { type BodyCodec, isBodyMember, matchRoute, readRest, writeRest } from './rest.ts';
import type { Answer, Failure, WireRequest } from './wire.ts';
import { escapeXml, parseXml, readXml, writeMembers } from './xml.ts';

export type Dialect = {
  readonly kind: 'json' | 'query' | 'rest-json' | 'rest-xml';
  /** The operation's name as the request gives it; null when the request names none. */
  operationName(model: Model, request: WireRequest): string | null;
  /** @throws SyntaxError when the body cannot be parsed */
  read(model: Model, operation: OperationModel, request: WireRequest): Record<string, unknown>;
  write(model: Model, operation: OperationModel, output: Record<string, unknown>, requestId: string): Answer;
  fail(model: Model | null, failure: Failure, requestId: string): Answer;
};

/** The dialect a request is put in; REST needs the model, because only the path tells it. */
export function dialectOf(request: WireRequest, model: Model | null): Dialect {
  if (request.headers['x-amz-target'] !== undefined) return awsJson;
  const form = (request.headers['content-type'] ?? '').includes('x-www-form-urlencoded');
  if (form || request.query.has('Action')) return awsQuery;
  return model?.sdkProtocol === 'rest-xml' ? restXml : restJson;
}

const plain = { jsonName: false };
const named = { jsonName: true };

const awsJson: Dialect = {
  kind: 'json',
  operationName: (_model, request) => request.headers['x-amz-target']?.split('.').at(-1) ?? null,
  read: (_model, operation, request) => record(readJson(operation.input, parseJson(request.body), plain)),
  write: (model, operation, output, requestId) => ({
    status: 200,
    headers: { 'content-type': `application/x-amz-json-${model.jsonVersion}`, 'x-amzn-requestid': requestId },
    body: JSON.stringify(writeJson(operation.output, output, plain) ?? {}),
  }),
  fail(model, failure, requestId) {
    const known = model?.error(failure.code) ?? null;
    const code = known?.query;
    return {
      status: statusOf(known, failure),
      headers: {
        'content-type': `application/x-amz-json-${model?.jsonVersion ?? '1.1'}`,
        'x-amzn-requestid': requestId,
        'x-amzn-errortype': failure.code,
        // Clients of services that once spoke Query match this code rather than the shape's name.
        ...(code ? { 'x-amzn-query-error': `${code[0]};Sender` } : {}),
      },
      body: JSON.stringify({
        __type: failure.code,
        message: failure.message,
        ...members(known, failure, plain),
      }),
    };
  },
};

const awsQuery: Dialect = {
  kind: 'query',
  operationName: (_model, request) => request.query.get('Action') ?? formOf(request).get('Action'),
  read(_model, operation, request) {
    const text = request.query.has('Action') ? request.query.toString() : request.body.toString();
    return record(readQuery(operation.input, readForm(text)));
  },
  write(model, operation, output, requestId) {
    const { name } = operation;
    const result = operation.output.isStructSchema() ? writeMembers(operation.output, output) : '';
    return xmlAnswer(
      200,
      requestId,
      `<${name}Response xmlns="${model.xmlNamespace}"><${name}Result>${result}</${name}Result>` +
        `<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata></${name}Response>`,
    );
  },
  fail(model, failure, requestId) {
    const known = model?.error(failure.code) ?? null;
    const [code, status] = known?.query ?? [failure.code, statusOf(known, failure)];
    return xmlError({ ...failure, code, status }, requestId, members(known, failure, plain));
  },
};

const jsonBody: BodyCodec = {
  contentType: 'application/json',
  read: (_operation, schema, body) => record(readJson(schema, parseJson(body), named)),
  write: (_operation, schema, value) => JSON.stringify(writeJson(schema, bodyOf(schema, value), named) ?? {}),
};

const restJson: Dialect = {
  kind: 'rest-json',
  operationName: (model, request) => matchRoute(model, request)?.name ?? null,
  read: (model, operation, request) => readRest(model, operation, request, jsonBody),
  write(_model, operation, output, requestId) {
    const answer = writeRest(operation, output, jsonBody);
    return { ...answer, headers: { ...answer.headers, 'x-amzn-requestid': requestId } };
  },
  fail(model, failure, requestId) {
    const known = model?.error(failure.code) ?? null;
    return {
      status: statusOf(known, failure),
      headers: {
        'content-type': 'application/json',
        'x-amzn-requestid': requestId,
        'x-amzn-errortype': failure.code,
      },
      body: JSON.stringify({ message: failure.message, ...members(known, failure, named) }),
    };
  },
};

const xmlBody: BodyCodec = {
  contentType: 'text/xml',
  read: (_operation, schema, body) => record(readXml(schema, parseXml(body.toString()))),
  write: (operation, schema, value) => {
    const root =
      schema === operation.output ? `${operation.name}Response` : (schema.getName() ?? operation.name);
    return `<?xml version="1.0"?><${root}>${writeMembers(schema, bodyOf(schema, value))}</${root}>`;
  },
};

const restXml: Dialect = {
  kind: 'rest-xml',
  operationName: restJson.operationName,
  read: (model, operation, request) => readRest(model, operation, request, xmlBody),
  write(_model, operation, output, requestId) {
    const answer = writeRest(operation, output, xmlBody);
    return { ...answer, headers: { ...answer.headers, 'x-amzn-requestid': requestId } };
  },
  fail(model, failure, requestId) {
    const known = model?.error(failure.code) ?? null;
    return xmlError(
      { ...failure, status: statusOf(known, failure) },
      requestId,
      members(known, failure, plain),
    );
  },
};

/** The members of `value` that travel in the body. */
function bodyOf(schema: Schema, value: Record<string, unknown>): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  for (const [name, member] of schema.structIterator()) if (isBodyMember(member)) kept[name] = value[name];
  return kept;
}

/** What an error carries besides its message, as its schema says. */
function members(
  known: ErrorModel | null,
  failure: Failure,
  names: { jsonName: boolean },
): Record<string, unknown> {
  if (known === null || failure.encoded || Object.keys(failure.members).length === 0)
    return { ...failure.members };
  return record(writeJson(known.schema, failure.members, names));
}

function xmlError(failure: Failure, requestId: string, extra: Record<string, unknown>): Answer {
  const type = failure.status < 500 ? 'Sender' : 'Receiver';
  const more = Object.entries(extra).map(([name, value]) => `<${name}>${escapeXml(String(value))}</${name}>`);
  return xmlAnswer(
    failure.status,
    requestId,
    `<ErrorResponse><Error><Type>${type}</Type><Code>${failure.code}</Code>` +
      `<Message>${escapeXml(failure.message)}</Message>${more.join('')}</Error>` +
      `<RequestId>${requestId}</RequestId></ErrorResponse>`,
  );
}

const xmlAnswer = (status: number, requestId: string, body: string): Answer => ({
  status,
  headers: { 'content-type': 'text/xml', 'x-amzn-requestid': requestId },
  body,
});
const statusOf = (known: ErrorModel | null, failure: Failure) => known?.status ?? failure.status;
const parseJson = (body: Buffer): unknown => (body.length === 0 ? {} : JSON.parse(body.toString()));
const formOf = (request: WireRequest) => new URLSearchParams(request.body.toString());
const record = (value: unknown) => (value ?? {}) as Record<string, unknown>;
