/** Intrinsic functions, with the values of what is already there. */
import type { Place } from '../cloudEvent.ts';
import { attributeOf, invalid, type Json, type Template } from './template.ts';

/** What intrinsics are resolved against. */
export type Scope = {
  readonly template: Template;
  readonly parameters: Readonly<Record<string, string>>;
  readonly place: Place;
  readonly stack: { readonly name: string; readonly id: string };
  /** Of a resource that exists: its physical id, and its attributes. */
  readonly made: (
    id: string,
  ) => { readonly id: string; readonly attributes: Readonly<Record<string, unknown>> } | undefined;
  readonly exported: (name: string) => string | undefined;
};

/** In the place of a value that `AWS::NoValue` takes away. */
const noValue = Symbol('AWS::NoValue');

/** @throws ServiceError ValidationError for a name, attribute or function that is not there */
export function resolveValue(scope: Scope, value: Json): unknown {
  const resolved = resolve(scope, value);
  return resolved === noValue ? undefined : resolved;
}

export function holds(scope: Scope, condition: string): boolean {
  const value = scope.template.Conditions[condition];
  if (value === undefined) throw invalid(`Template error: there is no condition ${condition}`);
  return resolve(scope, value) === true;
}

function resolve(scope: Scope, value: Json): unknown {
  if (Array.isArray(value))
    return value.map((inner) => resolve(scope, inner)).filter((one) => one !== noValue);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const [entry] = entries;
  if (entries.length === 1 && entry !== undefined) {
    const [name, argument] = entry;
    const run = functions[name];
    if (run !== undefined) return run(scope, argument);
    if (name.startsWith('Fn::')) throw invalid(`Template error: ${name} is not resolved by the local cloud`);
  }
  const kept = entries.map(([key, inner]) => [key, resolve(scope, inner)] as const);
  return Object.fromEntries(kept.filter(([, inner]) => inner !== noValue));
}

const functions: Readonly<Record<string, (scope: Scope, argument: Json) => unknown>> = {
  Ref: (scope, name) => refTo(scope, String(name)),
  'Fn::GetAtt': (scope, argument) => {
    const { id, attribute } = attributeOf(argument);
    return attributeValue(scope, id, attribute);
  },
  'Fn::Sub': (scope, argument) => {
    const [text, given = {}] = [argument].flat() as [string, Record<string, Json>?];
    return text
      .replace(/\$\{([^!}]+)\}/g, (_, name: string) => {
        if (name in given) return String(resolve(scope, given[name] as Json));
        const { id, attribute } = attributeOf(name);
        return String(attribute === '' ? refTo(scope, id) : attributeValue(scope, id, attribute));
      })
      .replace(/\$\{!([^}]+)\}/g, '${$1}');
  },
  'Fn::Join': (scope, argument) => {
    const [separator, parts] = argument as [string, Json];
    return (resolve(scope, parts) as unknown[]).join(separator);
  },
  'Fn::Select': (scope, argument) => {
    const [index, list] = argument as [Json, Json];
    return (resolve(scope, list) as unknown[])[Number(resolve(scope, index))];
  },
  'Fn::Split': (scope, argument) => {
    const [separator, text] = argument as [string, Json];
    return String(resolve(scope, text)).split(separator);
  },
  'Fn::If': (scope, argument) => {
    const [condition, yes, no] = argument as [string, Json, Json];
    return resolve(scope, holds(scope, condition) ? yes : no);
  },
  'Fn::Equals': (scope, argument) => {
    const [left, right] = resolve(scope, argument) as [unknown, unknown];
    return String(left) === String(right);
  },
  'Fn::Not': (scope, argument) => !(resolve(scope, argument) as [boolean])[0],
  'Fn::And': (scope, argument) => (resolve(scope, argument) as boolean[]).every(Boolean),
  'Fn::Or': (scope, argument) => (resolve(scope, argument) as boolean[]).some(Boolean),
  Condition: (scope, name) => holds(scope, String(name)),
  'Fn::ImportValue': (scope, argument) => {
    const name = String(resolve(scope, argument));
    const value = scope.exported(name);
    if (value === undefined) throw invalid(`No export named ${name} found.`);
    return value;
  },
};

function refTo(scope: Scope, name: string): unknown {
  const { place, stack, parameters } = scope;
  switch (name) {
    case 'AWS::AccountId':
      return place.account;
    case 'AWS::Region':
      return place.region;
    case 'AWS::Partition':
      return 'aws';
    case 'AWS::URLSuffix':
      return 'amazonaws.com';
    case 'AWS::StackName':
      return stack.name;
    case 'AWS::StackId':
      return stack.id;
    case 'AWS::NoValue':
      return noValue;
    default: {
      const value = parameters[name] ?? scope.made(name)?.id;
      if (value === undefined) throw invalid(`Template error: ${name} refers to nothing that is there`);
      return value;
    }
  }
}

function attributeValue(scope: Scope, id: string, attribute: string): unknown {
  const value = scope.made(id)?.attributes[attribute];
  if (value !== undefined) return value;
  throw invalid(`Template error: resource ${id} does not support attribute type ${attribute} in Fn::GetAtt`);
}
