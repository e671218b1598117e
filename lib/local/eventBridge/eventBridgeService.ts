/** Amazon EventBridge as its clients see it. */
import * as sdk from '@aws-sdk/client-eventbridge';
import type { Clock } from '../../asl/clock.ts';
import type { Json } from '../json.ts';
import { pageOf } from '../page.ts';
import { type LocalService, ServiceError } from '../service.ts';
import { compile, type EventBuses } from './eventBuses.ts';
import type { Rule, Target } from './rule.ts';

const entriesMax = 10;
/** Bytes of all entries of one PutEvents (user guide, "Calculating PutEvents event entry size"). */
const entriesBytesMax = 262_144;
/** A timestamp counts 14 bytes. */
const timeBytes = 14;
/** Targets of one rule. */
const targetsMax = 5;
const listedMax = 100;

export function eventBridgeService(buses: EventBuses, clock: Clock): LocalService {
  return {
    scope: 'events',
    sdk,
    operations: {
      ...busOperations(buses),
      ...ruleOperations(buses),
      ...targetOperations(buses),
      ...tagOperations(buses),
      PutEvents: (input: sdk.PutEventsCommandInput, { traceId }) => putEvents(buses, clock, input, traceId),
      TestEventPattern: ({ EventPattern, Event }) => ({ Result: compile(EventPattern)(parseEvent(Event)) }),
    },
    close: async () => buses.close(),
  };
}

function busOperations(buses: EventBuses): LocalService['operations'] {
  return {
    CreateEventBus: ({ Name }) => ({ EventBusArn: buses.create(Name).arn }),
    DeleteEventBus: ({ Name }) => buses.delete(Name),
    DescribeEventBus({ Name }) {
      const { name, arn } = buses.require(Name);
      return { Name: name, Arn: arn };
    },
    ListEventBuses: ({ NamePrefix = '' }) => ({
      EventBuses: buses.all
        .filter(({ name }) => name.startsWith(NamePrefix))
        .map(({ name, arn }) => ({ Name: name, Arn: arn })),
    }),
  };
}

function ruleOperations(buses: EventBuses): LocalService['operations'] {
  return {
    PutRule(input: sdk.PutRuleCommandInput) {
      const tags = input.Tags?.map(({ Key, Value }): [string, string] => [String(Key), String(Value)]);
      const rule = buses.putRule({
        name: String(input.Name),
        bus: buses.require(input.EventBusName).name,
        eventPattern: input.EventPattern || undefined,
        scheduleExpression: input.ScheduleExpression || undefined,
        enabled: input.State !== 'DISABLED',
        description: input.Description,
        roleArn: input.RoleArn,
        tags: tags === undefined ? undefined : Object.fromEntries(tags),
      });
      return { RuleArn: rule.arn };
    },
    DescribeRule: ({ Name, EventBusName }) => described(buses.requireRule(Name, EventBusName)),
    ListRules({ NamePrefix = '', EventBusName, Limit = listedMax, NextToken }) {
      const found = [...buses.require(EventBusName).rules.values()].filter(({ name }) =>
        name.startsWith(NamePrefix),
      );
      const page = pageOf(found, Limit, NextToken);
      if (page === null) throw new ServiceError('ValidationException', 'The NextToken is not valid.');
      return { Rules: page.items.map(described), NextToken: page.next };
    },
    DeleteRule({ Name, EventBusName }) {
      const rule = buses.require(EventBusName).rules.get(Name);
      if (rule !== undefined) buses.deleteRule(rule);
    },
    EnableRule: ({ Name, EventBusName }) => buses.enable(buses.requireRule(Name, EventBusName), true),
    DisableRule: ({ Name, EventBusName }) => buses.enable(buses.requireRule(Name, EventBusName), false),
  };
}

function targetOperations(buses: EventBuses): LocalService['operations'] {
  return {
    PutTargets({ Rule: name, EventBusName, Targets = [] }: sdk.PutTargetsCommandInput) {
      const rule = buses.requireRule(String(name), EventBusName);
      const ids = new Set([...rule.targets.keys(), ...Targets.map(({ Id }) => String(Id))]);
      if (ids.size > targetsMax) {
        throw new ServiceError(
          'LimitExceededException',
          `The requested resource exceeds the maximum number allowed: ${targetsMax} targets per rule.`,
        );
      }
      for (const target of Targets) rule.targets.set(String(target.Id), target as Target);
      return { FailedEntryCount: 0, FailedEntries: [] };
    },
    RemoveTargets({ Rule: name, EventBusName, Ids = [] }: sdk.RemoveTargetsCommandInput) {
      const { targets } = buses.requireRule(String(name), EventBusName);
      const FailedEntries = Ids.filter((id) => !targets.delete(id)).map((TargetId) => ({
        TargetId,
        ErrorCode: 'ResourceNotFoundException',
        ErrorMessage: `Rule does not have target ${TargetId}.`,
      }));
      return { FailedEntryCount: FailedEntries.length, FailedEntries };
    },
    ListTargetsByRule: ({ Rule: name, EventBusName }) => ({
      Targets: [...buses.requireRule(name, EventBusName).targets.values()],
    }),
    ListRuleNamesByTarget({ TargetArn, EventBusName }) {
      const rules = [...buses.require(EventBusName).rules.values()];
      const found = rules.filter(({ targets }) => [...targets.values()].some(({ Arn }) => Arn === TargetArn));
      return { RuleNames: found.map(({ name }) => name) };
    },
  };
}

