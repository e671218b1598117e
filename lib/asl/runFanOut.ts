/**
 * Parallel and Map: branches that run at the same time on the same clock. The first one that fails takes the
 * others with it.
 */
import { Branch } from './branch.ts';
import type { Eventually } from './expression.ts';
import { wrongType } from './expression.ts';
import type { Json } from './json.ts';
import type { MapState, ParallelState } from './machine.ts';
import { wholeNumber } from './quantity.ts';
import { runtimeFailure, StateFailure } from './stateFailure.ts';
import type { StateFrame } from './stateFrame.ts';

/** Runs the states of a branch to their end. */
export type RunStates = (branch: Branch, input: Json) => Promise<Json>;

/** An inline Map runs at most this many iterations at once ("Map state processing modes"). */
const INLINE_CONCURRENCY_MAX = 40;

/** The outputs of the branches, in the order in which the definition has them. */
export async function runParallel(
  branch: Branch,
  state: ParallelState,
  frame: StateFrame,
  runStates: RunStates,
): Promise<Json> {
  const evaluated = state.arguments === undefined ? frame.input : state.arguments.evaluate(frame);
  const input = evaluated instanceof Promise ? await branch.unlessCancelled(evaluated) : evaluated;
  branch.publish('ParallelStateStarted');
  const { length } = state.branches;
  const outputs = await gather(branch, length, length, runStates, {
    begin(index, afterEventId) {
      const child = new Branch(
        branch.execution,
        state.branches[index] as ParallelState['branches'][number],
        branch,
      );
      child.lastEventId = afterEventId;
      return { child, input };
    },
    succeeded: (child) => child.lastEventId,
    cut: () => undefined,
    failed: () => undefined,
  });
  branch.publishAside('ParallelStateSucceeded');
  return outputs;
}

/** The outputs of the iterations, in the order of the items. */
export async function runMap(
  branch: Branch,
  state: MapState,
  frame: StateFrame,
  runStates: RunStates,
): Promise<Json> {
  const evaluated = state.items === undefined ? frame.input : state.items.evaluate(frame);
  const items = evaluated instanceof Promise ? await branch.unlessCancelled(evaluated) : evaluated;
  if (!Array.isArray(items)) throw notAnArray(state, items);
  const limit = wholeNumber(state.maxConcurrency, frame, 0);
  const asked = limit instanceof Promise ? await branch.unlessCancelled(limit) : limit;
  const name = state.name;
  branch.publish('MapStateStarted', { length: items.length });
  const atOnce = Math.min(items.length, asked === 0 ? INLINE_CONCURRENCY_MAX : asked, INLINE_CONCURRENCY_MAX);
  const outputs = await gather(branch, items.length, atOnce, runStates, {
    begin(index, afterEventId) {
      const item = { Index: index, Value: items[index] as Json };
      const selected =
        state.itemSelector === undefined ? item.Value : state.itemSelector.evaluate(frame.forItem(item));
      const begin = (input: Json) => {
        const child = new Branch(branch.execution, state.processor, branch, item);
        child.lastEventId = afterEventId;
        child.publish('MapIterationStarted', { name, index });
        return { child, input };
      };
      return selected instanceof Promise ? selected.then(begin) : begin(selected);
    },
    succeeded: (child, index) => child.publishAside('MapIterationSucceeded', { name, index }),
    cut: (index) => branch.publishAside('MapIterationAborted', { name, index }),
    failed: (index) => branch.publishAside('MapIterationFailed', { name, index }),
  });
  branch.publishAside('MapStateSucceeded');
  return outputs;
}

function notAnArray(state: MapState, items: Json): StateFailure {
  const [expression] = state.items?.expressions ?? [];
  if (expression !== undefined) return wrongType(expression, 'array', items);
  return runtimeFailure(`The state '${state.name}' has no Items, and its input is not an array.`);
}

type Strand = { readonly child: Branch; readonly input: Json };

/** What differs between the branches of a Parallel and the iterations of a Map. */
type Strands = {
  /** Starts one after the event that made room for it. A failure here has no strand of its own. */
  begin(index: number, afterEventId: number): Eventually<Strand>;
  /** Records a success and answers the event that the parent goes on from. */
  succeeded(child: Branch, index: number): number;
  cut(index: number): unknown;
  failed(index: number): unknown;
};

/** Runs `count` strands, `atOnce` at a time; fails as the first of them that fails. */
function gather(
  parent: Branch,
  count: number,
  atOnce: number,
  runStates: RunStates,
  strands: Strands,
): Promise<Json[]> {
  const outputs: Json[] = new Array(count);
  if (count === 0) return Promise.resolve(outputs);
  const active = new Map<number, Branch>();
  let next = 0;
  let open = count;
  let failed = false;
  return parent.wait((resolve, reject) => {
    const fail = (index: number, thrown: unknown) => {
      if (failed) return;
      failed = true;
      try {
        if (thrown instanceof StateFailure) cutOthers(parent, active, index, thrown, strands);
        reject(thrown);
      } catch (halted) {
        reject(halted);
      }
    };
    const runNext = async (afterEventId: number) => {
      const index = next++;
      try {
        const begun = strands.begin(index, afterEventId);
        const { child, input } = begun instanceof Promise ? await parent.unlessCancelled(begun) : begun;
        if (failed) return child.cancel();
        active.set(index, child);
        await undefined; // strands that start together are all recorded as started before one of them moves
        outputs[index] = await runStates(child, input);
        active.delete(index);
        child.leave();
        parent.lastEventId = strands.succeeded(child, index);
        if (--open === 0) resolve(outputs);
        else if (next < count) void runNext(child.lastEventId);
      } catch (thrown) {
        fail(index, thrown);
      }
    };
    const start = parent.lastEventId;
    for (let strand = 0; strand < atOnce; strand++) void runNext(start);
    return () => undefined;
  });
}

const CAN_BE_CUT = {
  Task: 'TaskStateAborted',
  Wait: 'WaitStateAborted',
  Parallel: 'ParallelStateAborted',
  Map: 'MapStateAborted',
} as const;

/** Ends the strands that are still running, and records it after the failed one's last event. */
function cutOthers(
  parent: Branch,
  active: Map<number, Branch>,
  failedIndex: number,
  failure: StateFailure,
  strands: Strands,
): void {
  const culprit = active.get(failedIndex);
  if (culprit !== undefined) parent.lastEventId = culprit.lastEventId;
  for (const [index, child] of active) {
    child.cancel();
    if (index === failedIndex || failure.error === 'States.Runtime') continue; // as AWS: recorded for neither
    strands.cut(index);
    const type = child.state?.type;
    if (type !== undefined && Object.hasOwn(CAN_BE_CUT, type)) {
      parent.publishAside(CAN_BE_CUT[type as keyof typeof CAN_BE_CUT]);
    }
  }
  if (culprit !== undefined && failure.error !== 'States.Runtime') strands.failed(failedIndex);
}
