import {
  CreateEventBusCommand,
  DeleteRuleCommand,
  DescribeRuleCommand,
  DisableRuleCommand,
  EventBridgeClient,
  InvalidEventPatternException,
  ListRulesCommand,
  ListTargetsByRuleCommand,
  PutEventsCommand,
  PutRuleCommand,
  type PutRuleCommandInput,
  PutTargetsCommand,
  RemoveTargetsCommand,
  type Target,
  TestEventPatternCommand,
} from '@aws-sdk/client-eventbridge';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../lib/asl/clock.ts';
import { Bus, type Parcel } from '../../../lib/local/bus.ts';
import { type Endpoint, startEndpoint } from '../../../lib/local/endpoint.ts';
import { eventBridgeService } from '../../../lib/local/eventBridge/eventBridgeService.ts';
import { EventBuses } from '../../../lib/local/eventBridge/eventBuses.ts';
import { ServiceError } from '../../../lib/local/service.ts';
import { Queues } from '../../../lib/local/sqs/queues.ts';
import { awsCliJson } from './awsCli.ts';

const place = { region: 'eu-west-1', account: '000000000000' };
const machine = 'arn:aws:states:eu-west-1:000000000000:stateMachine:rollout';
let clock: VirtualClock;
let bus: Bus;
let queues: Queues;
let buses: EventBuses;
let endpoint: Endpoint;
let events: EventBridgeClient;
let machineAnswers: (() => void)[];
let machineInputs: Parcel[];
beforeEach(async () => {
  clock = new VirtualClock();
  bus = new Bus();
  queues = new Queues({ clock, bus });
  buses = new EventBuses({ ...place, clock, bus });
  machineAnswers = [];
  machineInputs = [];
  bus.register('states', async (_arn, parcel) => {
    machineInputs.push(parcel);
    machineAnswers.shift()?.();
  });
  endpoint = await startEndpoint({ services: [eventBridgeService(buses, clock)], clock });
  events = new EventBridgeClient({ endpoint: endpoint.url, region: 'eu-west-1', maxAttempts: 1 });
});
afterEach(() => endpoint.close());

const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => null,
    (error) => error,
  );
const queueArn = (name: string) => queues.create(name, {}, place).arn;
const received = async (name: string) =>
  (await queues.byName(name).receive({ max: 10 })).map(({ message }) => JSON.parse(message.body));
const route = async (rule: PutRuleCommandInput, ...Targets: Target[]) => {
  await events.send(new PutRuleCommand(rule));
  await events.send(new PutTargetsCommand({ Rule: rule.Name, EventBusName: rule.EventBusName, Targets }));
};
const putEvent = (Detail: object, more = {}) =>
  events.send(
    new PutEventsCommand({
      Entries: [{ Source: 'shop', DetailType: 'Rollout Requested', Detail: JSON.stringify(Detail), ...more }],
    }),
  );

