/** A request and an answer as HTTP carries them, with nothing of the HTTP server in them. */

export type WireRequest = {
  readonly method: string;
  /** Without the query string; still percent-encoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
};

export type Answer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
};

/** What went wrong, before a protocol gives it a form. */
export type Failure = {
  readonly code: string;
  readonly message: string;
  readonly status: number;
  readonly members: Readonly<Record<string, unknown>>;
  /** The members are the wire's own JSON already. */
  readonly encoded?: boolean;
};
