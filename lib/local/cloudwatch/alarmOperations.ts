/** The alarm half of CloudWatch's API, over the alarm book. */
import type {
  DescribeAlarmHistoryCommandInput,
  DescribeAlarmsCommandInput,
  DescribeAlarmsForMetricCommandInput,
  PutCompositeAlarmCommandInput,
  PutMetricAlarmCommandInput,
  SetAlarmStateCommandInput,
  CompositeAlarm as WireComposite,
  MetricAlarm as WireMetricAlarm,
} from '@aws-sdk/client-cloudwatch';
import type { Clock } from '../../asl/clock.ts';
import type { Place } from '../cloudEvent.ts';
import { pageOf } from '../page.ts';
import { type Operation, ServiceError } from '../service.ts';
import type { AlarmBook } from './alarmBook.ts';
import { type Alarm, type CompositeAlarm, type MetricAlarm, typeOf } from './alarmRecord.ts';
import { compositeAlarmOf, metricAlarmOf } from './alarmSettings.ts';
import { alarmsIn } from './compositeRule.ts';
import { invalid } from './metricQueries.ts';

/** DescribeAlarms and DescribeAlarmHistory references: 1 to 100 records a page. */
const RECORDS_MAX = 100;
const RECORDS_DEFAULT = 50;

export type AlarmDesk = {
  readonly book: AlarmBook;
  readonly clock: Clock;
  readonly place: Place;
  /** Throws where the alarm's queries cannot be computed. */
  readonly check: (alarm: MetricAlarm) => void;
  /** Takes what AWS would have refused. */
  readonly note: (text: string) => void;
};

export function alarmOperations(desk: AlarmDesk): Readonly<Record<string, Operation>> {
  const { book } = desk;
  const toggle = (names: readonly string[] | undefined, on: boolean) => {
    for (const name of names ?? []) existing(book, name).actionsEnabled = on;
    return {};
  };
  return {
    PutMetricAlarm: (input: PutMetricAlarmCommandInput) => {
      const { alarm, note } = metricAlarmOf(input, desk.place, desk.clock.now());
      desk.check(alarm);
      if (note) desk.note(note);
      book.put(alarm);
      return {};
    },
    PutCompositeAlarm: (input: PutCompositeAlarmCommandInput) => {
      const alarm = compositeAlarmOf(input, desk.place, desk.clock.now());
      const unknown = alarmsIn(alarm.rule).filter((name) => !book.get(name));
      if (unknown.length > 0)
        throw invalid(`Could not save the alarm: ${unknown.join(', ')} does not exist.`);
      if (reaches(book, alarm, alarm.name)) throw invalid('An alarm rule must not lead back to its alarm.');
      book.put(alarm);
      return {};
    },
    DeleteAlarms: ({ AlarmNames }: { AlarmNames?: string[] }) => {
      for (const name of AlarmNames ?? []) existing(book, name);
      for (const name of AlarmNames ?? []) book.delete(name);
      return {};
    },
    SetAlarmState: (input: SetAlarmStateCommandInput) => {
      const alarm = existing(book, input.AlarmName);
      const value = input.StateValue;
      if (value !== 'OK' && value !== 'ALARM' && value !== 'INSUFFICIENT_DATA')
        throw invalid(`StateValue must be OK, ALARM or INSUFFICIENT_DATA, not ${value}.`);
      if (input.StateReasonData !== undefined && !isJson(input.StateReasonData))
        throw new ServiceError('InvalidFormatFault', 'StateReasonData must be JSON.');
      book.setState(alarm, { value, reason: input.StateReason ?? '', reasonData: input.StateReasonData });
      return {};
    },
    EnableAlarmActions: ({ AlarmNames }: { AlarmNames?: string[] }) => toggle(AlarmNames, true),
    DisableAlarmActions: ({ AlarmNames }: { AlarmNames?: string[] }) => toggle(AlarmNames, false),
    DescribeAlarms: (input: DescribeAlarmsCommandInput) => describeAlarms(book, input),
    DescribeAlarmsForMetric: (input: DescribeAlarmsForMetricCommandInput) => ({
      MetricAlarms: book
        .all()
        .filter((alarm): alarm is MetricAlarm => alarm.kind === 'metric' && watches(alarm, input))
        .map(wireMetric),
    }),
    DescribeAlarmHistory: (input: DescribeAlarmHistoryCommandInput) => describeHistory(book, input),
    ...tagOperations(book),
  };
}