function tagOperations(buses: EventBuses): LocalService['operations'] {
  const ruleOf = (arn: string): Rule => {
    const found = buses.all.flatMap(({ rules }) => [...rules.values()]).find((rule) => rule.arn === arn);
    if (found === undefined) throw new ServiceError('ResourceNotFoundException', `${arn} does not exist.`);
    return found;
  };
  return {
    TagResource({ ResourceARN, Tags }) {
      const rule = ruleOf(ResourceARN);
      rule.tags = {
        ...rule.tags,
        ...Object.fromEntries(Tags.map(({ Key, Value }: sdk.Tag) => [Key, Value])),
      };
    },
    UntagResource({ ResourceARN, TagKeys }) {
      const rule = ruleOf(ResourceARN);
      rule.tags = Object.fromEntries(Object.entries(rule.tags).filter(([key]) => !TagKeys.includes(key)));
    },
    ListTagsForResource: ({ ResourceARN }) => ({
      Tags: Object.entries(ruleOf(ResourceARN).tags).map(([Key, Value]) => ({ Key, Value })),
    }),
  };
}

function putEvents(
  buses: EventBuses,
  clock: Clock,
  { Entries = [] }: sdk.PutEventsCommandInput,
  traceId?: string,
) {
  if (Entries.length < 1 || Entries.length > entriesMax) {
    const value = `1 validation error detected: Value of length ${Entries.length} at 'entries'`;
    const constraint = `Member must have length between 1 and ${entriesMax}`;
    throw new ServiceError('ValidationException', `${value} failed to satisfy constraint: ${constraint}`);
  }
  const bytes = Entries.reduce((sum, entry) => sum + bytesOf(entry), 0);
  if (bytes > entriesBytesMax) {
    throw new ServiceError(
      'ValidationException',
      'Total size of the entries in the request is over the limit.',
    );
  }
  const results = Entries.map((entry) => {
    const {
      Source = '',
      DetailType = '',
      Detail = '',
      Time,
      Resources = [],
      EventBusName,
      TraceHeader,
    } = entry;
    try {
      const detail = detailOf(Source, DetailType, Detail);
      const bus = buses.require(EventBusName).name;
      const time = Time ?? new Date(clock.now());
      const told = { source: Source, detailType: DetailType, time, resources: Resources, detail };
      return { EventId: buses.publish(told, bus, TraceHeader ?? traceId) };
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      return { ErrorCode: error.name, ErrorMessage: error.message };
    }
  });
  return { FailedEntryCount: results.filter((result) => 'ErrorCode' in result).length, Entries: results };
}

/** @throws ServiceError with the code that a failed entry carries */
function detailOf(source: string, detailType: string, detail: string): Record<string, unknown> {
  for (const [name, value] of Object.entries({ Source: source, DetailType: detailType, Detail: detail })) {
    if (value === '') {
      throw new ServiceError(
        'InvalidArgument',
        `Parameter ${name} is not valid. Reason: ${name} is a required argument.`,
      );
    }
  }
  if (source.startsWith('aws.')) {
    throw new ServiceError('NotAuthorizedForSourceException', `Not authorized for the source ${source}.`);
  }
  try {
    const parsed: unknown = JSON.parse(detail);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed))
      return parsed as Record<string, unknown>;
  } catch {}
  throw new ServiceError('MalformedDetail', 'Detail is malformed.');
}

function bytesOf({
  Source = '',
  DetailType = '',
  Detail = '',
  Time,
  Resources = [],
}: sdk.PutEventsRequestEntry): number {
  const texts = [Source, DetailType, Detail, ...Resources];
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text), Time === undefined ? 0 : timeBytes);
}

function described(rule: Rule) {
  return {
    Name: rule.name,
    Arn: rule.arn,
    EventPattern: rule.pattern?.source,
    ScheduleExpression: rule.schedule ?? undefined,
    State: rule.enabled ? 'ENABLED' : 'DISABLED',
    Description: rule.description,
    RoleArn: rule.roleArn,
    EventBusName: rule.bus,
  };
}

/** An event to test a pattern with must have all of EventBridge's own fields. */
function parseEvent(text: string): Json {
  let event: Json;
  try {
    event = JSON.parse(text);
  } catch {
    throw new ServiceError('ValidationException', 'Parameter Event is not valid. Reason: it is not JSON.');
  }
  for (const name of ['id', 'account', 'source', 'time', 'region', 'resources', 'detail-type']) {
    if ((event as { readonly [key: string]: Json })?.[name] === undefined) {
      throw new ServiceError(
        'ValidationException',
        `Parameter Event is not valid. Reason: it has no ${name}.`,
      );
    }
  }
  return event;
}
