/**
 * What metric math means. A value is a number (S), a time series (TS) or several (TS[]), as CloudWatch's
 * "Using math expressions" calls them. Two series meet only at timestamps both have; a division by zero
 * leaves no datapoint; comparisons answer 1 or 0.
 */
import { type Expression, ExpressionRefused, isFillMode } from './mathExpression.ts';

export type TimeSeries = { readonly label: string; readonly points: ReadonlyMap<number, number> };
export type MathValue = number | TimeSeries | readonly TimeSeries[];

export type MathScope = {
  /** The value of another query, by its id. */
  value(id: string): MathValue;
  /** All metrics of the request with their ids, for `METRICS()`. */
  readonly metrics: readonly { readonly id: string; readonly series: TimeSeries }[];
  /** The bins of the request, ascending, for `FILL`. */
  readonly grid: readonly number[];
  readonly periodSeconds: number;
  readonly label: string;
};

/** @throws ExpressionRefused for an unknown function or wrong arguments */
export function evaluateExpression(expression: Expression, scope: MathScope): MathValue {
  switch (expression.kind) {
    case 'number':
      return expression.value;
    case 'text':
      throw new ExpressionRefused(`a text "${expression.value}" is no value`);
    case 'name':
      return scope.value(expression.name);
    case 'list':
      return expression.items.flatMap((item) => seriesOf(evaluateExpression(item, scope)));
    case 'negate':
      return combine(-1, evaluateExpression(expression.of, scope), (a, b) => a * b, scope.label);
    case 'binary': {
      const operator = operators[expression.operator];
      if (!operator) throw new ExpressionRefused(`unknown operator ${expression.operator}`);
      const left = evaluateExpression(expression.left, scope);
      return combine(left, evaluateExpression(expression.right, scope), operator, scope.label);
    }
    case 'call':
      return call(expression.name, expression.args, scope);
  }
}

const truth = (yes: boolean): number => (yes ? 1 : 0);

const operators: Readonly<Record<string, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b, // by zero: not finite, hence no datapoint
  '^': (a, b) => a ** b,
  '==': (a, b) => truth(a === b),
  '!=': (a, b) => truth(a !== b),
  '<': (a, b) => truth(a < b),
  '>': (a, b) => truth(a > b),
  '<=': (a, b) => truth(a <= b),
  '>=': (a, b) => truth(a >= b),
  '&&': (a, b) => truth(a !== 0 && b !== 0),
  '||': (a, b) => truth(a !== 0 || b !== 0),
};

type Call = (args: readonly MathValue[], scope: MathScope) => MathValue;

const overSeries = (each: (value: number) => number): Call => {
  return ([value], scope) =>
    value === undefined ? wrong('one argument') : combine(value, 0, each, scope.label);
};

/** SUM and its like: one series → one number; several series → one series, bin by bin. */
const aggregate = (fold: (values: readonly number[]) => number): Call => {
  return ([value], scope) => {
    if (value === undefined || typeof value === 'number') return wrong('time series');
    if (!isMany(value)) return value.points.size === 0 ? Number.NaN : fold([...value.points.values()]);
    const gathered = new Map<number, number[]>();
    for (const series of value)
      for (const [at, point] of series.points) gathered.set(at, [...(gathered.get(at) ?? []), point]);
    return { label: scope.label, points: new Map([...gathered].map(([at, values]) => [at, fold(values)])) };
  };
};

/** RATE, DIFF and RUNNING_SUM: each point from the one before. */
const walk = (step: (before: [number, number] | null, now: [number, number]) => number | null): Call => {
  return ([value]) => {
    if (value === undefined || typeof value === 'number') return wrong('time series');
    const one = (series: TimeSeries): TimeSeries => {
      const points = new Map<number, number>();
      let before: [number, number] | null = null;
      for (const now of [...series.points].sort(([a], [b]) => a - b)) {
        const result = step(before, now);
        if (result !== null) points.set(now[0], result);
        before = now;
      }
      return { label: series.label, points };
    };
    return isMany(value) ? value.map(one) : one(value);
  };
};

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

const functions: Readonly<Record<string, Call>> = {
  ABS: overSeries(Math.abs),
  CEIL: overSeries(Math.ceil),
  FLOOR: overSeries(Math.floor),
  LOG: overSeries(Math.log),
  LOG10: overSeries(Math.log10),
  SUM: aggregate(sum),
  AVG: aggregate((values) => sum(values) / values.length),
  MIN: aggregate((values) => values.reduce((least, value) => Math.min(least, value))),
  MAX: aggregate((values) => values.reduce((most, value) => Math.max(most, value))),
  DATAPOINT_COUNT: aggregate((values) => values.length),
  RATE: walk((before, now) => before && ((now[1] - before[1]) * 1000) / (now[0] - before[0])), // per second
  DIFF: walk((before, now) => before && now[1] - before[1]),
  PERIOD: (_args, scope) => scope.periodSeconds,
  RUNNING_SUM: (args, scope) => {
    let total = 0;
    return walk((before, now) => {
      total = (before === null ? 0 : total) + now[1];
      return total;
    })(args, scope);
  },
  IF: ([condition, yes, no], scope) => {
    if (condition === undefined || yes === undefined) return wrong('a condition and a value');
    const kept = combine(condition, yes, (when, value) => (when !== 0 ? value : Number.NaN), scope.label);
    if (no === undefined) return kept;
    const other = combine(condition, no, (when, value) => (when === 0 ? value : Number.NaN), scope.label);
    return merge(kept, other, scope.label);
  },
};

