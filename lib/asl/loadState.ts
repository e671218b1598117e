/** One state of a definition, by its type. */

import { isExpression } from './expression.ts';
import { Fields } from './fields.ts';
import type { LoadContext, Moment } from './loadContext.ts';
import { loadCatchers, loadRetriers } from './loadRecovery.ts';
import type {
  ChoiceState,
  Exit,
  FailState,
  MapState,
  ParallelState,
  PassState,
  State,
  StateScope,
  SucceedState,
  TaskState,
  WaitState,
} from './machine.ts';
import type { PathSegment } from './refusal.ts';
import { loadResource } from './taskResource.ts';
import { parseTimestamp } from './timestamp.ts';

const SECONDS_MAX = 99_999_999;

/** Loads a nested scope: a branch, or an item processor. */
export type LoadScope = (fields: Fields, where: string) => StateScope;

/** Reads the state `name` from `value`, with everything inside it. */
export function loadState(
  name: string,
  value: unknown,
  path: readonly PathSegment[],
  context: LoadContext,
  loadScope: LoadScope,
): State {
  const fields = new Fields(value, path);
  const type = fields.text('Type');
  if (name.length > 80) fields.refuse(null, 'the name of a state has at most 80 characters.');
  const language = fields.take('QueryLanguage');
  if (language !== undefined && language !== 'JSONata') fields.refuse('QueryLanguage', 'must be JSONata.');
  const load = Object.hasOwn(loaders, type) ? loaders[type] : undefined;
  if (load === undefined) fields.refuse('Type', `${type} is not a type of state.`);
  const state = (load as Loader)(name, fields, context, loadScope);
  fields.end(`a ${type} state`);
  return state;
}

type Loader = (name: string, fields: Fields, context: LoadContext, loadScope: LoadScope) => State;

const loaders: Readonly<Record<string, Loader>> = {
  Pass: (name, fields, context): PassState => ({
    type: 'Pass',
    name,
    exit: onward(fields, context, 'before'),
  }),

  Succeed: (name, fields, context): SucceedState => ({
    type: 'Succeed',
    name,
    exit: { next: null, assign: undefined, output: context.template(fields, 'Output', 'before') },
  }),

  Fail: (name, fields, context): FailState => ({
    type: 'Fail',
    name,
    error: textOrExpression(fields, 'Error', context),
    cause: textOrExpression(fields, 'Cause', context),
  }),

  Wait(name, fields, context): WaitState {
    const seconds = context.quantity(fields, 'Seconds', { min: 0, max: SECONDS_MAX });
    const timestampMs = fields.has('Timestamp') ? timestamp(fields, context) : undefined;
    if ((seconds === undefined) === (timestampMs === undefined)) {
      fields.refuse(null, 'a Wait state has exactly one of Seconds and Timestamp.');
    }
    return { type: 'Wait', name, exit: onward(fields, context, 'before'), seconds, timestampMs };
  },

  Choice(name, fields, context): ChoiceState {
    const choices = fields.list('Choices').map(({ value, path }, index) => {
      const rule = new Fields(value, path);
      const prefix = `Choices[${index}]/`;
      if (!rule.has('Condition')) rule.refuse(null, 'the field Condition is required.');
      const raw = rule.take('Condition');
      const condition = context.expression(rule, 'Condition', 'before', prefix);
      if (condition === null && typeof raw !== 'boolean') {
        rule.refuse('Condition', 'must be an expression, true or false.');
      }
      const exit = context.exit(rule, rule.text('Next'), 'before', prefix);
      rule.end('a choice rule');
      return { condition: condition ?? (raw as boolean), exit };
    });
    const next = fields.has('Default') ? fields.text('Default') : null;
    for (const name of ['Assign', 'Output']) {
      if (next === null && fields.has(name)) fields.refuse(name, 'belongs to Default, which is missing.');
    }
    const exit = context.exit(fields, next, 'before');
    return { type: 'Choice', name, choices, default: next === null ? undefined : exit };
  },

  Task(name, fields, context): TaskState {
    const resource = loadResource(fields);
    const timeoutSeconds = context.quantity(fields, 'TimeoutSeconds', { min: 1, max: SECONDS_MAX });
    const heartbeatSeconds = context.quantity(fields, 'HeartbeatSeconds', { min: 1, max: SECONDS_MAX });
    if (heartbeatSeconds !== undefined && !resource.waitForTaskToken) {
      fields.refuse('HeartbeatSeconds', 'only a task that waits for its token can send heartbeats.');
    }
    if (typeof timeoutSeconds === 'number' && typeof heartbeatSeconds === 'number') {
      if (heartbeatSeconds >= timeoutSeconds)
        fields.refuse('HeartbeatSeconds', 'must be less than TimeoutSeconds.');
    }
    return {
      type: 'Task',
      name,
      resource,
      timeoutSeconds,
      heartbeatSeconds,
      arguments: context.template(fields, 'Arguments', 'before'),
      ...recovery(fields, context),
    };
  },

  Parallel(name, fields, context, loadScope): ParallelState {
    const branches = fields
      .list('Branches')
      .map(({ value, path }) => loadScope(new Fields(value, path), 'a branch'));
    return {
      type: 'Parallel',
      name,
      branches,
      arguments: context.template(fields, 'Arguments', 'before'),
      ...recovery(fields, context),
    };
  },

  Map(name, fields, context, loadScope): MapState {
    const processor = new Fields(fields.required('ItemProcessor'), [...fields.path, 'ItemProcessor']);
    if (processor.has('ProcessorConfig')) {
      const config = new Fields(processor.take('ProcessorConfig'), [...processor.path, 'ProcessorConfig']);
      if (config.take('Mode') !== 'INLINE') config.refuse('Mode', 'must be INLINE.');
      config.end('the ProcessorConfig of an inline Map');
    }
    const items = fields.take('Items');
    if (items !== undefined && !Array.isArray(items) && !(typeof items === 'string' && isExpression(items))) {
      fields.refuse('Items', 'must be an array, or an expression.');
    }
    return {
      type: 'Map',
      name,
      processor: loadScope(processor, 'an item processor'),
      items: context.template(fields, 'Items', 'before'),
      itemSelector: context.template(fields, 'ItemSelector', 'before'),
      maxConcurrency: context.quantity(fields, 'MaxConcurrency', { min: 0, max: SECONDS_MAX }) ?? 0,
      ...recovery(fields, context),
    };
  },
};

/** `Next` or `End`, and what goes with them. */
function onward(fields: Fields, context: LoadContext, moment: Moment): Exit {
  if (fields.has('Next') === fields.has('End')) fields.refuse(null, 'has exactly one of Next and End.');
  if (fields.has('End') && fields.take('End') !== true) fields.refuse('End', 'must be true.');
  return context.exit(fields, fields.has('Next') ? fields.text('Next') : null, moment);
}

function recovery(fields: Fields, context: LoadContext) {
  const exit = onward(fields, context, 'after-work');
  return { exit, retry: loadRetriers(fields), catch: loadCatchers(fields, context) };
}

function textOrExpression(fields: Fields, name: 'Error' | 'Cause', context: LoadContext) {
  return fields.has(name) ? (context.expression(fields, name, 'before') ?? fields.text(name)) : undefined;
}

function timestamp(fields: Fields, context: LoadContext) {
  const expression = context.expression(fields, 'Timestamp', 'before');
  if (expression !== null) return expression;
  const ms = parseTimestamp(fields.text('Timestamp'));
  return ms ?? fields.refuse('Timestamp', 'must be a timestamp such as 2026-01-01T00:00:00Z.');
}
