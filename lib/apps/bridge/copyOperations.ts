/**
 * The commands of a copy as operations: `copy` and `verify` drive one, which `undo` takes back; `cut-over`
 * another, which `restore` takes back.
 */
import { createHash } from 'node:crypto';
import type { From, OnFailure, OperationEvent } from '../../../events/operation.ts';
import type { CopyName } from '../../core/bridge/streamCopy.ts';
import { operationIdLengthMax } from '../../core/operations/decide.ts';
import { operationSentence } from '../../core/operations/sentence.ts';
import {
  knownOperation,
  type OperationCause,
  type OperationResult,
  type OperationStore,
  operationStream,
  recordOperation,
} from '../../flows/recordOperation.ts';
import { type Ran, runOperation } from '../../flows/runOperation.ts';
import type { Clock } from '../../ports.ts';
import { CopyRefused, refusalOf } from './copyCheckpoint.ts';
import { copyArguments, copyKinds, streamCopy, streamCutOver } from './copyKinds.ts';
import type { StreamCopy } from './streamCopy.ts';
import type { RestoreReport } from './streamRestore.ts';

export type OperationVerb = 'copy' | 'verify' | 'cut-over' | 'undo' | 'restore';

type Sides = {
  readonly copy: StreamCopy;
  readonly restore: (as: string) => Promise<RestoreReport>;
};

type Recording = {
  readonly store: OperationStore;
  readonly clock: Clock;
  readonly note: (line: string) => void;
  /** Of this run alone. */
  readonly run: string;
  readonly by: string;
};

type Report = { readonly code: number; readonly report: object };

export class CopyOperations {
  readonly #name: CopyName;
  readonly #table: string;
  readonly #sides: Sides;
  readonly #recording: Recording;
  readonly #following: { readonly follow: boolean; readonly signal: AbortSignal };

  constructor(
    name: CopyName,
    table: string,
    sides: Sides,
    recording: Recording,
    following: { readonly follow: boolean; readonly signal: AbortSignal },
  ) {
    this.#name = name;
    this.#table = table;
    this.#sides = sides;
    this.#recording = recording;
    this.#following = following;
  }