describe('events', () => {
  it('go to the targets of the rules they match', async () => {
    const EventPattern = JSON.stringify({ source: ['shop'], detail: { service: [{ prefix: 'order' }] } });
    await route({ Name: 'rollouts', EventPattern }, { Id: 'q', Arn: queueArn('q') });
    const { Entries } = await putEvent({ service: 'orders' });
    await putEvent({ service: 'search' });
    expect(await received('q')).toEqual([
      {
        version: '0',
        id: Entries?.[0]?.EventId,
        'detail-type': 'Rollout Requested',
        source: 'shop',
        account: '000000000000',
        time: '2026-01-01T00:00:00Z',
        region: 'eu-west-1',
        resources: [],
        detail: { service: 'orders' },
      },
    ]);
  });

  it('pass from one bus to another, and start machines with a shaped input', async () => {
    const { EventBusArn } = await events.send(new CreateEventBusCommand({ Name: 'second' }));
    const EventPattern = JSON.stringify({ source: ['shop'] });
    await route({ Name: 'forward', EventPattern }, { Id: 'bus', Arn: EventBusArn });
    const InputTransformer = { InputPathsMap: { s: '$.detail.service' }, InputTemplate: '{"service": <s>}' };
    await route(
      { Name: 'start', EventBusName: 'second', EventPattern },
      { Id: 'm', Arn: machine, InputTransformer },
    );
    await putEvent({ service: 'orders' });
    expect(machineInputs.map(({ body }) => body)).toEqual(['{"service": "orders"}']);
    expect(machineInputs[0]?.from).toBe('arn:aws:events:eu-west-1:000000000000:rule/second/start');
  });

  it('are not delivered by a disabled rule', async () => {
    await route({ Name: 'r', EventPattern: '{"source":["shop"]}' }, { Id: 'q', Arn: queueArn('q') });
    await events.send(new DisableRuleCommand({ Name: 'r' }));
    await putEvent({});
    expect(await received('q')).toEqual([]);
  });

  it('are tried again with growing pauses while a target is unwell', async () => {
    const unwell = () => {
      throw new ServiceError('ServiceUnavailable', 'later', 503);
    };
    machineAnswers = [unwell, unwell];
    await route({ Name: 'r', EventPattern: '{"source":["shop"]}' }, { Id: 'm', Arn: machine });
    await putEvent({});
    expect(machineInputs).toHaveLength(1);
    await clock.advance(1_000);
    expect(machineInputs).toHaveLength(2);
    await clock.advance(2_000);
    expect(machineInputs).toHaveLength(3);
    await clock.advance(86_400_000);
    expect(machineInputs).toHaveLength(3);
  });

  it('end in the dead-letter queue when retries are used up or pointless', async () => {
    const DeadLetterConfig = { Arn: queueArn('dead') };
    const always = () => {
      throw new ServiceError('ServiceUnavailable', 'never', 503);
    };
    machineAnswers = [always, always, always];
    const RetryPolicy = { MaximumRetryAttempts: 1 };
    const gone = 'arn:aws:sqs:eu-west-1:000000000000:gone';
    await route(
      { Name: 'r', EventPattern: '{"source":["shop"]}' },
      { Id: 'm', Arn: machine, RetryPolicy, DeadLetterConfig },
      { Id: 'q', Arn: gone, DeadLetterConfig },
    );
    await putEvent({ kept: true });
    await clock.advance(1_000);
    const dead = await queues.byName('dead').receive({ max: 10 });
    const told = dead.map(({ message: { attributes, body } }) => ({
      code: attributes.ERROR_CODE?.StringValue,
      condition: attributes.EXHAUSTED_RETRY_CONDITION?.StringValue,
      retries: attributes.RETRY_ATTEMPTS?.StringValue,
      kept: JSON.parse(body).detail.kept,
    }));
    expect(told).toEqual([
      { code: 'QueueDoesNotExist', condition: 'NonRetryable', retries: '0', kept: true },
      { code: 'ServiceUnavailable', condition: 'MaximumRetryAttempts', retries: '1', kept: true },
    ]);
  });

  it('are judged one by one, and refused all together over the limits', async () => {
    const entry = { Source: 'shop', DetailType: 'x', Detail: '{}' };
    const put = (Entries: object[]) => events.send(new PutEventsCommand({ Entries }));
    const { FailedEntryCount, Entries } = await put([
      entry,
      { ...entry, Detail: 'nonsense' },
      { ...entry, Source: 'aws.cloudwatch' },
      { DetailType: 'x', Detail: '{}' },
      { ...entry, EventBusName: 'none' },
    ]);
    expect(FailedEntryCount).toBe(4);
    expect(Entries?.map(({ ErrorCode }) => ErrorCode)).toEqual([
      undefined,
      'MalformedDetail',
      'NotAuthorizedForSourceException',
      'InvalidArgument',
      'ResourceNotFoundException',
    ]);
    expect((await failureOf(put(Array(11).fill(entry)))).name).toBe('ValidationException');
    const large = { ...entry, Detail: JSON.stringify({ text: 'x'.repeat(262_144) }) };
    expect((await failureOf(put([large]))).message).toContain('over the limit');
  });
});

