/** What an expression can see while it is evaluated. */
import type { Chance } from './chance.ts';
import type { Json } from './json.ts';

/**
 * The workflow variables of one scope. An inner scope's object has the outer one as its prototype: it reads
 * through and writes its own. The outermost has none, so `constructor` is as undefined as any other name.
 */
export type Variables = Record<string, Json>;

export type EvaluationFrame = {
  /** `$states.input` */
  readonly input: Json;
  /** `$states.result`, once there is one. */
  readonly result?: Json | undefined;
  /** `$states.errorOutput`, inside Catch. */
  readonly errorOutput?: Json | undefined;
  /** `$states.context` */
  readonly context: Json;
  readonly variables: Variables;
  readonly chance: Chance;
  /** Milliseconds since the epoch. */
  now(): number;
};