  /**
   * @param how `as`, for `restore`: the stream to write, where it is another one; `hold`, for `copy`: what is
   *   not equal waits for a person
   * @throws CopyRefused, in a sentence, before anything was done; TableUnavailable, EventStoreUnavailable, or
   * what NATS answers: the next run goes on
   */
  async run(
    verb: OperationVerb,
    how: { readonly as: string | undefined; readonly hold: boolean },
  ): Promise<Report> {
    const { copy } = this.#sides;
    switch (verb) {
      case 'copy':
        refuse(await this.#copyRefusal());
        // A stream that is not there is told before it is recorded.
        await copy.lastSequence(this.#following.signal);
        return this.#forward(streamCopy, { again: 'apply', onFailure: how.hold ? 'hold' : 'take-back' });
      case 'verify':
        refuse((await this.#isRecorded(streamCopy)) ? null : this.#unrecorded());
        return this.#forward(streamCopy, { again: 'verify', onFailure: 'hold' });
      case 'cut-over': {
        refuse(await copy.cutOverRefusal());
        const isOver = (await copy.checkpoint())?.phase === 'switched';
        return this.#forward(streamCutOver, { again: isOver ? null : 'apply', onFailure: 'hold' });
      }
      case 'undo':
        refuse((await this.#isRecorded(streamCopy)) ? null : this.#unrecorded());
        refuse(refusalOf(await copy.checkpoint(), this.#name, 'undone'));
        return this.#back(streamCopy);
      case 'restore':
        return this.#restore(how.as ?? this.#name.stream);
    }
  }

  /** Where readers went over, the way back of that; else a stream made from its copy, beside every record. */
  async #restore(as: string): Promise<Report> {
    const phase = (await this.#sides.copy.checkpoint())?.phase;
    const cutOver = await knownOperation(this.#recording, this.#idOf(streamCutOver));
    const isOver = cutOver.phase !== 'none' && (phase === 'switched' || phase === 'returning');
    // A run that died when all was back has not said so.
    if (as === this.#name.stream && (isOver || cutOver.phase === 'taking-back'))
      return this.#back(streamCutOver);
    return { code: 0, report: await this.#sides.restore(as) };
  }

  async #forward(
    kind: string,
    how: { readonly again: From | null; readonly onFailure: OnFailure },
  ): Promise<Report> {
    const { clock, by } = this.#recording;
    const { stream } = this.#name;
    const readers = kind === streamCutOver ? 'readers of ' : '';
    const given = copyArguments(this.#name, this.#table);
    const step = { step: stepOf(kind), stage: 'data' as const, kind, arguments: given, oneWay: false };
    const what = `${readers}the stream ${stream} into the table ${this.#table}`;
    const overtaken = await this.#isCopying(kind);
    await this.#tell(kind, {
      ...{ type: 'RequestOperation', operationId: this.#idOf(kind), what, steps: [step], ...how },
      ...{ requestedBy: by, now: clock.now() },
    });
    return this.#drive(kind, 'completed', overtaken);
  }

  async #back(kind: string): Promise<Report> {
    const { clock, by } = this.#recording;
    const overtaken = await this.#isCopying(kind);
    await this.#tell(kind, { type: 'TakeBack', reason: 'asked for', by, now: clock.now() });
    return this.#drive(kind, 'taken-back', overtaken);
  }

  async #tell(kind: string, command: Parameters<typeof recordOperation>[2]): Promise<OperationResult> {
    const { store } = this.#recording;
    const result = await recordOperation({ store }, this.#idOf(kind), command, this.#cause());
    if (result.outcome === 'refused') throw new CopyRefused(result.sentence, true);
    result.events.forEach(this.#note);
    return result;
  }

  async #drive(kind: string, wanted: Ran['outcome'], overtaken: boolean): Promise<Report> {
    const { store, clock } = this.#recording;
    const { copy, restore } = this.#sides;
    const figures: object[] = [];
    const kinds = copyKinds({
      ...{ open: () => ({ copy, restore: () => restore(this.#name.stream) }), ...this.#following },
      ...{ overtaken, report: (found: object) => void figures.push(found) },
    });
    const operationId = this.#idOf(kind);
    const world = { store, clock, kinds, report: this.#note };
    const { outcome, reason } = await runOperation(world, operationId, this.#cause());
    const isStopped = outcome === 'interrupted' && this.#following.signal.aborted;
    const why = reason === null || outcome === 'completed' ? {} : { reason };
    const report = Object.assign({}, ...figures, { operation: operationId, outcome, ...why });
    return { code: outcome === wanted || isStopped ? 0 : 1, report };
  }

  readonly #note = (event: OperationEvent): void => this.#recording.note(operationSentence(event));

  #cause(): OperationCause {
    const { run, by } = this.#recording;
    return { correlationId: run, actor: by, run };
  }

  /** A copy that is followed goes on as `tail`, any other begins as `backfill`. */
  async #copyRefusal(): Promise<string | null> {
    const known = await this.#sides.copy.checkpoint();
    if (refusalOf(known, this.#name, 'backfill') === null) return null;
    return refusalOf(known, this.#name, 'tail');
  }

  /** By what is recorded: the run may have died. */
  async #isCopying(kind: string): Promise<boolean> {
    const state = await knownOperation(this.#recording, this.#idOf(kind));
    return state.phase === 'forward' && state.open?.part === 'apply';
  }

  async #isRecorded(kind: string): Promise<boolean> {
    return (await knownOperation(this.#recording, this.#idOf(kind))).phase !== 'none';
  }

  #unrecorded(): string {
    const { stream } = this.#name;
    return (
      `no copy of ${stream} into ${this.#table} is recorded here: ` +
      'copy it, which goes on where it stopped, or name its record with --events'
    );
  }

  #idOf(kind: string): string {
    return operationIdOf(kind, this.#name, this.#table);
  }
}

/** One operation of each kind for a stream and a table. */
function operationIdOf(kind: string, { stream }: CopyName, table: string): string {
  const name = `${stepOf(kind)}-${stream}-into-${table}`;
  if (name.length <= operationIdLengthMax) return name;
  const digest = createHash('sha256').update(name).digest('hex').slice(0, 16);
  return `${name.slice(0, operationIdLengthMax - digest.length - 1)}-${digest}`;
}

/** What is recorded of a copy and of its cut-over, a line for each event. */
export async function* copyHistory(
  store: OperationStore,
  name: CopyName,
  table: string,
): AsyncGenerator<string> {
  for (const kind of [streamCopy, streamCutOver]) {
    const stream = operationStream(operationIdOf(kind, name, table));
    for await (const { event, version, actor } of store.read(stream)) {
      const sentence = operationSentence(event as OperationEvent);
      yield `${new Date(event.at).toISOString()}  ${String(version).padStart(5)}  ${sentence}  ${actor}`;
    }
  }
}

/** @throws CopyRefused */
function refuse(sentence: string | null): void {
  if (sentence !== null) throw new CopyRefused(sentence, true);
}

const stepOf = (kind: string): string => kind.replace(/^stream-/, '');
