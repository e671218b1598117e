/** All event source mappings: made, changed, and running while they are enabled. */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../../asl/clock.ts';
import { parseArn } from '../arn.ts';
import type { Bus } from '../bus.ts';
import type { Tables } from '../dynamodb/tables.ts';
import { compile } from '../eventBridge/eventBuses.ts';
import { ServiceError } from '../service.ts';
import type { Queues } from '../sqs/queues.ts';
import { type Functions, invalid } from './functions.ts';
import type { Invocations } from './invocations.ts';
import type { CallFunction, Mapping } from './mapping.ts';
import { pollQueue } from './queuePoller.ts';
import { pollStream } from './streamPoller.ts';

/** What a caller may set; what is left out keeps its value or its default. */
export type MappingSettings = Partial<
  Pick<
    Mapping,
    | 'functionName'
    | 'qualifier'
    | 'enabled'
    | 'batchSize'
    | 'windowSeconds'
    | 'reportsFailures'
    | 'concurrencyMax'
    | 'retriesMax'
    | 'ageSecondsMax'
    | 'bisects'
    | 'onFailure'
  >
> & { readonly filterPatterns?: readonly string[] };

type Deps = {
  readonly clock: Clock;
  readonly bus: Bus;
  readonly queues: Queues;
  readonly tables: Tables;
  readonly functions: Functions;
  readonly invocations: Invocations;
};

/** Lambda starts with five pollers of a queue; more follow on AWS, and do not here unless asked for. */
const queueConcurrency = 5;

export class EventSourceMappings {
  readonly #deps: Deps;
  readonly #call: CallFunction;
  readonly #mappings = new Map<string, Mapping>();

  constructor(deps: Deps) {
    this.#deps = deps;
    this.#call = async ({ functionName, qualifier }, event, traceId) =>
      deps.invocations.call(deps.functions.resolve(functionName, qualifier), {
        payload: JSON.stringify(event),
        traceId,
      });
  }

  get all(): readonly Mapping[] {
    return [...this.#mappings.values()];
  }

  /** @throws ServiceError */
  create(
    sourceArn: string,
    settings: MappingSettings & { readonly functionName: string },
    start: Mapping['startingPosition'],
  ): Mapping {
    const isQueue = this.#isQueue(sourceArn);
    if (!isQueue && start === null)
      throw invalid('1 validation error detected: StartingPosition is required for streams');
    const twin = this.all.find(
      (other) => other.sourceArn === sourceArn && other.functionName === settings.functionName,
    );
    if (twin !== undefined) {
      const pair = `event source arn (" ${sourceArn} ") and function name (" ${twin.functionName} ")`;
      const sentence = `An event source mapping with ${pair} already exists.`;
      const remedy = `Please update or delete the existing mapping with UUID ${twin.uuid}`;
      throw new ServiceError('ResourceConflictException', `${sentence} ${remedy}`, 409);
    }
    const mapping: Mapping = {
      uuid: randomUUID(),
      sourceArn,
      startingPosition: start,
      functionName: settings.functionName,
      qualifier: settings.qualifier,
      enabled: true,
      batchSize: isQueue ? 10 : 100,
      windowSeconds: 0,
      reportsFailures: false,
      filters: [],
      concurrencyMax: queueConcurrency,
      retriesMax: null,
      ageSecondsMax: null,
      bisects: false,
      onFailure: null,
      changedAt: new Date(this.#deps.clock.now()),
      lastResult: 'No records processed',
      stop: null,
      positions: new Map(),
    };
    this.#apply(mapping, settings);
    this.#mappings.set(mapping.uuid, mapping);
    this.#start(mapping);
    return mapping;
  }

  /** @throws ServiceError */
  update(mapping: Mapping, settings: MappingSettings): void {
    this.#apply(mapping, settings);
    this.#stop(mapping);
    this.#start(mapping);
  }

  delete(mapping: Mapping): void {
    this.#stop(mapping);
    this.#mappings.delete(mapping.uuid);
  }

  /** @throws ServiceError ResourceNotFoundException */
  require(uuid: string): Mapping {
    const mapping = this.#mappings.get(uuid);
    if (mapping === undefined) {
      throw new ServiceError('ResourceNotFoundException', 'The resource you requested does not exist.', 404);
    }
    return mapping;
  }

  close(): void {
    for (const mapping of this.all) this.#stop(mapping);
  }

  #apply(mapping: Mapping, { filterPatterns, ...settings }: MappingSettings): void {
    const changed = { ...mapping, ...settings };
    const isQueue = this.#isQueue(mapping.sourceArn);
    const sizeMax = isQueue && mapping.sourceArn.endsWith('.fifo') ? 10 : 10_000;
    if (changed.batchSize < 1 || changed.batchSize > sizeMax)
      throw invalid(`BatchSize must be between 1 and ${sizeMax}`);
    if (isQueue && changed.batchSize > 10 && changed.windowSeconds < 1) {
      throw invalid(
        'Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10',
      );
    }
    if (changed.windowSeconds < 0 || changed.windowSeconds > 300) {
      throw invalid('MaximumBatchingWindowInSeconds must be between 0 and 300');
    }
    const filters = filterPatterns?.map((source) => ({ source, matches: compile(source) }));
    Object.assign(mapping, settings, filters === undefined ? {} : { filters });
    mapping.changedAt = new Date(this.#deps.clock.now());
  }

  #start(mapping: Mapping): void {
    if (!mapping.enabled) return;
    const { clock, bus, queues, tables } = this.#deps;
    if (this.#isQueue(mapping.sourceArn)) {
      mapping.stop = pollQueue(queues.byArn(mapping.sourceArn), mapping, this.#call, clock);
      return;
    }
    const stream = tables.stream(mapping.sourceArn);
    if (stream === null) throw invalid(`Stream not found: ${mapping.sourceArn}`);
    mapping.stop = pollStream(stream, mapping, { clock, bus, call: this.#call });
  }

  #stop(mapping: Mapping): void {
    mapping.stop?.();
    mapping.stop = null;
  }

  /** @throws ServiceError when the source is neither a queue nor a stream that exists */
  #isQueue(sourceArn: string): boolean {
    const arn = parseArn(sourceArn);
    if (arn?.service === 'sqs') {
      this.#deps.queues.byArn(sourceArn);
      return true;
    }
    if (arn?.service === 'dynamodb' && this.#deps.tables.stream(sourceArn) !== null) return false;
    throw invalid(`Unrecognized event source, or it does not exist: ${sourceArn}`);
  }
}
