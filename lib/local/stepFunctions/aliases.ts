/** Aliases: a name for one version, or for two with a share each. Refusals in the words of AWS. */
import { ServiceError } from '../service.ts';
import { parseStateMachineArn } from './stateMachineArn.ts';

export type Route = {
  readonly versionArn: string;
  /** Percent, whole; an alias's routes add up to 100. */
  readonly weight: number;
};

export type Alias = {
  readonly arn: string;
  readonly name: string;
  readonly description: string | undefined;
  readonly routes: readonly Route[];
  readonly createdAt: number;
  readonly updatedAt: number;
};

/** As clients write a route. */
export type RouteInput = { readonly stateMachineVersionArn?: string; readonly weight?: number };

const NAME = /^(?=.*[a-zA-Z_\-.])[a-zA-Z0-9_\-.]{1,80}$/;

export function checkAliasName(name: string): void {
  if (NAME.test(name)) return;
  throw invalid(
    `1 validation error detected: Value '${name}' at 'name' failed to satisfy constraint: ` +
      `Member must satisfy regular expression pattern: ${NAME.source}`,
  );
}

/** The routes of a routing configuration. @throws ServiceError ValidationException */
export function readRoutes(input: readonly RouteInput[]): readonly Route[] {
  const routes = input.map(({ stateMachineVersionArn = '', weight = 0 }) => ({
    versionArn: stateMachineVersionArn,
    weight,
  }));
  if (routes.length < 1 || routes.length > 2) {
    throw invalid(
      "1 validation error detected: Value at 'routingConfiguration' failed to satisfy constraint: " +
        'Member must have length between 1 and 2',
    );
  }
  const arns = routes.map(({ versionArn }) => versionArn);
  const parsed = arns.map(parseStateMachineArn);
  if (parsed.some(({ qualifier }) => qualifier === null || !/^\d+$/.test(qualifier))) {
    throw invalid(
      `Routing configuration must contain state machine version ARNs. Received: [${arns.join(', ')}]`,
    );
  }
  if (new Set(arns).size < arns.length) {
    throw invalid(
      'Routing configuration must contain distinct state machine version ARNs. ' +
        `Received: [${arns.join(', ')}]`,
    );
  }
  if (new Set(parsed.map(({ arn }) => arn)).size > 1) {
    throw invalid('Routing configuration must contain versions of one state machine.');
  }
  const weights = routes.map(({ weight }) => weight);
  if (weights.some((weight) => !Number.isInteger(weight) || weight < 0 || weight > 100)) {
    throw invalid(
      `Routing configuration weights must be whole numbers from 0 to 100. Received: [${weights.join(', ')}]`,
    );
  }
  if (weights.reduce((sum, weight) => sum + weight, 0) !== 100) {
    throw invalid(`Sum of routing configuration weights must equal 100. Received: [${weights.join(', ')}]`);
  }
  return routes;
}

export const sameRoutes = (one: readonly Route[], other: readonly Route[]) =>
  one.length === other.length &&
  one.every(({ versionArn, weight }) =>
    other.some((r) => r.versionArn === versionArn && r.weight === weight),
  );

/** The version that the next execution runs: each by its share. */
export function routed({ routes }: Alias, random: () => number): string {
  let left = random() * 100;
  for (const { versionArn, weight } of routes) {
    left -= weight;
    if (left < 0) return versionArn;
  }
  return routes.at(-1)?.versionArn ?? '';
}

const invalid = (message: string) => new ServiceError('ValidationException', message);