function reaches(book: AlarmBook, from: Alarm | undefined, name: string): boolean {
  if (from?.kind !== 'composite') return false;
  return alarmsIn(from.rule).some((child) => child === name || reaches(book, book.get(child), name));
}

function tagOperations(book: AlarmBook): Readonly<Record<string, Operation>> {
  const byArn = (arn: string | undefined): Alarm => {
    const found = book.all().find((alarm) => alarm.arn === arn);
    if (!found) throw new ServiceError('ResourceNotFoundException', `${arn} does not exist`, 404);
    return found;
  };
  return {
    TagResource: ({
      ResourceARN,
      Tags,
    }: {
      ResourceARN?: string;
      Tags?: { Key: string; Value: string }[];
    }) => {
      const alarm = byArn(ResourceARN);
      alarm.tags = new Map([
        ...alarm.tags,
        ...(Tags ?? []).map(({ Key, Value }): [string, string] => [Key, Value]),
      ]);
      return {};
    },
    UntagResource: ({ ResourceARN, TagKeys }: { ResourceARN?: string; TagKeys?: string[] }) => {
      const alarm = byArn(ResourceARN);
      alarm.tags = new Map([...alarm.tags].filter(([key]) => !TagKeys?.includes(key)));
      return {};
    },
    ListTagsForResource: ({ ResourceARN }: { ResourceARN?: string }) => ({
      Tags: [...byArn(ResourceARN).tags].map(([Key, Value]) => ({ Key, Value })),
    }),
  };
}

