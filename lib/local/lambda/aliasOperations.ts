/** Operations on aliases, and on how a function's asynchronous calls are treated. */
import type * as sdk from '@aws-sdk/client-lambda';
import type { Clock } from '../../asl/clock.ts';
import { type LocalService, ServiceError } from '../service.ts';
import { type Functions, invalid } from './functions.ts';
import type { AliasEntry, InvokeConfig, LambdaFunction } from './functionVersion.ts';

export function aliasOperations(functions: Functions): LocalService['operations'] {
  return {
    CreateAlias(input: sdk.CreateAliasCommandInput) {
      const fn = functions.require(String(input.FunctionName));
      const name = String(input.Name);
      if (!/^(?!\d+$)[\w-]{1,128}$/.test(name)) throw invalid(`${name} is not an alias name`);
      if (fn.aliases.has(name))
        throw new ServiceError('ResourceConflictException', `Alias already exists: ${fn.arn}:${name}`, 409);
      const alias = {
        name,
        version: String(input.FunctionVersion),
        description: input.Description ?? '',
        weights: input.RoutingConfig?.AdditionalVersionWeights ?? {},
      };
      return described(fn, functions.putAlias(fn, alias));
    },
    UpdateAlias(input: sdk.UpdateAliasCommandInput) {
      const fn = functions.require(String(input.FunctionName));
      const known = requireAlias(fn, String(input.Name));
      if (input.RevisionId !== undefined && input.RevisionId !== known.revisionId) {
        throw new ServiceError(
          'PreconditionFailedException',
          'The Revision Id provided does not match the latest Revision Id.',
          412,
        );
      }
      const changed = {
        name: known.name,
        version: input.FunctionVersion ?? known.version,
        description: input.Description ?? known.description,
        weights:
          input.RoutingConfig === undefined
            ? known.weights
            : (input.RoutingConfig.AdditionalVersionWeights ?? {}),
      };
      return described(fn, functions.putAlias(fn, changed));
    },
    GetAlias({ FunctionName, Name }) {
      const fn = functions.require(FunctionName);
      return described(fn, requireAlias(fn, Name));
    },
    DeleteAlias: ({ FunctionName, Name }) => void functions.require(FunctionName).aliases.delete(Name),
    ListAliases({ FunctionName, FunctionVersion }) {
      const fn = functions.require(FunctionName);
      const found = [...fn.aliases.values()].filter(
        ({ version }) => FunctionVersion === undefined || version === FunctionVersion,
      );
      return { Aliases: found.map((alias) => described(fn, alias)) };
    },
  };
}

/** How asynchronous calls are retried and where their ends are told. */
export function invokeConfigOperations(functions: Functions, clock: Clock): LocalService['operations'] {
  const write = (input: sdk.PutFunctionEventInvokeConfigCommandInput, keepsRest: boolean) => {
    const { fn, version, alias } = functions.resolve(String(input.FunctionName), input.Qualifier);
    const qualifier = alias?.name ?? version.version;
    const known = (keepsRest ? fn.invokeConfigs.get(qualifier) : undefined) ?? usual;
    const config: InvokeConfig = {
      retries: input.MaximumRetryAttempts ?? known.retries,
      ageSeconds: input.MaximumEventAgeInSeconds ?? known.ageSeconds,
      onSuccess: input.DestinationConfig?.OnSuccess?.Destination ?? known.onSuccess,
      onFailure: input.DestinationConfig?.OnFailure?.Destination ?? known.onFailure,
      changedAt: new Date(clock.now()),
    };
    if (config.retries < 0 || config.retries > 2)
      throw invalid('MaximumRetryAttempts must be between 0 and 2');
    if (config.ageSeconds < 60 || config.ageSeconds > 21_600)
      throw invalid('MaximumEventAgeInSeconds must be between 60 and 21600');
    fn.invokeConfigs.set(qualifier, config);
    return shown(fn, qualifier, config);
  };
  return {
    PutFunctionEventInvokeConfig: (input) => write(input, false),
    UpdateFunctionEventInvokeConfig: (input) => write(input, true),
    GetFunctionEventInvokeConfig({ FunctionName, Qualifier = '$LATEST' }) {
      const fn = functions.require(FunctionName);
      const config = fn.invokeConfigs.get(Qualifier);
      if (config === undefined) {
        throw new ServiceError(
          'ResourceNotFoundException',
          `The function ${fn.arn} doesn't have an EventInvokeConfig`,
          404,
        );
      }
      return shown(fn, Qualifier, config);
    },
    DeleteFunctionEventInvokeConfig: ({ FunctionName, Qualifier = '$LATEST' }) =>
      void functions.require(FunctionName).invokeConfigs.delete(Qualifier),
  };
}

const usual = { retries: 2, ageSeconds: 21_600, onSuccess: null, onFailure: null };

function shown(fn: LambdaFunction, qualifier: string, config: InvokeConfig) {
  const destination = (arn: string | null) => (arn === null ? {} : { Destination: arn });
  return {
    LastModified: config.changedAt,
    FunctionArn: `${fn.arn}:${qualifier}`,
    MaximumRetryAttempts: config.retries,
    MaximumEventAgeInSeconds: config.ageSeconds,
    DestinationConfig: { OnSuccess: destination(config.onSuccess), OnFailure: destination(config.onFailure) },
  };
}

function requireAlias(fn: LambdaFunction, name: string): AliasEntry {
  const alias = fn.aliases.get(name);
  if (alias === undefined)
    throw new ServiceError('ResourceNotFoundException', `Cannot find alias arn: ${fn.arn}:${name}`, 404);
  return alias;
}

function described(fn: LambdaFunction, { name, version, description, weights, revisionId }: AliasEntry) {
  const RoutingConfig = Object.keys(weights).length === 0 ? undefined : { AdditionalVersionWeights: weights };
  return {
    AliasArn: `${fn.arn}:${name}`,
    Name: name,
    FunctionVersion: version,
    Description: description,
    RoutingConfig,
    RevisionId: revisionId,
  };
}
