/**
 * The state machines of the cloud, with their published versions. A definition that has been replaced lives
 * on in the versions made from it, and in the executions that were started with it.
 */
import type { Clock } from '../../asl/clock.ts';
import type { Machine } from '../../asl/machine.ts';
import { ServiceError } from '../service.ts';
import { type Alias, routed } from './aliases.ts';
import { readDefinition } from './definition.ts';
import { checkName, parseStateMachineArn } from './stateMachineArn.ts';

/** One state of a state machine's definition and role. */
export type Revision = {
  /** `INITIAL` until the first update. */
  readonly id: string;
  readonly definition: string;
  readonly machine: Machine;
  readonly roleArn: string;
};

export type Version = {
  readonly number: number;
  readonly arn: string;
  readonly revision: Revision;
  readonly description: string | undefined;
  readonly createdAt: number;
};

export type StateMachine = {
  readonly arn: string;
  readonly name: string;
  readonly createdAt: number;
  updatedAt: number;
  revision: Revision;
  /** Numbers are never used twice, so the count of all that ever were is kept beside them. */
  versionsEver: number;
  readonly versions: Map<number, Version>;
  readonly aliases: Map<string, Alias>;
  tags: ReadonlyMap<string, string>;
};

/** What StartExecution starts. */
export type Startable = {
  readonly machine: StateMachine;
  readonly revision: Revision;
  readonly versionArn: string | undefined;
  readonly aliasArn: string | undefined;
};

export class StateMachines {
  readonly #clock: Clock;
  readonly #chance: { random(): number; uuid(): string };
  readonly #machines = new Map<string, StateMachine>();

  constructor(clock: Clock, chance: { random(): number; uuid(): string }) {
    this.#clock = clock;
    this.#chance = chance;
  }

  /** In the order of their creation. */
  get all(): readonly StateMachine[] {
    return [...this.#machines.values()];
  }

  /** Creates it, or answers the one there is when name and definition are the same. @throws ServiceError */
  create(arn: string, name: string, definition: string, roleArn: string): StateMachine {
    checkName(name);
    const known = this.#machines.get(arn);
    if (known !== undefined) {
      if (known.revision.definition === definition) return known;
      throw new ServiceError('StateMachineAlreadyExists', `State Machine Already Exists: '${arn}'`);
    }
    const createdAt = this.#clock.now();
    const created: StateMachine = {
      arn,
      name,
      createdAt,
      updatedAt: createdAt,
      revision: { id: 'INITIAL', definition, machine: loaded(definition), roleArn },
      versionsEver: 0,
      versions: new Map(),
      aliases: new Map(),
      tags: new Map(),
    };
    this.#machines.set(arn, created);
    return created;
  }

  /** Executions under way keep the definition they were started with. @throws ServiceError */
  update(arn: string, changes: { readonly definition?: string; readonly roleArn?: string }): StateMachine {
    const machine = this.unqualified(arn);
    const { revision } = machine;
    const definition = changes.definition ?? revision.definition;
    const roleArn = changes.roleArn ?? revision.roleArn;
    machine.revision = { id: this.#chance.uuid(), definition, machine: loaded(definition), roleArn };
    machine.updatedAt = this.#clock.now();
    return machine;
  }

  /** A version of the current revision; the one there is, when it was published before. */
  publish(arn: string, description?: string, revisionId?: string): Version {
    const machine = this.unqualified(arn);
    const { revision } = machine;
    if (revisionId !== undefined && revisionId !== revision.id) {
      throw new ServiceError(
        'ConflictException',
        `Failed to publish the State Machine version for revision ${revisionId}. ` +
          `The current State Machine revision is ${revision.id}.`,
        409,
      );
    }
    const latest = [...machine.versions.values()].at(-1);
    if (latest?.revision.id === revision.id) return latest;
    machine.versionsEver += 1;
    const number = machine.versionsEver;
    const version = { number, arn: `${arn}:${number}`, revision, description, createdAt: this.#clock.now() };
    machine.versions.set(number, version);
    return version;
  }

  /** @throws ServiceError while an alias routes to it */
  deleteVersion(arn: string): void {
    const { machine, version } = this.version(arn);
    for (const alias of machine.aliases.values()) {
      if (!alias.routes.some((route) => route.versionArn === arn)) continue;
      throw new ServiceError(
        'ConflictException',
        'Version to be deleted must not be referenced by an alias. ' +
          `Current list of aliases referencing this version: [${alias.name}]`,
        409,
      );
    }
    machine.versions.delete(version.number);
  }

  delete(arn: string): void {
    this.#machines.delete(arn);
  }

  /** The state machine that an ARN with or without version or alias belongs to. @throws ServiceError */
  require(text: string): StateMachine {
    const { arn } = parseStateMachineArn(text);
    const machine = this.#machines.get(arn);
    if (machine === undefined) throw missing(text);
    return machine;
  }

  /** The state machine, by an ARN that must not name a version or alias. @throws ServiceError */
  unqualified(text: string): StateMachine {
    if (parseStateMachineArn(text).qualifier !== null) {
      throw new ServiceError('ValidationException', `The ARN of a state machine is expected here: ${text}`);
    }
    return this.require(text);
  }

  /** @throws ServiceError */
  version(text: string): { readonly machine: StateMachine; readonly version: Version } {
    const machine = this.require(text);
    const version = machine.versions.get(Number(parseStateMachineArn(text).qualifier));
    if (version === undefined) throw missing(text);
    return { machine, version };
  }

  /** What an ARN starts: a version by its number, an alias by its weights, or else the newest definition. */
  startable(text: string): Startable {
    const machine = this.require(text);
    const { qualifier } = parseStateMachineArn(text);
    if (qualifier === null) {
      return { machine, revision: machine.revision, versionArn: undefined, aliasArn: undefined };
    }
    const alias = machine.aliases.get(qualifier);
    const versionArn = alias === undefined ? text : routed(alias, this.#chance.random);
    const { version } = this.version(versionArn);
    return { machine, revision: version.revision, versionArn, aliasArn: alias?.arn };
  }
}

function loaded(definition: string): Machine {
  const read = readDefinition(definition);
  if ('machine' in read) return read.machine;
  const { code, message, location } = read.diagnostic;
  const at = location === undefined ? '' : ` at ${location}`;
  throw new ServiceError('InvalidDefinition', `Invalid State Machine Definition: '${code}: ${message}${at}'`);
}

const missing = (arn: string) =>
  new ServiceError('StateMachineDoesNotExist', `State Machine Does Not Exist: '${arn}'`);
