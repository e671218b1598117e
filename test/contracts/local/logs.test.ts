import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  DescribeLogGroupsCommand,
  DescribeLogStreamsCommand,
  FilterLogEventsCommand,
  GetLogEventsCommand,
  PutLogEventsCommand,
  PutRetentionPolicyCommand,
  ResourceNotFoundException,
} from '@aws-sdk/client-cloudwatch-logs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../lib/asl/clock.ts';
import { Bus } from '../../../lib/local/bus.ts';
import { type Endpoint, startEndpoint } from '../../../lib/local/endpoint.ts';
import { compileFilterPattern } from '../../../lib/local/logs/filterPattern.ts';
import { LogGroups } from '../../../lib/local/logs/logGroups.ts';
import { logsService } from '../../../lib/local/logs/logsService.ts';
import { awsCliJson } from './awsCli.ts';

let clock: VirtualClock;
let bus: Bus;
let groups: LogGroups;
let endpoint: Endpoint;
let logs: CloudWatchLogsClient;
beforeEach(async () => {
  clock = new VirtualClock();
  bus = new Bus();
  groups = new LogGroups({ region: 'eu-west-1', account: '000000000000', clock, bus });
  endpoint = await startEndpoint({ services: [logsService(groups)], clock });
  logs = new CloudWatchLogsClient({ endpoint: endpoint.url, region: 'eu-west-1', maxAttempts: 1 });
});
afterEach(() => endpoint.close());

describe('log groups', () => {
  it('answer one query over all their streams, in the order of time', async () => {
    for (const [stream, message] of [
      ['a', 'one corr-1'],
      ['b', 'two corr-2'],
      ['b', 'three corr-1'],
    ] as const) {
      groups.append('/aws/lambda/on-alarm', stream, message);
      await clock.advance(1_000);
    }
    const query = { logGroupName: '/aws/lambda/on-alarm', filterPattern: '"corr-1"' };
    const { events } = await logs.send(new FilterLogEventsCommand(query));
    expect(events?.map(({ message, logStreamName }) => `${logStreamName}: ${message}`)).toEqual([
      'a: one corr-1',
      'b: three corr-1',
    ]);
    const since = { ...query, startTime: clock.now() - 1_500 };
    expect((await logs.send(new FilterLogEventsCommand(since))).events).toHaveLength(1);
    const page = await logs.send(new FilterLogEventsCommand({ ...query, limit: 1 }));
    const next = await logs.send(
      new FilterLogEventsCommand({ ...query, limit: 1, nextToken: page.nextToken }),
    );
    expect(next.events?.[0]?.message).toBe('three corr-1');
  });

  it('take what clients put, and show their streams and retention', async () => {
    const names = { logGroupName: 'g', logStreamName: 's' };
    await logs.send(new CreateLogGroupCommand(names));
    await logs.send(new CreateLogStreamCommand(names));
    await logs.send(new PutRetentionPolicyCommand({ logGroupName: 'g', retentionInDays: 30 }));
    const logEvents = [1, 2, 3].map((n) => ({ timestamp: n, message: `line ${n}` }));
    await logs.send(new PutLogEventsCommand({ ...names, logEvents }));
    const last = await logs.send(new GetLogEventsCommand({ ...names, limit: 2 }));
    expect(last.events?.map(({ message }) => message)).toEqual(['line 2', 'line 3']);
    const { logGroups } = await logs.send(new DescribeLogGroupsCommand({}));
    expect(logGroups).toMatchObject([{ logGroupName: 'g', retentionInDays: 30, storedBytes: 18 }]);
    const { logStreams } = await logs.send(new DescribeLogStreamsCommand({ logGroupName: 'g' }));
    expect(logStreams).toMatchObject([{ logStreamName: 's', firstEventTimestamp: 1, lastEventTimestamp: 3 }]);
    const missing = logs.send(new GetLogEventsCommand({ logGroupName: 'none', logStreamName: 's' }));
    await expect(missing).rejects.toBeInstanceOf(ResourceNotFoundException);
  });

  it('take events from rules', async () => {
    groups.create('/aws/events/all');
    const arn = 'arn:aws:logs:eu-west-1:000000000000:log-group:/aws/events/all';
    await bus.send(arn, { body: '{"source":"shop"}', from: 'arn:aws:events:eu-west-1:0:rule/r' });
    expect(groups.require('/aws/events/all').streams.get('r')?.events[0]?.message).toBe('{"source":"shop"}');
  });

  it('answer awscli', async () => {
    groups.append('g', 's', '2026\tid\tINFO\t{"level":"ERROR","n":5}');
    groups.append('g', 's', 'other');
    const args = ['--log-group-name', 'g', '--filter-pattern', '{ $.level = "ERROR" && $.n > 3 }'];
    expect((await awsCliJson(endpoint.url, 'logs', 'filter-log-events', ...args)).events).toHaveLength(1);
  });
});

describe('a filter pattern', () => {
  const line = '{"level":"ERROR","service":"shop/orders","n":5,"ok":true,"none":null,"deep":{"a":[1]}}';
  it.each<[string, boolean]>([
    ['', true],
    ['ERROR shop', true],
    ['ERROR INFO', false],
    ['"shop/orders" -INFO', true],
    ['ERROR -orders', false],
    ['?INFO ?ERROR', true],
    ['?INFO ?WARN', false],
    ['{ $.level = "ERROR" }', true],
    ['{ $.service = "shop/*" }', true],
    ['{ $.service != shop* }', false],
    ['{ $.n >= 5 && $.n < 6 }', true],
    ['{ $.n = 4 || $.ok IS TRUE }', true],
    ['{ $.none IS NULL && $.missing NOT EXISTS }', true],
    ['{ $.deep.a[0] = 1 }', true],
    ['{ $.missing = "x" }', false],
  ])('%s', (pattern, matches) => {
    expect(compileFilterPattern(pattern)(line)).toBe(matches);
  });

  it.each(['[a, b]', '{ $.a ~ 1 }', '{ $.a = 1'])('%s is refused', (pattern) => {
    expect(() => compileFilterPattern(pattern)).toThrow('Invalid filter pattern');
  });
});
