/** From the event table's stream to the bus and to people, with the order across streams shuffled. */

import {
  CloudWatchLogsClient,
  DescribeLogGroupsCommand,
  FilterLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  EventBridgeClient,
  PutEventsCommand,
  PutRuleCommand,
  PutTargetsCommand,
} from '@aws-sdk/client-eventbridge';
import {
  DescribeExecutionCommand,
  ListExecutionsCommand,
  ListStateMachinesCommand,
  SFNClient,
} from '@aws-sdk/client-sfn';
import { ListTopicsCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RefusedRequest } from '../../events/outward.ts';
import type { Recorded } from '../../events/recorded.ts';
import { DynamoConsumers } from '../../lib/aws/eventStore/consumers.ts';
import { until } from '../until.ts';
import { openWire, restingAtHalf, stream, type Wire } from './wire.ts';

type OnTheBus = Recorded & { readonly stream: string };
type Told = {
  readonly Subject: string;
  readonly Message: string;
  readonly MessageAttributes: Readonly<Record<string, { readonly Value: string }>>;
};

let wire: Wire;
let sqs: SQSClient;
let bus: Inbox<{ readonly detail: OnTheBus; readonly 'detail-type': string }>;
let alarms: Inbox<{ readonly id: string }>;
let people: Inbox<Told>;
let pages: Inbox<Told>;

beforeAll(async () => {
  wire = await openWire(restingAtHalf, { shuffleStreams: true });
  sqs = new SQSClient(wire.at);
  bus = await inbox('on-the-bus');
  alarms = await inbox('alarms-seen');
  people = await inbox('people');
  pages = await inbox('pages');
  const rules = new EventBridgeClient(wire.at);
  const EventPattern = JSON.stringify({ source: ['switchback'] });
  await rules.send(new PutRuleCommand({ Name: 'everything', EventPattern }));
  await rules.send(new PutTargetsCommand({ Rule: 'everything', Targets: [{ Id: 'queue', Arn: bus.arn }] }));
  const AlarmPattern = JSON.stringify({ source: ['aws.cloudwatch'] });
  await rules.send(new PutRuleCommand({ Name: 'every-alarm', EventPattern: AlarmPattern }));
  await rules.send(
    new PutTargetsCommand({ Rule: 'every-alarm', Targets: [{ Id: 'queue', Arn: alarms.arn }] }),
  );
  const sns = new SNSClient(wire.at);
  const { Topics = [] } = await sns.send(new ListTopicsCommand({}));
  const TopicArn = Topics.map((topic) => topic.TopicArn).find((arn) => arn?.endsWith('notifications'));
  await sns.send(new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint: people.arn }));
  const FilterPolicy = JSON.stringify({ urgency: ['page'] });
  const Attributes = { FilterPolicy };
  await sns.send(new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint: pages.arn, Attributes }));
});

afterAll(() => wire.close());

type Inbox<T> = { readonly arn: string; readonly seen: T[]; fetch(): Promise<readonly T[]> };

/** A queue that keeps what it received, in the order it came. */
async function inbox<T>(QueueName: string): Promise<Inbox<T>> {
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName }));
  const attributes = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] });
  const { Attributes } = await sqs.send(attributes);
  const seen: T[] = [];
  return {
    arn: Attributes?.QueueArn ?? '',
    seen,
    async fetch() {
      for (;;) {
        const receive = new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 });
        const { Messages = [] } = await sqs.send(receive);
        if (Messages.length === 0) return seen;
        for (const { Body = '', ReceiptHandle } of Messages) {
          seen.push(JSON.parse(Body));
          await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
        }
      }
    },
  };
}

type Line = Readonly<Record<string, string>>;

/** The query of docs/how-it-decides.md, as FilterLogEvents asks it, over the log groups of all functions. */
async function linesAbout(id: string): Promise<readonly Line[]> {
  const logs = new CloudWatchLogsClient(wire.at);
  const groups = new DescribeLogGroupsCommand({ logGroupNamePrefix: '/aws/lambda/switchback-' });
  const { logGroups = [] } = await logs.send(groups);
  const found = await Promise.all(
    logGroups.map(async ({ logGroupName }) => {
      const filterPattern = `{ $.correlationId = "${id}" }`;
      const { events = [] } = await logs.send(new FilterLogEventsCommand({ logGroupName, filterPattern }));
      return events.map(({ message = '' }) => JSON.parse(message) as Line);
    }),
  );
  return found.flat();
}

/** Versions of one stream as the bus brought them. */
const versionsOf = (one: string): number[] =>
  bus.seen.flatMap(({ detail }) => (detail.stream === one ? [detail.version] : []));

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

/** One more event in a stream of its own. */
async function append(one: string, version: number, why = 'the test says so'): Promise<void> {
  const paused = { type: 'RolloutPaused', at: Date.now(), rolloutId: 'r', by: 'test', why };
  await wire.store.append(one, {
    expected: version - 1,
    events: [paused],
    commandId: `${one}@${version}`,
    correlationId: `correlation of ${one}`,
    actor: 'test',
    snapshot: { schema: 1, state: {} },
    active: false,
  });
}

