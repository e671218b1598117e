// Whether a policy is one: every figure a number in its range, every word one there is, every entry of a list
// complete. The types say so of our own code; a policy comes out of a file that a person wrote. Plain code
// and no schema library, because functions check it too when a setting is changed above the file.

/** One thing that is wrong, below the policy: where, and what would be right. */
export type ShapeProblem = { readonly path: readonly (string | number)[]; readonly sentence: string };

type Check = (value: unknown, path: readonly (string | number)[]) => readonly ShapeProblem[];

const wrong = (path: readonly (string | number)[], sentence: string): readonly ShapeProblem[] => [
  { path, sentence },
];

/** What is wrong with a policy's shape; empty when all of its parts are what they should be. */
export const shapeProblems = (policy: unknown): readonly ShapeProblem[] => ofPolicy(policy, []);

const text: Check = (value, path) =>
  typeof value === 'string' && value !== '' ? [] : wrong(path, 'must be a text.');

const flag: Check = (value, path) =>
  typeof value === 'boolean' ? [] : wrong(path, 'must be true or false.');

type Range = { readonly from?: number; readonly above?: number; readonly to?: number };

const number =
  ({ from, above, to }: Range, whole = false): Check =>
  (value, path) => {
    const inRange =
      typeof value === 'number' &&
      Number.isFinite(value) &&
      (from === undefined || value >= from) &&
      (above === undefined || value > above) &&
      (to === undefined || value <= to) &&
      (!whole || Number.isInteger(value));
    if (inRange) return [];
    const limits = [
      ...(from === undefined ? [] : [`from ${from}`]),
      ...(above === undefined ? [] : [`above ${above}`]),
      ...(to === undefined ? [] : [`to ${to}`]),
    ];
    const kind = whole ? 'a whole number' : 'a number';
    return wrong(path, `must be ${[kind, ...limits].join(' ')}.`);
  };

const whole = (range: Range): Check => number(range, true);

const oneOf =
  (...words: readonly string[]): Check =>
  (value, path) =>
    typeof value === 'string' && words.includes(value)
      ? []
      : wrong(path, `must be one of ${words.join(', ')}.`);

const list =
  (of: Check): Check =>
  (value, path) =>
    Array.isArray(value)
      ? value.flatMap((entry, index) => of(entry, [...path, index]))
      : wrong(path, 'must be a list.');

type Parts = Readonly<Record<string, Check>>;

/** Unknown keys are a misspelling of known ones. */
const mapping =
  (required: Parts, optional: Parts = {}): Check =>
  (value, path) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return wrong(path, 'must be a mapping.');
    const given = value as Readonly<Record<string, unknown>>;
    const known = { ...required, ...optional };
    const missing = Object.keys(required).filter((key) => given[key] === undefined);
    return [
      ...(missing.length === 0 ? [] : wrong(path, `needs ${missing.join(', ')}.`)),
      ...Object.entries(given).flatMap(([key, inner]) => {
        const check = known[key];
        if (check === undefined)
          return wrong([...path, key], `is not known: known are ${Object.keys(known).join(', ')}.`);
        return inner === undefined ? [] : check(inner, [...path, key]);
      }),
    ];
  };

const condition = mapping({ is: oneOf('<', '<=', '>', '>='), value: number({}) });

const measures = [
  'error-rate',
  'error-ratio',
  'p95-ms',
  'p95-ratio',
  'burn',
  'requests',
  'unhealthy-hosts',
  'judge-score',
];

const measure: Check = (value, path) => {
  if (typeof value === 'object') return mapping({ business: text })(value, path);
  if (measures.includes(value as string)) return [];
  return wrong(path, `must be one of ${measures.join(', ')}, or { business: name of a check }.`);
};

const templateMetric = mapping(
  { name: text, measure },
  {
    successWhen: condition,
    failWhen: condition,
    intervalSeconds: number({}),
    initialDelaySeconds: number({ from: 0 }),
    // Their relations are refused in words of their own.
    count: number({}),
    failureLimit: number({}),
    inconclusiveLimit: whole({ from: 0 }),
    consecutiveErrorLimit: whole({ from: 0 }),
    consecutiveSuccessLimit: number({}),
  },
);

const businessCheck = mapping(
  { name: text, counted: oneOf('good', 'bad'), tolerance: number({}), maturityMinutes: number({ from: 0 }) },
  { dryRun: flag },
);

const ofPolicy = mapping({
  objective: number({}),
  objectivePeriodDays: number({ above: 0 }),
  periodSeconds: number({ above: 0, to: 3600 }),
  dataDelaySeconds: number({ from: 0 }),
  windowSeconds: number({}),
  alpha: number({}),
  minimumRequests: number({ from: 0 }),
  holdAtEValue: number({ above: 0 }),
  shares: mapping({ errors: number({}), latency: number({}), business: number({}) }),
  errors: mapping({
    maxRate: number({}),
    burnAbort: number({ above: 0 }),
    margin: number({}),
    minimumErrors: number({}),
  }),
  latency: mapping({
    maxP95Ms: number({ above: 0 }),
    maxP95TimesBaseline: number({ above: 0 }),
    margin: number({}),
    shiftMargin: number({}),
    settleSeconds: number({ from: 0 }),
    thresholdsMs: list(number({ above: 0 })),
    thresholdPercentiles: list(number({ above: 0, to: 100 })),
    mannWhitneyAlpha: number({ above: 0, to: 1 }),
    mannWhitneyEffectMin: number({ from: 0.5, to: 1 }),
  }),
  business: list(businessCheck),
  dispersion: mapping({ historyMinutes: number({ from: 0 }), withoutHistory: number({}) }),
  templates: list(mapping({ name: text, metrics: list(templateMetric) }, { dryRun: list(text) })),
  dryRun: list(text),
  unknown: mapping({
    answer: oneOf('wait', 'extend', 'pause', 'roll-back'),
    extendSeconds: number({ from: 0 }),
    extensionsMax: whole({ from: 0 }),
  }),
  stepCount: number({ above: 0 }),
});
