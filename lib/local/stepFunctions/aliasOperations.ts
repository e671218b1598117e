/** The operations on aliases. */
import type * as sdk from '@aws-sdk/client-sfn';
import type { Clock } from '../../asl/clock.ts';
import { type LocalService, ServiceError } from '../service.ts';
import { type Alias, checkAliasName, readRoutes, sameRoutes } from './aliases.ts';
import { page } from './paging.ts';
import { parseStateMachineArn } from './stateMachineArn.ts';
import type { StateMachine, StateMachines } from './stateMachines.ts';

export function aliasOperations(machines: StateMachines, clock: Clock): LocalService['operations'] {
  const require = (arn: string): { machine: StateMachine; alias: Alias } => {
    const { qualifier } = parseStateMachineArn(arn);
    const machine = machines.require(arn);
    const alias = machine.aliases.get(qualifier ?? '');
    if (alias === undefined) throw new ServiceError('ResourceNotFound', `Alias Does Not Exist: '${arn}'`);
    return { machine, alias };
  };
  const routesOf = (input: sdk.CreateStateMachineAliasInput['routingConfiguration']) => {
    const routes = readRoutes((input ?? []) as Parameters<typeof readRoutes>[0]);
    for (const { versionArn } of routes) machines.version(versionArn);
    return routes;
  };
  return {
    CreateStateMachineAlias({
      name = '',
      description,
      routingConfiguration,
    }: sdk.CreateStateMachineAliasInput) {
      checkAliasName(name);
      const routes = routesOf(routingConfiguration);
      const machine = machines.require(routes[0]?.versionArn ?? '');
      const known = machine.aliases.get(name);
      if (known !== undefined && !(sameRoutes(known.routes, routes) && known.description === description)) {
        throw new ServiceError(
          'ConflictException',
          'Failed to create alias because an alias with the same name and a different routing ' +
            'configuration already exists.',
          409,
        );
      }
      const now = clock.now();
      const alias = known ?? {
        arn: `${machine.arn}:${name}`,
        name,
        description,
        routes,
        createdAt: now,
        updatedAt: now,
      };
      machine.aliases.set(name, alias);
      return { stateMachineAliasArn: alias.arn, creationDate: new Date(alias.createdAt) };
    },

    UpdateStateMachineAlias(input: sdk.UpdateStateMachineAliasInput) {
      const { machine, alias } = require(String(input.stateMachineAliasArn));
      const { description = alias.description, routingConfiguration } = input;
      const routes = routingConfiguration === undefined ? alias.routes : routesOf(routingConfiguration);
      const updatedAt = clock.now();
      machine.aliases.set(alias.name, { ...alias, description, routes, updatedAt });
      return { updateDate: new Date(updatedAt) };
    },

    DescribeStateMachineAlias({ stateMachineAliasArn }: sdk.DescribeStateMachineAliasInput) {
      const { alias } = require(String(stateMachineAliasArn));
      return {
        stateMachineAliasArn: alias.arn,
        name: alias.name,
        description: alias.description,
        routingConfiguration: alias.routes.map(({ versionArn, weight }) => ({
          stateMachineVersionArn: versionArn,
          weight,
        })),
        creationDate: new Date(alias.createdAt),
        updateDate: new Date(alias.updatedAt),
      };
    },

    ListStateMachineAliases({
      stateMachineArn: arn,
      maxResults,
      nextToken,
    }: sdk.ListStateMachineAliasesInput) {
      const { items, next } = page(
        [...machines.require(String(arn)).aliases.values()],
        maxResults,
        nextToken,
      );
      const stateMachineAliases = items.map((alias) => ({
        stateMachineAliasArn: alias.arn,
        creationDate: new Date(alias.createdAt),
      }));
      return { stateMachineAliases, nextToken: next };
    },

    DeleteStateMachineAlias({ stateMachineAliasArn }: sdk.DeleteStateMachineAliasInput) {
      const { machine, alias } = require(String(stateMachineAliasArn));
      machine.aliases.delete(alias.name);
    },
  };
}