describe('what happened', () => {
  it('reaches the bus whole and in order, though records of other streams are shuffled between', async () => {
    const streams = upTo(6).map((nth) => `service/other-${nth}`);
    await Promise.all(
      streams.map(async (one) => {
        for (const version of upTo(20)) await append(one, version);
      }),
    );
    await until('everything on the bus', async () => {
      await bus.fetch();
      return streams.every((one) => versionsOf(one).at(-1) === 20);
    });
    for (const one of streams) expect(versionsOf(one)).toEqual(upTo(20));
  });

  it('carries the correlation id, the hash and the cause to whoever listens', async () => {
    await append('service/alone', 1);
    await until('on the bus', async () => (await bus.fetch()) && versionsOf('service/alone').length > 0);
    const event = bus.seen.find(({ detail }) => detail.stream === 'service/alone');
    expect(event).toMatchObject({
      'detail-type': 'RolloutPaused',
      source: 'switchback',
      detail: { id: 'service/alone#1', correlationId: 'correlation of service/alone', actor: 'test' },
    });
  });

  it('of a rollback is told to people once per decision, with attributes to filter by', async () => {
    await people.fetch();
    people.seen.length = 0;
    await wire.request();
    await wire.phase('baking');
    await wire.ring('shop-green-errors');
    await wire.phase('rolled-back');
    const told = (type: string) =>
      people.seen.filter(
        ({ MessageAttributes: { service, type: of } }) => service?.Value === 'shop' && of?.Value === type,
      );
    await until(
      'the last decision told',
      async () => (await people.fetch()) && told('RollbackCompleted').length > 0,
    );
    expect(people.seen.map(({ Subject }) => Subject)).toEqual([
      'shop: rollout started',
      'shop: rolling back',
      'shop: rolled back',
    ]);
    const [rollingBack] = told('RollbackInitiated');
    expect(rollingBack?.MessageAttributes.urgency?.Value).toBe('page');
    expect(JSON.parse(rollingBack?.Message ?? '')).toMatchObject({
      service: 'shop',
      sentence: expect.stringContaining(
        'Rolling back from 50 %, because of the alarm: alarm shop-green-errors',
      ),
    });
    await pages.fetch();
    const paged = pages.seen.filter(({ MessageAttributes }) => MessageAttributes.service?.Value === 'shop');
    expect(paged.map(({ Subject }) => Subject)).toEqual(['shop: rolling back']);
    await until('all of the shop on the bus', async () => {
      await bus.fetch();
      return versionsOf(stream).length >= (await wire.events()).length;
    });
    expect(versionsOf(stream)).toEqual(upTo((await wire.events()).length));
  });
});

describe('a request', () => {
  it('that is refused, or cannot be read, is answered on the bus by its id', async () => {
    const operation = { service: 'shop', by: 'ada' };
    const asked = [
      ['Switchback Operation Requested', { ...operation, operation: 'override', why: 'for ever' }],
      ['Switchback Rollout Requested', { service: 'shoop', revision: 'v9' }],
      ['Switchback Migration Operation Requested', { migrationId: 'none', operation: 'freeze', by: 'ada' }],
      ['Switchback Migration Requested', { migrationId: 'm', revisions: { shop: '' } }],
    ] as const;
    const Entries = asked.map(([DetailType, detail]) => ({
      ...{ Source: 'ci', DetailType, Detail: JSON.stringify(detail) },
    }));
    const put = await new EventBridgeClient(wire.at).send(new PutEventsCommand({ Entries }));
    const ids = (put.Entries ?? []).map(({ EventId }) => EventId);
    const answers = () =>
      bus.seen
        .filter((event) => event['detail-type'] === 'RequestRefused')
        .map(({ detail }) => detail as unknown as RefusedRequest);
    const answered = async () => {
      await bus.fetch();
      return ids.every((id) => answers().some(({ requestId }) => requestId === id));
    };
    await until('all answered', answered);
    const to = ids.map((id) => answers().find(({ requestId }) => requestId === id));
    expect(to.map((one) => one?.asked)).toEqual(asked.map(([detailType]) => detailType));
    expect(to.map((one) => `${one?.reason}: ${one?.sentence}`)).toEqual([
      'no-end: an override needs untilMinutes: it must end by itself.',
      'bad-input: service "shoop" is not configured: switchback.yml knows shop',
      expect.stringMatching(/^no-migration: /),
      expect.stringMatching(/^bad-input: .*revision/),
    ]);
  });
});