function call(name: string, args: readonly Expression[], scope: MathScope): MathValue {
  if (name === 'METRICS') return metricsNamed(args, scope);
  if (name === 'FILL') return fill(args, scope);
  const known = functions[name];
  if (!known) throw new ExpressionRefused(`the function ${name} is not one this cloud computes`);
  return known(
    args.map((arg) => evaluateExpression(arg, scope)),
    scope,
  );
}

function metricsNamed([arg]: readonly Expression[], scope: MathScope): readonly TimeSeries[] {
  const part = arg?.kind === 'text' ? arg.value : '';
  return scope.metrics.filter(({ id }) => id.includes(part)).map(({ series }) => series);
}

function fill([target, filler]: readonly Expression[], scope: MathScope): MathValue {
  if (target === undefined || filler === undefined) return wrong('a time series and a filler');
  const value = evaluateExpression(target, scope);
  const mode = filler.kind === 'name' && isFillMode(filler.name) ? filler.name : null;
  const constant = mode === null ? evaluateExpression(filler, scope) : 0;
  if (typeof value === 'number' || isMany(constant)) return wrong('a time series and a number');
  const missing = (series: TimeSeries, at: number): number => {
    if (mode === null)
      return typeof constant === 'number' ? constant : (constant.points.get(at) ?? Number.NaN);
    const before = [...series.points].filter(([time]) => time < at).sort(([a], [b]) => b - a)[0];
    if (mode === 'REPEAT' || !before) return before?.[1] ?? Number.NaN;
    const after = [...series.points].filter(([time]) => time > at).sort(([a], [b]) => a - b)[0];
    if (!after) return Number.NaN;
    return before[1] + ((after[1] - before[1]) * (at - before[0])) / (after[0] - before[0]);
  };
  const one = (series: TimeSeries): TimeSeries => {
    const filled = scope.grid.map((at): [number, number] => [
      at,
      series.points.get(at) ?? missing(series, at),
    ]);
    return { label: series.label, points: new Map(filled.filter(([, point]) => Number.isFinite(point))) };
  };
  return isMany(value) ? value.map(one) : one(value);
}

function combine(
  left: MathValue,
  right: MathValue,
  operator: (a: number, b: number) => number,
  label: string,
): MathValue {
  if (typeof left === 'number' && typeof right === 'number') return operator(left, right);
  if (isMany(left)) {
    if (isMany(right)) throw new ExpressionRefused('two arrays of time series cannot be combined');
    return left.map((series) => combine(series, right, operator, series.label) as TimeSeries);
  }
  if (isMany(right))
    return right.map((series) => combine(left, series, operator, series.label) as TimeSeries);
  const times = typeof left === 'number' ? (right as TimeSeries).points : left.points;
  const points = new Map<number, number>();
  for (const at of times.keys()) {
    const a = typeof left === 'number' ? left : left.points.get(at);
    const b = typeof right === 'number' ? right : right.points.get(at);
    const result = a === undefined || b === undefined ? Number.NaN : operator(a, b);
    if (Number.isFinite(result)) points.set(at, result);
  }
  return { label, points };
}

/** Both branches of an IF, of which at each time at most one holds a point. */
function merge(a: MathValue, b: MathValue, label: string): MathValue {
  if (typeof a === 'number' && typeof b === 'number') return Number.isNaN(a) ? b : a;
  if (typeof a === 'number' || typeof b === 'number') return wrong('branches of one kind');
  const left = seriesOf(a);
  const right = seriesOf(b);
  const merged = Array.from({ length: Math.max(left.length, right.length) }, (_, i) => ({
    label: isMany(a) || isMany(b) ? (left[i]?.label ?? label) : label,
    points: new Map([...(left[i]?.points ?? []), ...(right[i]?.points ?? [])]),
  }));
  return isMany(a) || isMany(b) ? merged : (merged[0] ?? { label, points: new Map() });
}

const isMany = (value: MathValue): value is readonly TimeSeries[] => Array.isArray(value);

/** @throws ExpressionRefused for a number, which is no time series */
export function seriesOf(value: MathValue): readonly TimeSeries[] {
  if (typeof value === 'number') throw new ExpressionRefused('a single number is no time series');
  return isMany(value) ? value : [value];
}

function wrong(needed: string): never {
  throw new ExpressionRefused(`a function needs ${needed}`);
}
