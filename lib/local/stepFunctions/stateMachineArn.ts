/** The names and ARNs of state machines, their versions and aliases, and executions. */
import { formatArn, parseArn } from '../arn.ts';
import type { Place } from '../cloudEvent.ts';
import { ServiceError } from '../service.ts';

export type StateMachineArn = {
  /** Without version or alias. */
  readonly arn: string;
  readonly name: string;
  /** The version's number or the alias's name; null for the state machine itself. */
  readonly qualifier: string | null;
};

export const stateMachineArn = (place: Place, name: string) =>
  formatArn('states', place, `stateMachine:${name}`);

/** Takes the ARN of a state machine, a version or an alias apart. @throws ServiceError InvalidArn */
export function parseStateMachineArn(text: string): StateMachineArn {
  const parsed = parseArn(text);
  const [kind, name, qualifier, ...more] = parsed?.resource.split(':') ?? [];
  if (parsed?.service !== 'states' || kind !== 'stateMachine' || !name || more.length > 0) {
    throw new ServiceError('InvalidArn', `Invalid Arn: 'Resource type not valid in this context: ${text}'`);
  }
  return { arn: stateMachineArn(parsed, name), name, qualifier: qualifier ?? null };
}

/** The ARN of the execution `name` of the state machine at `machineArn`. */
export const executionArn = (machineArn: string, name: string) =>
  `${machineArn.replace(':stateMachine:', ':execution:')}:${name}`;

// White space, brackets, wildcards, and the characters that AWS lists for CreateStateMachine's name.
const NAME = /^[^\s<>{}[\]?*"#%\\^|~`$&,;:/\p{Cc}]{1,80}$/u;

/** The name of a state machine or an execution. @throws ServiceError InvalidName */
export function checkName(name: string): void {
  if (!NAME.test(name)) throw new ServiceError('InvalidName', `Invalid Name: '${name}'`);
}
