/** Counts and times that an expression may decide. */
import type { EvaluationFrame } from './evaluationFrame.ts';
import { type Eventually, wrongType } from './expression.ts';
import type { Quantity } from './machine.ts';
import { parseTimestamp } from './timestamp.ts';

/** An integer of at least `min`; anything else is a States.QueryEvaluationError. */
export function wholeNumber(
  quantity: Quantity,
  frame: EvaluationFrame,
  min: number,
  max = 99_999_999,
): Eventually<number> {
  if (typeof quantity === 'number') return quantity;
  const check = (value: unknown): number => {
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
    throw wrongType(quantity, `integer from ${min} to ${max}`, value as never);
  };
  const value = quantity.evaluate(frame);
  return value instanceof Promise ? value.then(check) : check(value);
}

/** Milliseconds since the epoch, of an expression that answers a timestamp. */
export function timestampMs(quantity: Quantity, frame: EvaluationFrame): Eventually<number> {
  if (typeof quantity === 'number') return quantity;
  const check = (value: unknown): number => {
    const ms = typeof value === 'string' ? parseTimestamp(value) : null;
    if (ms === null) throw wrongType(quantity, 'timestamp', value as never);
    return ms;
  };
  const value = quantity.evaluate(frame);
  return value instanceof Promise ? value.then(check) : check(value);
}
