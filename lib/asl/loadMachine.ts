/**
 * From a definition to a machine that can be run, or to one sentence that says why not. Everything that can
 * be known before the first execution is checked here: a rollout must not find out after an hour.
 */
import { Fields } from './fields.ts';
import { isObject } from './json.ts';
import { assignedNames, LoadContext } from './loadContext.ts';
import { loadState } from './loadState.ts';
import type { Machine, State, StateScope } from './machine.ts';
import type { PathSegment } from './refusal.ts';
import { substitute } from './substitutions.ts';

/**
 * Loads an Amazon States Language definition (JSONata, standard workflow), given as parsed JSON.
 * `substitutions` fills `${Name}` as CloudFormation does; without them the text is taken as it is.
 * Throws `MachineRefused` for what Step Functions would refuse, and for what is not run here.
 */
export function loadMachine(
  definition: unknown,
  options: { readonly substitutions?: Readonly<Record<string, string>> } = {},
): Machine {
  const { substitutions } = options;
  const fields = new Fields(substitutions ? substitute(definition, substitutions) : definition, []);
  if (fields.take('QueryLanguage') !== 'JSONata') {
    fields.refuse(null, 'QueryLanguage must be JSONata for the whole machine.');
  }
  const version = fields.take('Version');
  if (version !== undefined && version !== '1.0') fields.refuse('Version', 'must be 1.0.');
  const timeoutSeconds = fields.number('TimeoutSeconds', { min: 1, max: 99_999_999 });
  const context = new LoadContext();
  const root = loadScope(fields, 'a state machine', context, new Set());
  context.finish();
  return { root, timeoutSeconds };
}

function loadScope(
  fields: Fields,
  where: string,
  context: LoadContext,
  outer: ReadonlySet<string>,
): StateScope {
  const startAt = fields.text('StartAt');
  const raw = fields.required('States');
  if (!isObject(raw) || Object.keys(raw).length === 0)
    fields.refuse('States', 'must hold at least one state.');
  fields.end(where);
  const path = [...fields.path, 'States'];
  const assigned = assignedNames(raw as object, path);
  context.assigns(assigned, outer);
  const inner = new Set([...outer, ...assigned.keys()]);
  const states = new Map<string, State>();
  for (const [name, value] of Object.entries(raw as object)) {
    if (context.stateNames.has(name)) fields.refuse('States', `two states are called ${name}.`);
    context.stateNames.add(name);
    const nested = (at: Fields, what: string) => loadScope(at, what, context, inner);
    states.set(name, loadState(name, value, [...path, name], context, nested));
  }
  checkTransitions(fields, startAt, states, path);
  return { startAt, states };
}

/** Every transition leads to a state, every state can be reached, and the scope can end. */
function checkTransitions(
  fields: Fields,
  startAt: string,
  states: ReadonlyMap<string, State>,
  path: readonly PathSegment[],
): void {
  if (!states.has(startAt)) fields.refuse('StartAt', `there is no state ${startAt}.`);
  const reached = new Set([startAt]);
  let ends = false;
  for (const name of reached) {
    for (const next of transitions(states.get(name) as State)) {
      if (next === null) ends = true;
      else if (!states.has(next))
        new Fields({}, [...path, name]).refuse(null, `leads to ${next}, which does not exist.`);
      else reached.add(next);
    }
  }
  for (const name of states.keys()) {
    if (!reached.has(name)) new Fields({}, [...path, name]).refuse(null, 'cannot be reached.');
  }
  if (!ends) fields.refuse('States', 'no state ends this scope.');
}

function transitions(state: State): (string | null)[] {
  switch (state.type) {
    case 'Fail':
      return [null];
    case 'Choice':
      return [...state.choices.map(({ exit }) => exit.next), ...(state.default ? [state.default.next] : [])];
    case 'Task':
    case 'Parallel':
    case 'Map':
      return [state.exit.next, ...state.catch.map(({ exit }) => exit.next)];
    default:
      return [state.exit.next];
  }
}
