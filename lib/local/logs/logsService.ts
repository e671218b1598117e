/** CloudWatch Logs as its clients see it. */
import * as sdk from '@aws-sdk/client-cloudwatch-logs';
import { pageOf } from '../page.ts';
import { type LocalService, ServiceError } from '../service.ts';
import { compileFilterPattern } from './filterPattern.ts';
import type { LogEvent, LogGroup, LogGroups, LogStream } from './logGroups.ts';

const groupsPage = 50;
const eventsPage = 10_000;

export function logsService(groups: LogGroups): LocalService {
  return {
    scope: 'logs',
    sdk,
    operations: { ...groupOperations(groups), ...streamOperations(groups), ...eventOperations(groups) },
  };
}

function groupOperations(groups: LogGroups): LocalService['operations'] {
  return {
    CreateLogGroup: ({ logGroupName }) => void groups.create(logGroupName),
    DeleteLogGroup: ({ logGroupName }) => groups.delete(logGroupName),
    DescribeLogGroups({ logGroupNamePrefix = '', limit = groupsPage, nextToken }) {
      const found = groups.all.filter(({ name }) => name.startsWith(logGroupNamePrefix));
      const page = paged(found, limit, nextToken);
      return { logGroups: page.items.map(describedGroup), nextToken: page.next };
    },
    PutRetentionPolicy({ logGroupName, retentionInDays }) {
      groups.require(logGroupName).retentionDays = retentionInDays;
    },
    DeleteRetentionPolicy({ logGroupName }) {
      groups.require(logGroupName).retentionDays = null;
    },
  };
}

function streamOperations(groups: LogGroups): LocalService['operations'] {
  return {
    CreateLogStream: ({ logGroupName, logStreamName }) =>
      void groups.createStream(groups.require(logGroupName), logStreamName),
    DeleteLogStream({ logGroupName, logStreamName }) {
      const group = groups.require(logGroupName);
      groups.requireStream(group, logStreamName);
      group.streams.delete(logStreamName);
    },
    DescribeLogStreams(input: sdk.DescribeLogStreamsCommandInput) {
      const { logStreamNamePrefix = '', limit = groupsPage, nextToken, descending } = input;
      const group = groups.require(String(input.logGroupName ?? input.logGroupIdentifier));
      const found = [...group.streams.values()].filter(({ name }) => name.startsWith(logStreamNamePrefix));
      const ordered = found.sort((a, b) => (a.name < b.name ? -1 : 1));
      const page = paged(descending ? ordered.reverse() : ordered, limit, nextToken);
      return { logStreams: page.items.map((stream) => describedStream(group, stream)), nextToken: page.next };
    },
  };
}

function eventOperations(groups: LogGroups): LocalService['operations'] {
  return {
    PutLogEvents({ logGroupName, logStreamName, logEvents = [] }: sdk.PutLogEventsCommandInput) {
      const group = groups.require(String(logGroupName));
      groups.requireStream(group, String(logStreamName));
      for (const { message, timestamp } of logEvents) {
        groups.append(group.name, String(logStreamName), String(message), timestamp);
      }
      return { nextSequenceToken: '0' };
    },
    GetLogEvents(input: sdk.GetLogEventsCommandInput) {
      const group = groups.require(String(input.logGroupName ?? input.logGroupIdentifier));
      const stream = groups.requireStream(group, String(input.logStreamName));
      const found = stream.events.filter((event) => isWithin(event, input));
      const limit = input.limit ?? eventsPage;
      const shown = input.startFromHead ? found.slice(0, limit) : found.slice(-limit);
      const events = shown.map(({ message, timestamp, ingestedAt }) => ({
        message,
        timestamp,
        ingestionTime: ingestedAt,
      }));
      return { events, nextForwardToken: 'f/end', nextBackwardToken: 'b/start' };
    },
    FilterLogEvents(input: sdk.FilterLogEventsCommandInput) {
      const group = groups.require(String(input.logGroupName ?? input.logGroupIdentifier));
      const wanted = compileFilterPattern(input.filterPattern ?? '');
      const { logStreamNames, logStreamNamePrefix = '' } = input;
      const streams = [...group.streams.values()].filter(
        ({ name }) => name.startsWith(logStreamNamePrefix) && (logStreamNames?.includes(name) ?? true),
      );
      const found = streams.flatMap((stream) =>
        stream.events
          .filter((event) => isWithin(event, input) && wanted(event.message))
          .map((event) => ({ stream, event })),
      );
      found.sort((a, b) => a.event.timestamp - b.event.timestamp || (a.event.id < b.event.id ? -1 : 1));
      const page = paged(found, input.limit ?? eventsPage, input.nextToken);
      const events = page.items.map(({ stream, event }) => ({
        logStreamName: stream.name,
        timestamp: event.timestamp,
        message: event.message,
        ingestionTime: event.ingestedAt,
        eventId: event.id,
      }));
      return { events, nextToken: page.next, searchedLogStreams: [] };
    },
  };
}

type Span = { readonly startTime?: number | undefined; readonly endTime?: number | undefined };

const isWithin = ({ timestamp }: LogEvent, { startTime = 0, endTime = Number.POSITIVE_INFINITY }: Span) =>
  timestamp >= startTime && timestamp < endTime;

function paged<T>(all: readonly T[], size: number, token: string | undefined) {
  const page = pageOf(all, size, token);
  if (page === null)
    throw new ServiceError('InvalidParameterException', 'The specified nextToken is invalid.');
  return page;
}

const describedGroup = ({ name, arn, createdAt, retentionDays, streams }: LogGroup) => ({
  logGroupName: name,
  arn: `${arn}:*`,
  logGroupArn: arn,
  creationTime: createdAt,
  retentionInDays: retentionDays ?? undefined,
  storedBytes: [...streams.values()]
    .flatMap(({ events }) => events)
    .reduce((sum, { message }) => sum + message.length, 0),
});

const describedStream = (group: LogGroup, { name, createdAt, events }: LogStream) => ({
  logStreamName: name,
  arn: `${group.arn}:log-stream:${name}`,
  creationTime: createdAt,
  firstEventTimestamp: events[0]?.timestamp,
  lastEventTimestamp: events.at(-1)?.timestamp,
  lastIngestionTime: events.at(-1)?.ingestedAt,
});
