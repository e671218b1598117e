/** What calls and invocations that really happened use of what has a price. */
import type { RequestEntry } from '../../lib/local/endpoint.ts';
import { total, type Usage } from './prices.ts';

/** A line a function printed, as Lambda hands it to its log. */
export type LogLine = { readonly functionName: string; readonly line: string };

/** CloudWatch Logs counts this for each line besides its text. */
const lineBytes = 26;
const gigabyte = 1024 ** 3;

/** Of one call. Sizes are those on the wire, which are a little larger than what is billed. */
export function usageOfCall({ service, operation, body, responseBytes }: RequestEntry): Usage {
  switch (`${service}:${operation}`) {
    case 'dynamodb:PutItem':
    case 'dynamodb:UpdateItem':
      return { writeUnits: Math.ceil(itemBytes(body) / 1024) };
    case 'dynamodb:GetItem':
      return { readUnits: Math.max(1, Math.ceil(responseBytes / 4096)) };
    case 'dynamodb:Query':
      return { readUnits: (consistent(body) ? 1 : 0.5) * Math.max(1, Math.ceil(responseBytes / 4096)) };
    case 'monitoring:GetMetricData':
      return { metrics: metricsIn(body) };
    case 'monitoring:DescribeAlarms':
      return { alarmReads: 1 };
    case 'events:PutEvents':
      return { events: json(body).Entries.length };
    case 'sns:Publish':
      return { notifications: 1 };
    case 'sqs:SendMessage':
      return { fifoRequests: 1 };
    default:
      return { free: 1 };
  }
}

/** Of invocations, from what Lambda says of each: its duration here, and what it printed. */
export function usageOfLog(lines: readonly LogLine[]): Usage {
  const parts = lines.map(({ line }): Usage => {
    const [, billedMs, megabytes] =
      /^REPORT .*Billed Duration: (\d+) ms\s+Memory Size: (\d+) MB/.exec(line) ?? [];
    const logGigabytes = (Buffer.byteLength(line) + lineBytes) / gigabyte;
    if (billedMs === undefined) return { logGigabytes };
    const gigabyteSeconds = (Number(billedMs) / 1000) * (Number(megabytes) / 1024);
    return { logGigabytes, invocations: 1, gigabyteSeconds };
  });
  return total(...parts.map((part) => [1, part] as const));
}

/** Of an execution's history; the machines' logs hold every event without its data. */
export function usageOfHistory(events: readonly { readonly type?: string | undefined }[]): Usage {
  const entered = events.filter(({ type = '' }) => type.endsWith('StateEntered')).length;
  const tasks = events.filter(({ type }) => type === 'TaskStateEntered').length;
  // A task that is tried again is scheduled again, and billed as one more transition.
  const retries = events.filter(({ type }) => type === 'TaskScheduled').length - tasks;
  const logBytes = events.reduce((sum, event) => sum + JSON.stringify(event).length + lineBytes, 0);
  return { transitions: entered + Math.max(0, retries), logGigabytes: logBytes / gigabyte };
}

// biome-ignore lint/suspicious/noExplicitAny: AWS's own requests, one shape per operation
const json = (body: Buffer): any => JSON.parse(body.toString());

const consistent = (body: Buffer): boolean => json(body).ConsistentRead === true;

/** Metrics that a request reads; what it computes from them is free. */
const metricsIn = (body: Buffer): number =>
  json(body).MetricDataQueries.filter((query: object) => 'MetricStat' in query).length;

/** Names and values of an item's attributes; of an update, of what it sets. */
function itemBytes(body: Buffer): number {
  const { Item, ExpressionAttributeValues = {}, Key = {} } = json(body);
  return sizeOf(Item ?? { ...Key, ...ExpressionAttributeValues });
}

type Attribute = Readonly<Record<string, unknown>>;

function sizeOf(item: Readonly<Record<string, Attribute>>): number {
  return Object.entries(item).reduce(
    (sum, [name, value]) => sum + Buffer.byteLength(name) + valueBytes(value),
    0,
  );
}

function valueBytes(value: Attribute): number {
  const [kind, held] = Object.entries(value)[0] ?? [];
  if (kind === 'B') return Buffer.from(String(held), 'base64').length;
  if (kind === 'S' || kind === 'N') return Buffer.byteLength(String(held));
  return JSON.stringify(held).length;
}
