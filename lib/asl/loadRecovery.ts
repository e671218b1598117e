/** `Retry` and `Catch` of a Task, Parallel or Map state. */
import { Fields } from './fields.ts';
import type { LoadContext } from './loadContext.ts';
import type { Catcher, Retrier } from './machine.ts';
import { MachineRefused } from './refusal.ts';

const SECONDS_MAX = 99_999_999;
const DELAY_SECONDS_MAX = 31_622_400; // MaxDelaySeconds must be less than one leap year

const STATES_ERRORS = new Set(
  'ALL Timeout HeartbeatTimeout TaskFailed Permissions QueryEvaluationError DataLimitExceeded Runtime'
    .split(' ')
    .map((name) => `States.${name}`),
);

/** The retriers, in their order; defaults as documented for Step Functions. */
export function loadRetriers(fields: Fields): Retrier[] {
  if (!fields.has('Retry')) return [];
  const list = fields.list('Retry');
  return list.map(({ value, path }, index) => {
    const retrier = new Fields(value, path);
    const errorEquals = errorNames(retrier, index === list.length - 1);
    const intervalSeconds = retrier.number('IntervalSeconds', { min: 0, max: SECONDS_MAX }) ?? 1;
    const maxDelaySeconds = retrier.number('MaxDelaySeconds', { min: 1, max: DELAY_SECONDS_MAX - 1 });
    const loaded: Retrier = {
      errorEquals,
      intervalSeconds,
      maxAttempts: retrier.number('MaxAttempts', { min: 0, max: SECONDS_MAX }) ?? 3,
      backoffRate: retrier.number('BackoffRate', { min: 1, max: 1000, fraction: true }) ?? 2,
      maxDelaySeconds,
      fullJitter: jitter(retrier),
    };
    if (maxDelaySeconds !== undefined && maxDelaySeconds <= intervalSeconds) {
      retrier.refuse('MaxDelaySeconds', 'must be greater than IntervalSeconds.');
    }
    retrier.end('a retrier');
    return loaded;
  });
}

/** The catchers, in their order. */
export function loadCatchers(fields: Fields, context: LoadContext): Catcher[] {
  if (!fields.has('Catch')) return [];
  const list = fields.list('Catch');
  return list.map(({ value, path }, index) => {
    const catcher = new Fields(value, path);
    const errorEquals = errorNames(catcher, index === list.length - 1);
    const exit = context.exit(catcher, catcher.text('Next'), 'in-catch', `Catch[${index}]/`);
    catcher.end('a catcher');
    return { errorEquals, exit };
  });
}

function errorNames(fields: Fields, last: boolean): string[] {
  const names = fields.list('ErrorEquals').map(({ value, path }) => {
    if (typeof value !== 'string' || value === '') throw new MachineRefused(path, 'must be an error name.');
    if (value.startsWith('States.') && !STATES_ERRORS.has(value)) {
      throw new MachineRefused(path, `${value} is no error that can occur here.`);
    }
    return value;
  });
  if (names.includes('States.ALL') && (names.length > 1 || !last)) {
    fields.refuse('ErrorEquals', 'States.ALL must stand alone, and last.');
  }
  if (names.includes('States.Runtime'))
    fields.refuse('ErrorEquals', 'States.Runtime always ends the execution.');
  return names;
}

function jitter(retrier: Fields): boolean {
  const strategy = retrier.take('JitterStrategy');
  if (strategy === undefined || strategy === 'NONE') return false;
  return strategy === 'FULL' || retrier.refuse('JitterStrategy', 'must be FULL or NONE.');
}
