/** What a function's process and its parent tell each other. */

/** An error as Lambda reports it to the caller. */
export type Reported = {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace?: readonly string[];
};

/** One request to answer. */
export type FromParent = {
  readonly requestId: string;
  /** JSON. */
  readonly event: string;
  /** Milliseconds since the epoch, on the machine's own clock. */
  readonly deadlineMs: number;
  readonly functionArn: string;
  readonly traceId: string;
  readonly clientContext: string | null;
};

export type ToParent =
  | { readonly type: 'ready' }
  | { readonly type: 'init-error'; readonly error: Reported }
  | { readonly type: 'result'; readonly requestId: string; readonly payload: string }
  | {
      readonly type: 'error';
      readonly requestId: string;
      readonly error: Reported;
      /** The process ends right after this. */
      readonly dying: boolean;
    };
