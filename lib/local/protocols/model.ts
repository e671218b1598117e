/**
 * A service's wire as its SDK client describes it: operations, errors and protocol are read from the
 * client package itself, so nothing about a shape is written down twice.
 *
 * The client's tuples: an operation is `[9, namespace, name, traits, input, output]`, a structure
 * `[3, namespace, name, traits, memberNames, memberTypes, requiredCount]`, required members first.
 */
import { NormalizedSchema } from '@smithy/core/schema';

export type Schema = NormalizedSchema;

export type HttpBinding = { readonly method: string; readonly path: string; readonly status: number };

export type OperationModel = {
  readonly name: string;
  readonly input: Schema;
  readonly output: Schema;
  readonly http: HttpBinding | null;
};

export type ErrorModel = {
  readonly schema: Schema;
  /** The HTTP status the model names; null where it leaves that to the protocol. */
  readonly status: number | null;
  /** The code and status that Query clients expect instead of the shape's name. */
  readonly query: readonly [code: string, status: number] | null;
};

export type Model = {
  readonly sdkProtocol: 'json' | 'query' | 'rest-json' | 'rest-xml';
  /** What stands before the dot in `x-amz-target`; null for protocols without it. */
  readonly targetPrefix: string | null;
  readonly jsonVersion: '1.0' | '1.1';
  readonly xmlNamespace: string;
  readonly operations: ReadonlyMap<string, OperationModel>;
  error(code: string): ErrorModel | null;
};

type Exported = Readonly<Record<string, unknown>>;
type ClientProtocol = {
  getShapeId(): string;
  readonly serviceTarget?: string;
  readonly options?: { readonly xmlNamespace?: string };
};

const models = new WeakMap<object, Model>();

/** The model of an `@aws-sdk/client-*` module, read once per module. */
export function modelOf(sdk: object): Model {
  const known = models.get(sdk);
  if (known !== undefined) return known;
  const model = readModel(sdk as Exported);
  models.set(sdk, model);
  return model;
}

/** The members a structure cannot do without. */
export function requiredMembers(schema: Schema): readonly string[] {
  const tuple = schema.getSchema() as unknown;
  if (!Array.isArray(tuple) || typeof tuple[6] !== 'number') return [];
  return (tuple[4] as string[]).slice(0, tuple[6]);
}

function readModel(sdk: Exported): Model {
  const protocol = protocolOf(sdk);
  const shapeId = protocol.getShapeId();
  const operations = new Map<string, OperationModel>();
  for (const [name, value] of Object.entries(sdk)) {
    if (!name.endsWith('$') || !Array.isArray(value) || value[0] !== 9) continue;
    const operation = readOperation(value);
    operations.set(operation.name, operation);
  }
  return {
    sdkProtocol: sdkProtocol(shapeId),
    targetPrefix: protocol.serviceTarget ?? null,
    jsonVersion: shapeId.endsWith('1_0') ? '1.0' : '1.1',
    xmlNamespace: protocol.options?.xmlNamespace ?? '',
    operations,
    error: (code) => readError(sdk[`${code}$`]),
  };
}

/** The protocol object that the package's own client class speaks. */
function protocolOf(sdk: Exported): ClientProtocol {
  for (const [name, value] of Object.entries(sdk)) {
    if (!name.endsWith('Client') || name.startsWith('_') || typeof value !== 'function') continue;
    const Client = value as new (
      config: object,
    ) => { readonly config: { readonly protocol: ClientProtocol } };
    return new Client({ region: 'local' }).config.protocol;
  }
  throw new TypeError('a service needs the module of an @aws-sdk client: no client class is exported');
}

function sdkProtocol(shapeId: string): Model['sdkProtocol'] {
  if (shapeId.includes('awsJson')) return 'json';
  if (shapeId.includes('awsQuery')) return 'query';
  if (shapeId.includes('restJson')) return 'rest-json';
  if (shapeId.includes('restXml')) return 'rest-xml';
  throw new TypeError(`the protocol ${shapeId} is not spoken here`);
}

function readOperation(tuple: readonly unknown[]): OperationModel {
  const traits = tuple[3] as { readonly http?: readonly [string, string, number] } | number;
  const http = typeof traits === 'object' ? traits.http : undefined;
  return {
    name: String(tuple[2]),
    input: NormalizedSchema.of(tuple[4] as Parameters<typeof NormalizedSchema.of>[0]),
    output: NormalizedSchema.of(tuple[5] as Parameters<typeof NormalizedSchema.of>[0]),
    http: http === undefined ? null : { method: http[0], path: http[1], status: http[2] },
  };
}

function readError(tuple: unknown): ErrorModel | null {
  if (!Array.isArray(tuple) || tuple[0] !== -3) return null;
  const traits = (typeof tuple[3] === 'object' ? tuple[3] : {}) as {
    readonly httpError?: number;
    readonly awsQueryError?: readonly [string, number];
  };
  return {
    schema: NormalizedSchema.of(tuple as unknown as Parameters<typeof NormalizedSchema.of>[0]),
    status: traits.httpError ?? null,
    query: traits.awsQueryError ?? null,
  };
}
