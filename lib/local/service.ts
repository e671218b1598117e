/**
 * What one emulated AWS service is to the endpoint: the SDK client package whose own schemas describe its
 * wire, the protocols it is spoken in, and the operations it answers. A service knows nothing of HTTP.
 */

/** Who asks, and where: taken from the request's SigV4 scope. */
export type RequestContext = {
  readonly region: string;
  readonly account: string;
  readonly requestId: string;
  /** Tells callers apart: every function's process gets an access key of its own. */
  readonly accessKeyId: string;
  /** Where the caller reached this cloud, for answers that carry addresses: `http://127.0.0.1:4566`. */
  readonly endpoint?: string;
  /** The caller's `x-amzn-trace-id`, when it sent one. */
  readonly traceId?: string;
  /** Aborted when the caller hangs up before it is answered. */
  readonly signal?: AbortSignal;
};

// biome-ignore lint/suspicious/noExplicitAny: the shape is the SDK's own, checked against its schema at the endpoint
export type Operation = (input: any, context: RequestContext) => unknown;

export type LocalService = {
  /** The name in the SigV4 credential scope: `ecs`, `elasticloadbalancing`, `monitoring`, `dynamodb` … */
  readonly scope: string;
  /** The `@aws-sdk/client-*` module, whose exported `<Operation>$` schemas are read. */
  readonly sdk: object;
  readonly operations: Readonly<Record<string, Operation>>;
  /** Operations take and give the wire's own JSON, unchecked: for what is itself an emulator. */
  readonly undecoded?: boolean;
  /** Stops timers, child processes and sockets. */
  close?(): Promise<void>;
};

/** An answer that is an AWS error: `code` is the shape's name, as clients match it. */
export class ServiceError extends Error {
  override readonly name: string;
  readonly status: number;
  readonly members: Readonly<Record<string, unknown>>;

  constructor(code: string, message: string, status = 400, members: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.name = code;
    this.status = status;
    this.members = members;
  }
}
