/** Which calls a Task state can make. */
import type { Fields } from './fields.ts';
import { isObject } from './json.ts';
import type { TaskResource } from './machine.ts';

/** The optimised integrations that are run, with the arguments each cannot do without. */
const OPTIMISED: Readonly<Record<string, readonly string[]>> = {
  'lambda:invoke': ['FunctionName'],
  'states:startExecution': ['StateMachineArn'],
  'sqs:sendMessage': ['QueueUrl', 'MessageBody'],
  'sns:publish': ['Message'],
  'events:putEvents': ['Entries'],
};

const RESOURCE =
  /^arn:aws(?:-[a-z]+)*:states:::(aws-sdk:)?([a-zA-Z0-9]+):([a-zA-Z0-9]+)(?:\.([a-zA-Z:0-9]+))?$/;

/** Reads `Resource`; refuses an integration that is not run, and looks for the arguments it needs. */
export function loadResource(fields: Fields): TaskResource {
  const arn = fields.text('Resource');
  const [, awsSdk, service = '', action = '', pattern] = RESOURCE.exec(arn) ?? [];
  if (service === '') {
    fields.refuse(
      'Resource',
      `${arn} is not supported; arn:aws:states:::lambda:invoke and aws-sdk:<service>:<action> are.`,
    );
  }
  if (pattern !== undefined && pattern !== 'waitForTaskToken') {
    fields.refuse('Resource', `the pattern .${pattern} is not supported.`);
  }
  if (awsSdk === undefined) {
    const needed = Object.hasOwn(OPTIMISED, `${service}:${action}`)
      ? OPTIMISED[`${service}:${action}`]
      : undefined;
    if (needed === undefined) {
      fields.refuse(
        'Resource',
        `${service}:${action} is not supported; aws-sdk:${service}:${action} may be.`,
      );
    }
    checkArguments(fields, needed as readonly string[]);
  }
  const waitForTaskToken = pattern !== undefined;
  const named = {
    resourceType: awsSdk === undefined ? service : `aws-sdk:${service}`,
    resource: waitForTaskToken ? `${action}.waitForTaskToken` : action,
  };
  return { arn, service, action, awsSdk: awsSdk !== undefined, waitForTaskToken, named };
}

function checkArguments(fields: Fields, needed: readonly string[]): void {
  const given = fields.take('Arguments');
  if (typeof given === 'string') return; // one expression: known when it runs
  for (const name of needed) {
    if (!isObject(given) || given[name] === undefined)
      fields.refuse('Arguments', `the argument ${name} is required.`);
  }
}
