/**
 * HTTP bindings of the REST protocols: which operation a method and path mean, and which members travel
 * in the path, the query string, the headers, the status and the body.
 */
import type { Model, OperationModel, Schema } from './model.ts';
import { readText, toBuffer, writeText } from './values.ts';
import type { Answer, WireRequest } from './wire.ts';

type Traits = {
  readonly httpLabel?: unknown;
  readonly httpQuery?: string;
  readonly httpQueryParams?: unknown;
  readonly httpHeader?: string;
  readonly httpPrefixHeaders?: string;
  readonly httpPayload?: unknown;
  readonly httpResponseCode?: unknown;
};
type Route = { readonly operation: OperationModel; readonly pattern: RegExp; readonly literals: number };
/** How a body is read and written: JSON or XML. */
export type BodyCodec = {
  readonly contentType: string;
  read(operation: OperationModel, schema: Schema, body: Buffer): Record<string, unknown>;
  write(operation: OperationModel, schema: Schema, value: Record<string, unknown>): string;
};

const routesOf = new WeakMap<Model, readonly Route[]>();

/** The operation that a request's method and path mean; null when the model has none. */
export function matchRoute(model: Model, request: WireRequest): OperationModel | null {
  const found = routes(model).find(
    (route) => route.operation.http?.method === request.method && route.pattern.test(request.path),
  );
  return found?.operation ?? null;
}

/** Most literal path first, so that `/functions/{name}/policy` wins over `/functions/{name+}`. */
function routes(model: Model): readonly Route[] {
  const known = routesOf.get(model);
  if (known !== undefined) return known;
  const made = [...model.operations.values()]
    .flatMap((operation) => (operation.http === null ? [] : [routeOf(operation, operation.http.path)]))
    .sort((a, b) => b.literals - a.literals);
  routesOf.set(model, made);
  return made;
}

function routeOf(operation: OperationModel, path: string): Route {
  const [bare = ''] = path.split('?');
  const segments = bare.split('/').filter((segment) => segment !== '');
  const source = segments.map((segment) => {
    const label = /^\{(\w+)(\+?)\}$/.exec(segment);
    if (label === null) return segment.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    return `(?<${label[1]}>${label[2] === '+' ? '.+' : '[^/]+'})`;
  });
  const literals = segments.filter((segment) => !segment.startsWith('{')).length;
  return { operation, pattern: new RegExp(`^/${source.join('/')}/?$`), literals };
}

/** The operation's input, gathered from every place the schema names. */
export function readRest(model: Model, operation: OperationModel, request: WireRequest, codec: BodyCodec) {
  const route = routes(model).find((candidate) => candidate.operation === operation);
  const labels = route?.pattern.exec(request.path)?.groups ?? {};
  const input: Record<string, unknown> = {};
  if (!operation.input.isStructSchema()) return input;
  if (!hasPayload(operation.input) && request.body.length > 0) {
    Object.assign(input, codec.read(operation, operation.input, request.body));
  }
  for (const [name, member] of operation.input.structIterator()) {
    const value = readMember(name, member, { request, labels, operation, codec });
    if (value !== undefined) input[name] = value;
  }
  return input;
}

type Places = {
  readonly request: WireRequest;
  readonly labels: Readonly<Record<string, string | undefined>>;
  readonly operation: OperationModel;
  readonly codec: BodyCodec;
};

function readMember(name: string, member: Schema, places: Places): unknown {
  const { request, labels, operation, codec } = places;
  const traits = traitsOf(member);
  if (traits.httpLabel) return readOptional(member, decode(labels[name]));
  if (traits.httpHeader !== undefined) {
    return readOptional(member, request.headers[traits.httpHeader.toLowerCase()]);
  }
  if (traits.httpQuery !== undefined) {
    const values = request.query.getAll(traits.httpQuery);
    if (member.isListSchema()) {
      return values.length === 0
        ? undefined
        : values.map((value) => readText(member.getValueSchema(), value));
    }
    return readOptional(member, values[0]);
  }
  if (traits.httpQueryParams) return Object.fromEntries(request.query);
  if (traits.httpPrefixHeaders !== undefined)
    return prefixed(request, traits.httpPrefixHeaders.toLowerCase());
  if (!traits.httpPayload || request.body.length === 0) return undefined;
  if (member.isBlobSchema()) return request.body;
  if (member.isStringSchema()) return request.body.toString();
  return codec.read(operation, member, request.body);
}

function prefixed(request: WireRequest, prefix: string): Record<string, string> {
  const found = Object.entries(request.headers).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(found.map(([name, value]) => [name.slice(prefix.length), value ?? '']));
}

/** The answer's status, headers and body. */
export function writeRest(
  operation: OperationModel,
  output: Record<string, unknown>,
  codec: BodyCodec,
): Answer {
  const headers: Record<string, string> = { 'content-type': codec.contentType };
  let status = operation.http?.status ?? 200;
  let body: string | Buffer | null = null;
  const schema = operation.output;
  if (schema.isStructSchema()) {
    for (const [name, member] of schema.structIterator()) {
      const value = output[name];
      if (value === null || value === undefined) continue;
      const traits = traitsOf(member);
      if (traits.httpResponseCode) status = Number(value);
      else if (traits.httpHeader !== undefined) headers[traits.httpHeader] = writeText(member, value, 6);
      else if (traits.httpPayload) {
        body = member.isStructSchema()
          ? codec.write(operation, member, value as Record<string, unknown>)
          : toBuffer(value);
      }
    }
    if (!hasPayload(schema)) body = codec.write(operation, schema, output);
  }
  return { status, headers, body: status === 204 ? '' : (body ?? '') };
}

/** Whether a member of this name belongs into the body. */
export function isBodyMember(member: Schema): boolean {
  const traits = traitsOf(member);
  return (
    !traits.httpLabel &&
    !traits.httpQueryParams &&
    !traits.httpResponseCode &&
    traits.httpHeader === undefined &&
    traits.httpQuery === undefined &&
    traits.httpPrefixHeaders === undefined
  );
}

function hasPayload(schema: Schema): boolean {
  for (const [, member] of schema.structIterator()) if (traitsOf(member).httpPayload) return true;
  return false;
}

const readOptional = (member: Schema, text: string | undefined) =>
  text === undefined ? undefined : readText(member, text);
const decode = (text: string | undefined) => (text === undefined ? undefined : decodeURIComponent(text));
const traitsOf = (schema: Schema) => schema.getMergedTraits() as Traits;