describe('a rollback', () => {
  it('is found whole by the id of the event that brought the alarm', async () => {
    const recorded = await Array.fromAsync(wire.store.read(stream));
    const from = recorded.findIndex(({ event }) => event.type === 'AlarmReceived' && event.state === 'ALARM');
    const id = recorded[from]?.correlationId ?? '';
    const began = recorded.filter(({ correlationId }) => correlationId === id);
    const rang = (await alarms.fetch()).find((one) => one.id === id);
    expect(rang).toMatchObject({ detail: { alarmName: 'shop-green-errors', state: { value: 'ALARM' } } });

    expect(began.map(({ event }) => event.type)).toEqual([
      'AlarmReceived',
      'RollbackInitiated',
      'TrafficShifted',
      'RollbackCompleted',
    ]);
    const others = recorded.slice(from).filter((one) => !began.includes(one));
    expect(others.filter(({ event }) => event.type !== 'AlarmReceived' || event.state !== 'OK')).toEqual([]);
    for (const one of began)
      expect(one).toMatchObject({ correlationId: id, commandId: expect.stringMatching(/./) });

    const machines = new SFNClient(wire.at);
    const { stateMachines = [] } = await machines.send(new ListStateMachinesCommand({}));
    const stateMachineArn = stateMachines.find(({ name }) => name?.includes('rollback'))?.stateMachineArn;
    const { executions = [] } = await machines.send(new ListExecutionsCommand({ stateMachineArn }));
    expect(executions.map(({ name }) => name)).toEqual(['release-1-back']);
    const { executionArn } = executions[0] ?? {};
    const { input = '' } = await machines.send(new DescribeExecutionCommand({ executionArn }));
    expect(JSON.parse(input)).toEqual({ service: 'shop', rolloutId: 'release-1', correlationId: id });

    const told = people.seen.filter(({ Subject }) => Subject.startsWith('shop: roll'));
    expect(
      told.filter(({ Message }) => JSON.parse(Message).correlationId === id).map(({ Subject }) => Subject),
    ).toEqual(['shop: rolling back', 'shop: rolled back']);
    expect(told.at(-1)?.MessageAttributes.correlationId?.Value).toBe(id);

    const said = await linesAbout(id);
    expect(new Set(said.map(({ function: by }) => by))).toEqual(
      new Set(['on-alarm', 'roll-back', 'publish-events']),
    );
    expect(said.map(({ message }) => message)).toEqual(
      expect.arrayContaining(['traffic shifted', 'alarm heard', 'rolled back']),
    );
    const published = said.filter(
      ({ message, subscriber }) => message === 'event published' && subscriber === 'bus',
    );
    expect(published.map(({ version }) => version)).toEqual(began.map(({ version }) => version));
    // No line of these functions goes without an id.
    const lines = wire.lines.filter((line) =>
      /^switchback-(on-alarm|roll-back|publish-events) \{"at"/.test(line),
    );
    expect(lines.filter((line) => !line.includes('"correlationId":"'))).toEqual([]);
  });
});

describe('a stream that a subscriber cannot get past', () => {
  it('is parked for that subscriber and loses nothing; the others and the other subscriber flow on', async () => {
    const poison = 'service/poison';
    const recover = wire.cloud.faults.add({
      service: 'events',
      operation: 'PutEvents',
      input: (input) => JSON.stringify(input).includes(poison),
      fault: { kind: 'error', status: 400, code: 'ValidationException' },
    });
    await append(poison, 1, 'poison');
    await append('service/healthy', 1);
    await append(poison, 2, 'after the poison');
    const consumers = new DynamoConsumers(new DynamoDBClient(wire.at), 'switchback-events');
    await until('parked', async () => (await consumers.checkpoint('bus', poison)).parked);
    await until('the other stream flows', async () => {
      await bus.fetch();
      return versionsOf('service/healthy').length === 1;
    });
    const about = ({ MessageAttributes }: Told) => MessageAttributes.service?.Value === 'poison';
    await until('people hear of it', async () => (await people.fetch()).filter(about).length === 2);
    expect(versionsOf(poison)).toEqual([]);
    expect(await consumers.checkpoint('bus', poison)).toMatchObject({ version: 0, parked: true });
    expect(wire.lines.some((line) => line.includes('stream parked') && line.includes(poison))).toBe(true);

    recover();
    expect(await wire.invoke('publish-events', { unpark: poison, by: 'ada', why: '' })).toMatchObject({
      payload: { errorType: 'BadInput', errorMessage: expect.stringContaining('say what was mended') },
    });
    const asked = { unpark: poison, by: 'ada', why: 'the rule is mended' };
    expect((await wire.invoke('publish-events', asked)).payload.subscribers).toEqual([
      { name: 'bus', wasParked: true, told: 2, of: 2, why: null },
      { name: 'people', wasParked: false, told: 2, of: 2, why: null },
    ]);
    await append(poison, 3);
    await until('it flows again', async () => (await bus.fetch()) && versionsOf(poison).length === 3);
    expect(versionsOf(poison)).toEqual(upTo(3));
  });
});
