/** All stacks of one place: made, changed and deleted; a change that fails leaves things as they were. */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../../asl/clock.ts';
import { formatArn } from '../arn.ts';
import type { Place } from '../cloudEvent.ts';
import type { LocalService, RequestContext } from '../service.ts';
import { ServiceError } from '../service.ts';
import { computeTypes } from './computeTypes.ts';
import { apply, type Deployer, note, removeAll } from './deploy.ts';
import { inertTypes } from './inertTypes.ts';
import { messagingTypes } from './messagingTypes.ts';
import { recordTypes } from './recordTypes.ts';
import type { CodeLocation, Making } from './resourceType.ts';
import type { Stack, StackStatus } from './stack.ts';
import { invalid, readTemplate, type Template } from './template.ts';

const types = { ...messagingTypes, ...computeTypes, ...recordTypes, ...inertTypes };

export type StacksDeps = {
  readonly clock: Clock;
  readonly place: Place;
  readonly services: () => readonly LocalService[];
  /** Where a function's package is on this machine; its S3 key when absent. */
  readonly codePath?: (code: CodeLocation) => string;
};

export type StackInput = {
  readonly name: string;
  readonly body: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly tags: Stack['tags'];
};

export class Stacks {
  /** Deleted ones too: they are described by their id. */
  readonly #stacks: Stack[] = [];
  readonly #deps: StacksDeps;

  constructor(deps: StacksDeps) {
    this.#deps = deps;
  }

  get all(): readonly Stack[] {
    return this.#stacks;
  }

  find(nameOrId: string): Stack | undefined {
    return this.#stacks.findLast(
      ({ name, id, status }) => id === nameOrId || (name === nameOrId && status !== 'DELETE_COMPLETE'),
    );
  }

  require(nameOrId: string): Stack {
    const stack = this.find(nameOrId);
    if (stack === undefined) throw invalid(`Stack with id ${nameOrId} does not exist`);
    return stack;
  }

  /** @param rollsBack whether what was made is taken away again when something cannot be */
  async create(input: StackInput, context: RequestContext, rollsBack: boolean): Promise<Stack> {
    if (this.find(input.name) !== undefined) {
      throw new ServiceError('AlreadyExistsException', `Stack [${input.name}] already exists`);
    }
    const template = readTemplate(input.body);
    const { clock, place } = this.#deps;
    const stack: Stack = {
      ...input,
      id: formatArn('cloudformation', place, `stack/${input.name}/${randomUUID()}`),
      template,
      parameters: parametersOf(template, input.parameters),
      createdAt: clock.now(),
      updatedAt: null,
      status: 'CREATE_IN_PROGRESS',
      reason: null,
      resources: new Map(),
      events: [],
      outputs: [],
    };
    this.#stacks.push(stack);
    const deployer = this.#deployer(stack, context);
    this.#become(stack, 'CREATE_IN_PROGRESS', 'User Initiated');
    try {
      await apply(deployer, template);
      this.#become(stack, 'CREATE_COMPLETE', null);
    } catch (error) {
      const reason = (error as Error).message;
      if (rollsBack) {
        this.#become(stack, 'ROLLBACK_IN_PROGRESS', reason);
        await this.#end(stack, ['ROLLBACK_COMPLETE', 'ROLLBACK_FAILED'], reason, () => removeAll(deployer));
      } else this.#become(stack, 'CREATE_FAILED', reason);
    }
    return stack;
  }

  /** @throws ServiceError ValidationError when nothing would change */
  async update(stack: Stack, input: StackInput, context: RequestContext): Promise<Stack> {
    const template = readTemplate(input.body);
    const parameters = parametersOf(template, input.parameters);
    if (input.body === stack.body && JSON.stringify(parameters) === JSON.stringify(stack.parameters)) {
      throw invalid('No updates are to be performed.');
    }
    const before = { body: stack.body, template: stack.template, parameters: stack.parameters };
    const deployer = this.#deployer(stack, context);
    this.#become(stack, 'UPDATE_IN_PROGRESS', 'User Initiated');
    Object.assign(stack, { parameters, tags: input.tags, body: input.body });
    try {
      await apply(deployer, template);
      this.#become(stack, 'UPDATE_COMPLETE', null);
    } catch (error) {
      const reason = (error as Error).message;
      this.#become(stack, 'UPDATE_ROLLBACK_IN_PROGRESS', reason);
      Object.assign(stack, before);
      await this.#end(stack, ['UPDATE_ROLLBACK_COMPLETE', 'UPDATE_ROLLBACK_FAILED'], reason, () =>
        apply(deployer, before.template),
      );
    }
    return stack;
  }

  async delete(stack: Stack, context: RequestContext): Promise<void> {
    const deployer = this.#deployer(stack, context);
    this.#become(stack, 'DELETE_IN_PROGRESS', 'User Initiated');
    await this.#end(stack, ['DELETE_COMPLETE', 'DELETE_FAILED'], null, () => removeAll(deployer));
  }

  async #end(
    stack: Stack,
    [done, failed]: readonly [StackStatus, StackStatus],
    reason: string | null,
    work: () => Promise<void>,
  ): Promise<void> {
    try {
      await work();
      this.#become(stack, done, reason);
    } catch (error) {
      this.#become(stack, failed, (error as Error).message);
    }
  }

  #become(stack: Stack, status: StackStatus, reason: string | null): void {
    const { clock } = this.#deps;
    stack.status = status;
    stack.reason = reason;
    stack.updatedAt = clock.now();
    note(
      { stack, now: () => clock.now() },
      stack.name,
      'AWS::CloudFormation::Stack',
      status,
      stack.id,
      reason,
    );
  }

  #deployer(stack: Stack, context: RequestContext): Deployer {
    const { clock, place, services, codePath = ({ key }) => key } = this.#deps;
    const call: Making['call'] = async (scope, operation, input) => {
      const service = services().find(
        (one) => one.scope === scope && one.operations[operation] !== undefined,
      );
      if (service === undefined) throw invalid(`${scope}:${operation} is not emulated by the local cloud`);
      return await service.operations[operation]?.(input, { ...context, accessKeyId: 'cloudformation' });
    };
    return {
      stack,
      now: () => clock.now(),
      typeOf: (type) => types[type],
      making: (logicalId) => ({
        stackName: stack.name,
        logicalId,
        place,
        call,
        codePath,
        name: () => `${stack.name}-${logicalId}-${randomUUID().slice(0, 12).replace('-', '').toUpperCase()}`,
      }),
      exported: (name) =>
        this.#stacks
          .filter(({ status }) => status !== 'DELETE_COMPLETE')
          .flatMap(({ outputs }) => outputs)
          .find(({ exportName }) => exportName === name)?.value,
    };
  }
}

/**
 * Given values over defaults. @throws ServiceError ValidationError for one that is missing or not declared
 */
function parametersOf(
  { Parameters }: Template,
  given: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const undeclared = Object.keys(given).filter((name) => !(name in Parameters));
  if (undeclared.length > 0) {
    throw invalid(`Parameters: [${undeclared.join(', ')}] do not exist in the template`);
  }
  const values = Object.entries(Parameters).map(([name, { Default, AllowedValues }]) => {
    const value = given[name] ?? (Default === undefined ? undefined : String(Default));
    if (value === undefined) throw invalid(`Parameters: [${name}] must have values`);
    if (AllowedValues !== undefined && !AllowedValues.map(String).includes(value)) {
      throw invalid(`Parameter '${name}' must be one of AllowedValues`);
    }
    return [name, value] as const;
  });
  return Object.fromEntries(values);
}
