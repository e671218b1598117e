/** Operations on event source mappings. */
import type * as sdk from '@aws-sdk/client-lambda';
import { pageOf } from '../page.ts';
import type { LocalService } from '../service.ts';
import type { EventSourceMappings, MappingSettings } from './eventSourceMappings.ts';
import { type Functions, invalid } from './functions.ts';
import type { Mapping } from './mapping.ts';

const pageSize = 100;

export function mappingOperations(
  functions: Functions,
  mappings: EventSourceMappings,
): LocalService['operations'] {
  const settingsOf = (input: Settings): MappingSettings => ({
    ...named(functions, input.FunctionName),
    ...read(input),
  });
  return {
    CreateEventSourceMapping(input: sdk.CreateEventSourceMappingCommandInput) {
      const settings = {
        ...settingsOf(input),
        functionName: functions.require(String(input.FunctionName)).name,
      };
      const start = input.StartingPosition;
      if (start === 'AT_TIMESTAMP') throw invalid('AT_TIMESTAMP is not supported for this event source');
      const mapping = mappings.create(String(input.EventSourceArn), settings, start ?? null);
      return described(functions, mapping);
    },
    UpdateEventSourceMapping(input: sdk.UpdateEventSourceMappingCommandInput) {
      const mapping = mappings.require(String(input.UUID));
      mappings.update(mapping, settingsOf(input));
      return described(functions, mapping);
    },
    GetEventSourceMapping: ({ UUID }) => described(functions, mappings.require(UUID)),
    DeleteEventSourceMapping({ UUID }) {
      const mapping = mappings.require(UUID);
      mappings.delete(mapping);
      return { ...described(functions, mapping), State: 'Deleting' };
    },
    ListEventSourceMappings({ EventSourceArn, FunctionName, MaxItems = pageSize, Marker }) {
      const name = FunctionName === undefined ? undefined : functions.require(FunctionName).name;
      const found = mappings.all.filter(
        (mapping) =>
          (EventSourceArn === undefined || mapping.sourceArn === EventSourceArn) &&
          (name === undefined || mapping.functionName === name),
      );
      const page = pageOf(found, MaxItems, Marker);
      if (page === null) throw invalid('Invalid Marker');
      return {
        EventSourceMappings: page.items.map((mapping) => described(functions, mapping)),
        NextMarker: page.next,
      };
    },
  };
}

type Settings = Pick<
  sdk.CreateEventSourceMappingCommandInput,
  | 'Enabled'
  | 'BatchSize'
  | 'MaximumBatchingWindowInSeconds'
  | 'FunctionResponseTypes'
  | 'FilterCriteria'
  | 'ScalingConfig'
  | 'MaximumRetryAttempts'
  | 'MaximumRecordAgeInSeconds'
  | 'BisectBatchOnFunctionError'
  | 'DestinationConfig'
> & { readonly FunctionName?: string | undefined };

function named(functions: Functions, name: string | undefined): MappingSettings {
  if (name === undefined) return {};
  const { fn, alias, version } = functions.resolve(name);
  return { functionName: fn.name, qualifier: alias?.name ?? version.version };
}

/** What the input says, and nothing of what it leaves out. −1 stands for no limit. */
function read(input: Settings): MappingSettings {
  const unlimited = (value: number | undefined) => (value === -1 ? null : value);
  const settings = {
    enabled: input.Enabled,
    batchSize: input.BatchSize,
    windowSeconds: input.MaximumBatchingWindowInSeconds,
    reportsFailures: input.FunctionResponseTypes?.includes('ReportBatchItemFailures'),
    filterPatterns:
      input.FilterCriteria && (input.FilterCriteria.Filters ?? []).map(({ Pattern }) => String(Pattern)),
    concurrencyMax: input.ScalingConfig?.MaximumConcurrency,
    retriesMax: unlimited(input.MaximumRetryAttempts),
    ageSecondsMax: unlimited(input.MaximumRecordAgeInSeconds),
    bisects: input.BisectBatchOnFunctionError,
    onFailure:
      input.DestinationConfig === undefined
        ? undefined
        : (input.DestinationConfig.OnFailure?.Destination ?? null),
  };
  return Object.fromEntries(
    Object.entries(settings).filter(([, value]) => value !== undefined),
  ) as MappingSettings;
}

function described(functions: Functions, mapping: Mapping) {
  const fn = functions.all.find(({ name }) => name === mapping.functionName);
  const { qualifier, onFailure } = mapping;
  const suffix = qualifier === undefined || qualifier === '$LATEST' ? '' : `:${qualifier}`;
  const stream = mapping.startingPosition !== null;
  return {
    UUID: mapping.uuid,
    EventSourceArn: mapping.sourceArn,
    FunctionArn: `${fn?.arn ?? mapping.functionName}${suffix}`,
    State: mapping.enabled ? 'Enabled' : 'Disabled',
    StateTransitionReason: 'USER_INITIATED',
    BatchSize: mapping.batchSize,
    MaximumBatchingWindowInSeconds: mapping.windowSeconds,
    FunctionResponseTypes: mapping.reportsFailures ? ['ReportBatchItemFailures'] : [],
    FilterCriteria:
      mapping.filters.length === 0
        ? undefined
        : { Filters: mapping.filters.map(({ source }) => ({ Pattern: source })) },
    LastModified: mapping.changedAt,
    LastProcessingResult: mapping.lastResult,
    DestinationConfig: onFailure === null ? undefined : { OnFailure: { Destination: onFailure } },
    ...(stream
      ? {
          StartingPosition: mapping.startingPosition,
          MaximumRetryAttempts: mapping.retriesMax ?? -1,
          MaximumRecordAgeInSeconds: mapping.ageSecondsMax ?? -1,
          BisectBatchOnFunctionError: mapping.bisects,
          ParallelizationFactor: 1,
        }
      : { ScalingConfig: { MaximumConcurrency: mapping.concurrencyMax } }),
  };
}
