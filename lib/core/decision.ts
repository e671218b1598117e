/** A decision is events, or a refusal that a person and a `Choice` state can both read. Neither is thrown. */

export type Refusal = {
  readonly outcome: 'refused';
  /** Kebab-case, stable: callers match on it. */
  readonly reason: string;
  /** What is wrong, where, and what would be right. */
  readonly sentence: string;
};

export type Accepted<E> = { readonly outcome: 'accepted'; readonly events: readonly E[] };

export type Decision<E> = Accepted<E> | Refusal;

export const accept = <E>(...events: readonly E[]): Accepted<E> => ({ outcome: 'accepted', events });

export const refuse = (reason: string, sentence: string): Refusal => ({
  outcome: 'refused',
  reason,
  sentence,
});

/** A bug, not a refusal: the caller broke a rule that the code itself must keep. On in production. */
export class InvariantBroken extends Error {
  override readonly name = 'InvariantBroken';
}

/** @throws InvariantBroken when `holds` is false */
export function invariant(holds: boolean, rule: string): asserts holds {
  if (!holds) throw new InvariantBroken(rule);
}

/** The end of a `switch` over a union: a new member that nobody handles does not compile. */
export function unreachable(value: never): never {
  throw new InvariantBroken(`unhandled: ${JSON.stringify(value)}`);
}
