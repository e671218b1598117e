/** What a step is done by: one implementation per kind, in the worlds and apps. */

export type StepCall = {
  readonly arguments: Readonly<Record<string, string>>;
  /**
   * Rises with every call of an operation: a kind that can fence its writes does so with it, since a call of
   * an older run may still be under way.
   */
  readonly intent: number;
};

export type Effect =
  /** @see evidence one sentence for the record */
  | { readonly outcome: 'done'; readonly evidence: string }
  /** It will not be so, however often it is tried: the inverses follow, this step's among them. */
  | { readonly outcome: 'failed'; readonly reason: string }
  /** Somebody stopped it, or it is not its turn: nothing is recorded, and the next run begins it again. */
  | { readonly outcome: 'interrupted'; readonly why: string };

/**
 * Each may be called again after a crash at any point, and beside a call that still runs: calling one twice
 * leaves what calling it once does. What they throw is an outage: the operation stays as it is, and the next
 * run begins the same part again.
 */
export interface OperationKind {
  apply(call: StepCall): Promise<Effect>;
  /** Whether it is as `apply` was to make it. */
  verify(call: StepCall): Promise<Effect>;
  /** The world as it was before `apply`, whether that was done, half done or not at all. */
  inverse(call: StepCall): Promise<Effect>;
}

/** By the name that plans give. */
export type Kinds = Readonly<Record<string, OperationKind>>;
