/**
 * List prices in us-east-1 without the free tier, as the named pages told them on the date below. Look them
 * up again before you rely on them: only the table has to be changed.
 */
export const readOn = '2026-11-21';

export type Meter = keyof typeof prices;

/** `per`: how many of the unit the dollars buy. */
export const prices = {
  transitions: {
    dollars: 0.025,
    per: 1000,
    unit: 'state transitions',
    page: 'aws.amazon.com/step-functions/pricing',
  },
  invocations: {
    dollars: 0.2,
    per: 1_000_000,
    unit: 'function invocations',
    page: 'aws.amazon.com/lambda/pricing',
  },
  gigabyteSeconds: {
    dollars: 0.0000133334,
    per: 1,
    unit: 'GB-seconds of functions (arm64)',
    page: 'aws.amazon.com/lambda/pricing',
  },
  writeUnits: {
    dollars: 0.625,
    per: 1_000_000,
    unit: 'write units (1 KB)',
    page: 'aws.amazon.com/dynamodb/pricing',
  },
  readUnits: {
    dollars: 0.125,
    per: 1_000_000,
    unit: 'read units (4 KB)',
    page: 'aws.amazon.com/dynamodb/pricing',
  },
  storedGigabytes: {
    dollars: 0.45,
    per: 1,
    unit: 'GB-months stored, with point-in-time recovery',
    page: 'aws.amazon.com/dynamodb/pricing',
  },
  metrics: {
    dollars: 0.01,
    per: 1000,
    unit: 'metrics asked of GetMetricData',
    page: 'aws.amazon.com/cloudwatch/pricing',
  },
  alarmReads: { dollars: 0.01, per: 1000, unit: 'DescribeAlarms', page: 'aws.amazon.com/cloudwatch/pricing' },
  logGigabytes: { dollars: 0.5, per: 1, unit: 'GB of logs', page: 'aws.amazon.com/cloudwatch/pricing' },
  events: {
    dollars: 1,
    per: 1_000_000,
    unit: 'events on our bus (64 KB)',
    page: 'aws.amazon.com/eventbridge/pricing',
  },
  notifications: { dollars: 0.5, per: 1_000_000, unit: 'notifications', page: 'aws.amazon.com/sns/pricing' },
  queueRequests: {
    dollars: 0.4,
    per: 1_000_000,
    unit: 'requests to standard queues',
    page: 'aws.amazon.com/sqs/pricing',
  },
  fifoRequests: {
    dollars: 0.5,
    per: 1_000_000,
    unit: 'requests to FIFO queues',
    page: 'aws.amazon.com/sqs/pricing',
  },
  keyRequests: {
    dollars: 0.03,
    per: 10_000,
    unit: 'requests to the key',
    page: 'aws.amazon.com/kms/pricing',
  },
  traces: { dollars: 5, per: 1_000_000, unit: 'traces', page: 'aws.amazon.com/xray/pricing' },
  keys: { dollars: 1, per: 1, unit: 'keys, a month', page: 'aws.amazon.com/kms/pricing' },
  alarms: {
    dollars: 0.1,
    per: 1,
    unit: 'alarms of the controller itself, a month',
    page: 'aws.amazon.com/cloudwatch/pricing',
  },
  dashboards: { dollars: 3, per: 1, unit: 'dashboards, a month', page: 'aws.amazon.com/cloudwatch/pricing' },
  free: { dollars: 0, per: 1, unit: 'other requests, without a price', page: '' },
} as const;

/** How much of what has a price. */
export type Usage = Readonly<Partial<Record<Meter, number>>>;

export const dollarsOf = (usage: Usage): number =>
  metersIn(usage).reduce((sum, meter) => sum + lineDollars(meter, usage), 0);

export const lineDollars = (meter: Meter, usage: Usage): number =>
  ((usage[meter] ?? 0) * prices[meter].dollars) / prices[meter].per;

export const metersIn = (usage: Usage): readonly Meter[] =>
  (Object.keys(prices) as Meter[]).filter((meter) => (usage[meter] ?? 0) !== 0);

/** Adds up, each usage as often as it says. */
export function total(...parts: readonly (readonly [times: number, usage: Usage])[]): Usage {
  const sum: Partial<Record<Meter, number>> = {};
  for (const [times, usage] of parts) {
    for (const meter of metersIn(usage)) sum[meter] = (sum[meter] ?? 0) + times * (usage[meter] ?? 0);
  }
  return sum;
}
