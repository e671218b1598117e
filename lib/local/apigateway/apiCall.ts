/** One call of a deployed API, with everything its stage says about it. */
import type { Route } from './apiState.ts';

export type ApiCall = {
  readonly apiId: string;
  readonly stageName: string;
  readonly route: Route;
  readonly method: string;
  /** Below the stage, with a leading slash. */
  readonly path: string;
  readonly search: URLSearchParams;
  readonly parameters: Readonly<Record<string, string>>;
  readonly variables: Readonly<Record<string, string>>;
};