describe('a scheduled rule', () => {
  it('fires on the clock until it is deleted', async () => {
    await route({ Name: 'every', ScheduleExpression: 'rate(1 minute)' }, { Id: 'q', Arn: queueArn('q') });
    await clock.advance(180_000);
    const fired = await received('q');
    expect(fired).toHaveLength(3);
    expect(fired[0]).toMatchObject({
      'detail-type': 'Scheduled Event',
      source: 'aws.events',
      time: '2026-01-01T00:01:00Z',
    });
    expect((await failureOf(events.send(new DeleteRuleCommand({ Name: 'every' })))).message).toContain(
      'has targets',
    );
    await events.send(new RemoveTargetsCommand({ Rule: 'every', Ids: ['q'] }));
    await events.send(new DeleteRuleCommand({ Name: 'every' }));
    expect(clock.nextAt).toBeNull();
  });
});

describe('rules', () => {
  it('are kept with their targets when they are changed', async () => {
    await route({ Name: 'r', EventPattern: '{"source":["a"]}' }, { Id: 'q', Arn: queueArn('q') });
    await events.send(
      new PutRuleCommand({ Name: 'r', EventPattern: '{"source":["b"]}', Description: 'changed' }),
    );
    const rule = await events.send(new DescribeRuleCommand({ Name: 'r' }));
    expect(rule).toMatchObject({
      EventPattern: '{"source":["b"]}',
      State: 'ENABLED',
      Description: 'changed',
    });
    const { Targets } = await events.send(new ListTargetsByRuleCommand({ Rule: 'r' }));
    expect(Targets).toHaveLength(1);
    expect((await events.send(new ListRulesCommand({}))).Rules).toHaveLength(1);
  });

  it('are refused with a bad pattern, a bad schedule or too many targets', async () => {
    const put = (more: object) => failureOf(events.send(new PutRuleCommand({ Name: 'r', ...more })));
    expect(await put({ EventPattern: '{"a":1}' })).toBeInstanceOf(InvalidEventPatternException);
    expect((await put({ ScheduleExpression: 'rate(1 days)' })).name).toBe('ValidationException');
    await events.send(new PutRuleCommand({ Name: 'r', EventPattern: '{"source":["a"]}' }));
    const Targets = Array.from({ length: 6 }, (_, index) => ({ Id: `${index}`, Arn: machine }));
    const many = await failureOf(events.send(new PutTargetsCommand({ Rule: 'r', Targets })));
    expect(many.name).toBe('LimitExceededException');
  });

  it('can be tried on an event', async () => {
    const Event = JSON.stringify({
      id: '1',
      account: '0',
      source: 'a',
      time: 't',
      region: 'r',
      resources: [],
      'detail-type': 'x',
    });
    const test = (EventPattern: string) => events.send(new TestEventPatternCommand({ EventPattern, Event }));
    expect((await test('{"source":["a"]}')).Result).toBe(true);
    expect((await test('{"source":["b"]}')).Result).toBe(false);
  });

  it('are made and fed by awscli', async () => {
    await awsCliJson(
      endpoint.url,
      'events',
      'put-rule',
      '--name',
      'cli',
      '--event-pattern',
      '{"source":["cli"]}',
    );
    await awsCliJson(
      endpoint.url,
      'events',
      'put-targets',
      '--rule',
      'cli',
      '--targets',
      `Id=q,Arn=${queueArn('q')}`,
    );
    const entries = '[{"Source":"cli","DetailType":"x","Detail":"{\\"a\\":1}"}]';
    const put = await awsCliJson(endpoint.url, 'events', 'put-events', '--entries', entries);
    expect(put.FailedEntryCount).toBe(0);
    expect((await received('q'))[0].detail).toEqual({ a: 1 });
  });
});