function describeAlarms(book: AlarmBook, input: DescribeAlarmsCommandInput) {
  // Without AlarmTypes only metric alarms are answered, even where composites exist (DescribeAlarms
  // reference).
  const types: readonly string[] = input.AlarmTypes?.length ? input.AlarmTypes : ['MetricAlarm'];
  const found = related(book, input)
    .filter((alarm) => types.includes(typeOf(alarm)))
    .filter((alarm) => input.AlarmNames === undefined || input.AlarmNames.includes(alarm.name))
    .filter((alarm) => alarm.name.startsWith(input.AlarmNamePrefix ?? ''))
    .filter((alarm) => input.StateValue === undefined || alarm.state.value === input.StateValue)
    .filter(({ actions }) => {
      const prefix = input.ActionPrefix;
      return (
        prefix === undefined ||
        Object.values(actions).some((list) => list.some((arn) => arn.startsWith(prefix)))
      );
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const page = pageOf(found, recordsOf(input.MaxRecords), input.NextToken);
  if (page === null) throw new ServiceError('InvalidNextToken', 'The next token is invalid.');
  return {
    MetricAlarms: page.items.filter((alarm) => alarm.kind === 'metric').map(wireMetric),
    CompositeAlarms: page.items.filter((alarm) => alarm.kind === 'composite').map(wireComposite),
    NextToken: page.next,
  };
}

function related(book: AlarmBook, input: DescribeAlarmsCommandInput): readonly Alarm[] {
  const { ChildrenOfAlarmName: parent, ParentsOfAlarmName: child } = input;
  if (parent !== undefined) {
    const found = book.get(parent);
    const names = found?.kind === 'composite' ? alarmsIn(found.rule) : [];
    return book.all().filter(({ name }) => names.includes(name));
  }
  if (child === undefined) return book.all();
  return book.all().filter((alarm) => alarm.kind === 'composite' && alarmsIn(alarm.rule).includes(child));
}

function describeHistory(book: AlarmBook, input: DescribeAlarmHistoryCommandInput) {
  const types: readonly string[] | undefined = input.AlarmTypes;
  const found = book.history
    .filter((item) => input.AlarmName === undefined || item.alarmName === input.AlarmName)
    .filter((item) => types === undefined || types.includes(item.alarmType))
    .filter((item) => input.HistoryItemType === undefined || item.type === input.HistoryItemType)
    .filter((item) => item.atMs >= (input.StartDate?.getTime() ?? Number.NEGATIVE_INFINITY))
    .filter((item) => item.atMs <= (input.EndDate?.getTime() ?? Number.POSITIVE_INFINITY));
  const ordered = input.ScanBy === 'TimestampAscending' ? found : found.toReversed();
  const page = pageOf(ordered, recordsOf(input.MaxRecords), input.NextToken);
  if (page === null) throw new ServiceError('InvalidNextToken', 'The next token is invalid.');
  const items = page.items.map((item) => ({
    AlarmName: item.alarmName,
    AlarmType: item.alarmType,
    Timestamp: new Date(item.atMs),
    HistoryItemType: item.type,
    HistorySummary: item.summary,
    HistoryData: item.data,
  }));
  return { AlarmHistoryItems: items, NextToken: page.next };
}

function recordsOf(asked: number | undefined): number {
  const records = asked ?? RECORDS_DEFAULT;
  if (records < 1 || records > RECORDS_MAX) throw invalid(`MaxRecords must be between 1 and ${RECORDS_MAX}.`);
  return records;
}

function existing(book: AlarmBook, name: string | undefined): Alarm {
  const alarm = book.get(name ?? '');
  if (!alarm) throw new ServiceError('ResourceNotFound', `The alarm ${name} does not exist.`, 404);
  return alarm;
}

const watches = (alarm: MetricAlarm, input: DescribeAlarmsForMetricCommandInput): boolean => {
  const dimensions = (
    list: readonly { Name?: string | undefined; Value?: string | undefined }[] | undefined,
  ) => JSON.stringify((list ?? []).map(({ Name, Value }) => [Name, Value]).sort());
  return alarm.queries.some(
    ({ MetricStat }) =>
      MetricStat?.Metric?.Namespace === input.Namespace &&
      MetricStat?.Metric?.MetricName === input.MetricName &&
      dimensions(MetricStat?.Metric?.Dimensions) === dimensions(input.Dimensions),
  );
};

const wireCommon = (alarm: Alarm) => ({
  AlarmName: alarm.name,
  AlarmArn: alarm.arn,
  AlarmDescription: alarm.description,
  AlarmConfigurationUpdatedTimestamp: new Date(alarm.configuredMs),
  ActionsEnabled: alarm.actionsEnabled,
  OKActions: [...alarm.actions.OK],
  AlarmActions: [...alarm.actions.ALARM],
  InsufficientDataActions: [...alarm.actions.INSUFFICIENT_DATA],
  StateValue: alarm.state.value,
  StateReason: alarm.state.reason,
  StateReasonData: alarm.state.reasonData,
  StateUpdatedTimestamp: new Date(alarm.state.updatedMs),
  StateTransitionedTimestamp: new Date(alarm.state.updatedMs),
});

function wireMetric(alarm: MetricAlarm): WireMetricAlarm {
  const { AlarmName, Tags, ActionsEnabled, ...settings } = alarm.settings;
  return {
    Dimensions: [],
    ...settings,
    ...wireCommon(alarm),
    EvaluationPeriods: alarm.evaluationPeriods,
    DatapointsToAlarm: settings.DatapointsToAlarm,
  };
}

const wireComposite = (alarm: CompositeAlarm): WireComposite => ({
  ...wireCommon(alarm),
  AlarmRule: alarm.ruleText,
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
