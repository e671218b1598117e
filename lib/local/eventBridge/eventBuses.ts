/** Event buses and their rules: what is put on a bus goes to the targets of every rule that matches it. */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../../asl/clock.ts';
import { formatArn } from '../arn.ts';
import type { Bus } from '../bus.ts';
import type { CloudEvent, Place } from '../cloudEvent.ts';
import { isObject, type Json } from '../json.ts';
import { ServiceError } from '../service.ts';
import { type DeliveryWorld, deliverEvent } from './eventDelivery.ts';
import { compileEventPattern, type EventPattern, InvalidEventPattern } from './eventPattern.ts';
import type { EventBus, Rule } from './rule.ts';
import { parseSchedule } from './schedule.ts';

export type RuleDefinition = {
  readonly name: string;
  readonly bus: string;
  readonly eventPattern?: string | undefined;
  readonly scheduleExpression?: string | undefined;
  readonly enabled: boolean;
  readonly description?: string | undefined;
  readonly roleArn?: string | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
};

export class EventBuses {
  readonly #world: DeliveryWorld;
  readonly #closing = new AbortController();
  readonly #place: Place;
  readonly #buses = new Map<string, EventBus>();

  /** @param deps.bus takes events for other buses, and carries those for targets */
  constructor(deps: Place & { readonly bus: Bus; readonly clock: Clock }) {
    this.#world = { bus: deps.bus, clock: deps.clock, closing: this.#closing.signal };
    this.#place = { region: deps.region, account: deps.account };
    this.create('default');
    deps.bus.register('events', async ({ resource }, parcel) => {
      this.put(
        this.require(resource.slice('event-bus/'.length)).name,
        JSON.parse(parcel.body),
        parcel.traceId,
      );
    });
  }

  get all(): readonly EventBus[] {
    return [...this.#buses.values()];
  }

  create(name: string): EventBus {
    if (this.#buses.has(name))
      throw new ServiceError('ResourceAlreadyExistsException', `Event bus ${name} already exists.`);
    const bus: EventBus = {
      name,
      arn: formatArn('events', this.#place, `event-bus/${name}`),
      rules: new Map(),
    };
    this.#buses.set(name, bus);
    return bus;
  }

  delete(name: string): void {
    if (name === 'default') throw new ServiceError('ValidationException', 'Cannot delete event bus default.');
    for (const rule of this.#buses.get(name)?.rules.values() ?? []) rule.cancel?.();
    this.#buses.delete(name);
  }

  /** By name or ARN; the default bus when nothing is named. @throws ServiceError ResourceNotFoundException */
  require(nameOrArn: string | undefined): EventBus {
    const name = nameOrArn?.split('/').at(-1) ?? 'default';
    const bus = this.#buses.get(name);
    if (bus === undefined)
      throw new ServiceError('ResourceNotFoundException', `Event bus ${name} does not exist.`);
    return bus;
  }

  /** @throws ServiceError ResourceNotFoundException */
  requireRule(name: string, bus: string | undefined): Rule {
    const rule = this.require(bus).rules.get(name);
    if (rule === undefined) {
      throw new ServiceError(
        'ResourceNotFoundException',
        `Rule ${name} does not exist on EventBus ${bus ?? 'default'}.`,
      );
    }
    return rule;
  }

  /** Creates or changes a rule; its targets stay. @throws ServiceError */
  putRule(definition: RuleDefinition): Rule {
    const bus = this.require(definition.bus);
    const { eventPattern, scheduleExpression, name } = definition;
    if (eventPattern === undefined && scheduleExpression === undefined) {
      throw new ServiceError(
        'ValidationException',
        'Parameter(s) EventPattern or ScheduleExpression must be specified.',
      );
    }
    if (scheduleExpression !== undefined && parseSchedule(scheduleExpression) === null) {
      throw new ServiceError('ValidationException', 'Parameter ScheduleExpression is not valid.');
    }
    const pattern =
      eventPattern === undefined ? null : { source: eventPattern, matches: compile(eventPattern) };
    const known = bus.rules.get(name);
    known?.cancel?.();
    const path = bus.name === 'default' ? name : `${bus.name}/${name}`;
    const rule: Rule = {
      name,
      arn: formatArn('events', this.#place, `rule/${path}`),
      bus: bus.name,
      pattern,
      schedule: scheduleExpression ?? null,
      enabled: definition.enabled,
      description: definition.description,
      roleArn: definition.roleArn,
      tags: definition.tags ?? known?.tags ?? {},
      targets: known?.targets ?? new Map(),
      cancel: null,
    };
    bus.rules.set(name, rule);
    this.#scheduleNext(rule);
    return rule;
  }

  enable(rule: Rule, enabled: boolean): void {
    rule.cancel?.();
    rule.cancel = null;
    rule.enabled = enabled;
    this.#scheduleNext(rule);
  }

  deleteRule(rule: Rule): void {
    if (rule.targets.size > 0) {
      throw new ServiceError('ValidationException', `Rule can't be deleted since it has targets.`);
    }
    rule.cancel?.();
    this.#buses.get(rule.bus)?.rules.delete(rule.name);
  }

  /** Puts an event that is whole already on a bus. */
  put(busName: string, event: Json, traceId?: string): void {
    if (!isObject(event)) throw new ServiceError('ValidationException', 'an event must be a JSON object');
    for (const rule of this.require(busName).rules.values()) {
      if (!rule.enabled || rule.pattern === null || !rule.pattern.matches(event)) continue;
      this.#deliver(rule, event, traceId);
    }
  }

  /** Puts what an emulated service tells on the default bus; answers the event's id. */
  publish(
    { source, detailType, time, resources, detail }: CloudEvent,
    bus = 'default',
    traceId?: string,
  ): string {
    const id = randomUUID();
    const event = {
      version: '0',
      id,
      'detail-type': detailType,
      source,
      account: this.#place.account,
      time: time.toISOString().replace(/\.\d+Z$/, 'Z'),
      region: this.#place.region,
      resources,
      detail: detail as Json,
    };
    this.put(bus, event, traceId);
    return id;
  }

  close(): void {
    this.#closing.abort();
    for (const { rules } of this.#buses.values()) for (const rule of rules.values()) rule.cancel?.();
  }

  #deliver(rule: Rule, event: Json, traceId?: string): void {
    for (const target of rule.targets.values()) deliverEvent(this.#world, rule, target, event, traceId);
  }

  #scheduleNext(rule: Rule): void {
    const { clock } = this.#world;
    const next =
      rule.schedule === null || !rule.enabled ? null : parseSchedule(rule.schedule)?.next(clock.now());
    if (next === null || next === undefined) return;
    rule.cancel = clock.schedule(next - clock.now(), () => {
      this.#scheduleNext(rule);
      const event = {
        version: '0',
        id: randomUUID(),
        'detail-type': 'Scheduled Event',
        source: 'aws.events',
        account: this.#place.account,
        time: new Date(next).toISOString().replace(/\.\d+Z$/, 'Z'),
        region: this.#place.region,
        resources: [rule.arn],
        detail: {},
      };
      this.#deliver(rule, event);
    });
  }
}

/** @throws ServiceError InvalidEventPatternException */
export function compile(source: string): EventPattern {
  try {
    return compileEventPattern(source);
  } catch (error) {
    if (!(error instanceof InvalidEventPattern)) throw error;
    throw new ServiceError('InvalidEventPatternException', error.message);
  }
}
