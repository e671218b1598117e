// What an analysis may be told: limits, how sure to be, how long to wait, what to do when it is unknown.
// Plain data, frozen into a rollout's plan; the shape is validated where configuration is read, the
// relations between options here.

/** Compares a measured value (left) with `value` (right). */
export type Condition = { readonly is: '<' | '<=' | '>' | '>='; readonly value: number };

/** What a template's metric measures, over the minutes since its last measurement (at least one). */
export type Measure =
  | 'error-rate' // canary errors ÷ canary requests, 0–1
  | 'error-ratio' // canary error rate ÷ stable error rate
  | 'p95-ms' // worst canary p95 of the minutes
  | 'p95-ratio' // canary p95 ÷ stable p95
  | 'burn' // canary error rate ÷ (1 − objective)
  | 'requests' // canary requests
  | 'unhealthy-hosts'
  | 'judge-score' // Kayenta-style score of the whole step, 0–100
  | { readonly business: string }; // canary rate of a business check ÷ stable's

/** One named metric of a template. Between success and failure lies the inconclusive zone. */
export type TemplateMetric = {
  readonly name: string;
  readonly measure: Measure;
  readonly successWhen?: Condition;
  readonly failWhen?: Condition;
  /** Seconds between measurements; without it and without `count` one measurement is made. */
  readonly intervalSeconds?: number;
  readonly initialDelaySeconds?: number;
  /** Measurements to make; absent with an interval: until the step ends. */
  readonly count?: number;
  /** Failed when there are MORE failures than this; −1 switches it off. Default 0. */
  readonly failureLimit?: number;
  /** Inconclusive when there are MORE inconclusive measurements than this. Default 0. */
  readonly inconclusiveLimit?: number;
  /** Error when there are MORE errors in a row than this. Default 4. */
  readonly consecutiveErrorLimit?: number;
  /** Successful at this many successes in a row; 0 switches it off. Default 0. */
  readonly consecutiveSuccessLimit?: number;
};

/** Metrics judged together; those whose name matches a `dryRun` pattern are shown and do not count. */
export type AnalysisTemplate = {
  readonly name: string;
  readonly metrics: readonly TemplateMetric[];
  /** Regular expressions over metric names. */
  readonly dryRun?: readonly string[];
};

/** A rate users' behaviour shows: conversions (`good`) must not drop, payment failures (`bad`) not rise. */
export type BusinessCheck = {
  readonly name: string;
  readonly counted: 'good' | 'bad';
  /** Relative change that is accepted as noise, 0–1: 0.05 is "no more than 5 % worse". */
  readonly tolerance: number;
  /** Minutes until a period's conversions are complete; younger ones are not read. */
  readonly maturityMinutes: number;
  readonly dryRun?: boolean;
};

/** What an inconclusive answer leads to once the step's time is over. */
export type UnknownPolicy = {
  /** wait: evaluate again at the next tick; extend: longer bake; pause: a person decides; roll-back. */
  readonly answer: 'wait' | 'extend' | 'pause' | 'roll-back';
  /** How much longer one extension is, and how often before it becomes a pause. */
  readonly extendSeconds: number;
  readonly extensionsMax: number;
};

export type ErrorPolicy = {
  /** Canary error rate over the metric window that is too much by itself, 0–1. */
  readonly maxRate: number;
  /** Version burn (canary error rate ÷ error budget) that aborts. */
  readonly burnAbort: number;
  /** Relative risk that is accepted: 1 finds any rise, 1.25 forgives a quarter. */
  readonly margin: number;
  /** Canary errors below which nothing is rolled back on ratios (x_c ≥ 3). */
  readonly minimumErrors: number;
};

export type LatencyPolicy = {
  readonly maxP95Ms: number;
  readonly maxP95TimesBaseline: number;
  /** Ratio of slow requests in the tail that is accepted. */
  readonly margin: number;
  /**
   * Shift of all latencies that is accepted, in standard deviations of their logarithm: 0.03 is about 2 %.
   */
  readonly shiftMargin: number;
  /** Seconds after each weight change in which latency is not judged (cold caches). Errors always are. */
  readonly settleSeconds: number;
  /** Thresholds to count at, ms. Empty: the baseline's percentiles below, frozen at the start. */
  readonly thresholdsMs: readonly number[];
  readonly thresholdPercentiles: readonly number[];
  /** Step-end Mann–Whitney: fails when p < alpha ÷ steps and P(canary slower) ≥ effectMin. */
  readonly mannWhitneyAlpha: number;
  readonly mannWhitneyEffectMin: number;
};

export type DispersionPolicy = {
  /** Minutes of history wanted before the rollout to estimate how errors cluster. */
  readonly historyMinutes: number;
  /** Used when there is no history (a new service). */
  readonly withoutHistory: number;
};

export type AnalysisPolicy = {
  /** Service level objective, e.g. 0.999; the error budget is 1 − objective. */
  readonly objective: number;
  readonly objectivePeriodDays: number;
  /** Length of one period of data. 60 for CloudWatch's own metrics, 10 for high-resolution ones. */
  readonly periodSeconds: number;
  /** A period is read once it ended this long ago; sources revise younger ones. */
  readonly dataDelaySeconds: number;
  /** Rates and percentiles against limits are taken over this long. */
  readonly windowSeconds: number;
  /** False rollbacks accepted per rollout, over all looks and checks together. */
  readonly alpha: number;
  /** Nothing is promoted on fewer canary requests than this in the rollout. */
  readonly minimumRequests: number;
  /** No promotion while the combined e-value is at or above this: held instead. */
  readonly holdAtEValue: number;
  /** Shares of alpha; their sum is at most 1. */
  readonly shares: { readonly errors: number; readonly latency: number; readonly business: number };
  readonly errors: ErrorPolicy;
  readonly latency: LatencyPolicy;
  readonly business: readonly BusinessCheck[];
  readonly dispersion: DispersionPolicy;
  readonly templates: readonly AnalysisTemplate[];
  /** Names of checks and regular expressions over them that are shown but do not decide. */
  readonly dryRun: readonly string[];
  readonly unknown: UnknownPolicy;
  /** Steps of the plan; step-end tests divide their alpha by it. */
  readonly stepCount: number;
};

/** Complete defaults; the requirement's own figures where it names one. */
export const defaultAnalysisPolicy: AnalysisPolicy = {
  objective: 0.999,
  objectivePeriodDays: 30,
  periodSeconds: 60,
  dataDelaySeconds: 120,
  windowSeconds: 900,
  alpha: 0.01,
  // With no error at all, 3 ÷ n bounds the rate at 95 %: 300 requests are needed to say "burn below 10" at
  // 99.9 %.
  minimumRequests: 300,
  holdAtEValue: 10,
  shares: { errors: 0.5, latency: 0.3, business: 0.2 },
  errors: { maxRate: 0.01, burnAbort: 10, margin: 1, minimumErrors: 3 },
  latency: {
    maxP95Ms: 500,
    maxP95TimesBaseline: 2,
    margin: 1.1,
    shiftMargin: 0.03,
    settleSeconds: 120,
    thresholdsMs: [],
    thresholdPercentiles: [50, 90, 95, 99, 99.9],
    mannWhitneyAlpha: 0.05,
    mannWhitneyEffectMin: 0.53,
  },
  business: [],
  dispersion: { historyMinutes: 1440, withoutHistory: 3 },
  templates: [],
  dryRun: [],
  unknown: { answer: 'extend', extendSeconds: 600, extensionsMax: 3 },
  stepCount: 4,
};
