/** Log groups and their streams: what functions print, what rules send, what clients put. */
import type { Clock } from '../../asl/clock.ts';
import { formatArn } from '../arn.ts';
import type { Bus } from '../bus.ts';
import type { Place } from '../cloudEvent.ts';
import { ServiceError } from '../service.ts';

export type LogEvent = {
  readonly id: string;
  /** Milliseconds since the epoch, as every moment here. */
  readonly timestamp: number;
  readonly ingestedAt: number;
  readonly message: string;
};
export type LogStream = { readonly name: string; readonly createdAt: number; readonly events: LogEvent[] };
export type LogGroup = {
  readonly name: string;
  readonly arn: string;
  readonly createdAt: number;
  retentionDays: number | null;
  readonly streams: Map<string, LogStream>;
};

/** Lines kept of one stream; the oldest go first. AWS keeps them by age alone. */
const eventsMax = 10_000;

export class LogGroups {
  readonly #groups = new Map<string, LogGroup>();
  readonly #clock: Clock;
  readonly #place: Place;
  #written = 0;

  /** @param deps.bus brings what rules send to log groups */
  constructor(deps: Place & { readonly clock: Clock; readonly bus: Bus }) {
    this.#clock = deps.clock;
    this.#place = { region: deps.region, account: deps.account };
    deps.bus.register('logs', async ({ resource }, { body, from }) => {
      const name = resource.replace(/^log-group:/, '').replace(/:\*$/, '');
      this.append(this.require(name).name, from.split('/').at(-1) ?? 'events', body);
    });
  }

  get all(): readonly LogGroup[] {
    return [...this.#groups.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** @throws ServiceError ResourceAlreadyExistsException */
  create(name: string): LogGroup {
    if (this.#groups.has(name)) {
      throw new ServiceError('ResourceAlreadyExistsException', 'The specified log group already exists');
    }
    const arn = formatArn('logs', this.#place, `log-group:${name}`);
    const group: LogGroup = {
      name,
      arn,
      createdAt: this.#clock.now(),
      retentionDays: null,
      streams: new Map(),
    };
    this.#groups.set(name, group);
    return group;
  }

  delete(name: string): void {
    this.require(name);
    this.#groups.delete(name);
  }

  /** By name or ARN. @throws ServiceError ResourceNotFoundException */
  require(nameOrArn: string): LogGroup {
    const name = nameOrArn.startsWith('arn:')
      ? nameOrArn.split(':log-group:')[1]?.replace(/:\*$/, '')
      : nameOrArn;
    const group = this.#groups.get(name ?? '');
    if (group === undefined) {
      throw new ServiceError('ResourceNotFoundException', 'The specified log group does not exist.');
    }
    return group;
  }

  /** @throws ServiceError ResourceAlreadyExistsException */
  createStream(group: LogGroup, name: string): LogStream {
    if (group.streams.has(name)) {
      throw new ServiceError('ResourceAlreadyExistsException', 'The specified log stream already exists');
    }
    const stream: LogStream = { name, createdAt: this.#clock.now(), events: [] };
    group.streams.set(name, stream);
    return stream;
  }

  /** @throws ServiceError ResourceNotFoundException */
  requireStream(group: LogGroup, name: string): LogStream {
    const stream = group.streams.get(name);
    if (stream === undefined) {
      throw new ServiceError('ResourceNotFoundException', 'The specified log stream does not exist.');
    }
    return stream;
  }

  /** Adds a line, and makes its group and stream where they are missing. */
  append(groupName: string, streamName: string, message: string, timestamp = this.#clock.now()): void {
    const group = this.#groups.get(groupName) ?? this.create(groupName);
    const stream = group.streams.get(streamName) ?? this.createStream(group, streamName);
    this.#written += 1;
    const id = String(this.#written).padStart(56, '0');
    stream.events.push({ id, timestamp, ingestedAt: this.#clock.now(), message });
    if (stream.events.length > eventsMax) stream.events.splice(0, stream.events.length - eventsMax);
  }
}
