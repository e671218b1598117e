/**
 * `aws-sdk:<service>:<action>` on the emulated services themselves, without HTTP. Step Functions writes every
 * member with a capital letter, the services have the SDK's spelling; the SDK's schemas know both.
 */
import type { Json } from '../../asl/json.ts';
import { modelOf, type Schema } from '../protocols/model.ts';
import { missingMember } from '../protocols/required.ts';
import { type LocalService, ServiceError } from '../service.ts';
import type { InvokeService } from './taskCalls.ts';

/** Where a service's name in the ARN is not its credential scope. */
const SCOPES = new Map([
  ['sfn', 'states'],
  ['cloudwatch', 'monitoring'],
  ['elasticloadbalancingv2', 'elasticloadbalancing'],
  ['eventbridge', 'events'],
  ['applicationautoscaling', 'application-autoscaling'],
]);

/** Calls the operations of `services`, in process. */
export function callServices(services: () => readonly LocalService[]): InvokeService {
  return async (service, action, input, context) => {
    const scope = SCOPES.get(service) ?? service;
    const name = action.charAt(0).toUpperCase() + action.slice(1);
    const target = services().find(
      (candidate) => candidate.scope === scope && modelOf(candidate.sdk).operations.has(name),
    );
    const model = target && modelOf(target.sdk).operations.get(name);
    const operation = target?.operations[name];
    if (target === undefined || model === undefined || operation === undefined) {
      throw new ServiceError(
        'NotImplemented',
        `${service}:${action} is not emulated by the local cloud`,
        501,
      );
    }
    if (target.undecoded) return await operation(input, context);
    const members = inward(model.input, input, '') as Record<string, unknown>;
    const missing = missingMember(model.input, members);
    if (missing !== null) {
      throw new ServiceError(
        'ValidationException',
        `1 validation error detected: Value null at '${missing}'`,
      );
    }
    return outward(model.output, ((await operation(members, context)) ?? {}) as object);
  };
}

const upperFirst = (name: string) => name.charAt(0).toUpperCase() + name.slice(1);

function inward(schema: Schema, value: unknown, path: string): unknown {
  if (value === null || value === undefined) return undefined;
  if (schema.isStructSchema()) {
    const spelt = new Map(
      [...schema.structIterator()].map(([name, member]) => [upperFirst(name), { name, member }]),
    );
    const members: Record<string, unknown> = {};
    for (const [key, item] of Object.entries(value)) {
      const known = spelt.get(key);
      if (known === undefined) {
        throw new ServiceError(
          'ValidationException',
          `The field "${path}${key}" is not supported by Step Functions`,
        );
      }
      members[known.name] = inward(known.member, item, `${path}${key}.`);
    }
    return members;
  }
  if (schema.isListSchema()) {
    return (value as readonly unknown[]).map((item) => inward(schema.getValueSchema(), item, path));
  }
  if (schema.isMapSchema()) return mapValues(value, (item) => inward(schema.getValueSchema(), item, path));
  if (schema.isTimestampSchema()) return new Date(typeof value === 'number' ? value * 1000 : String(value));
  return schema.isBlobSchema() ? Buffer.from(String(value)) : value;
}

function outward(schema: Schema, value: unknown): Json | undefined {
  if (value === null || value === undefined) return undefined;
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString();
  if (schema.isStructSchema()) {
    const written: Record<string, Json> = {};
    for (const [name, member] of schema.structIterator()) {
      const item = outward(member, (value as Record<string, unknown>)[name]);
      if (item !== undefined) written[upperFirst(name)] = item;
    }
    return written;
  }
  if (schema.isListSchema()) {
    return (value as readonly unknown[]).map((item) => outward(schema.getValueSchema(), item) ?? null);
  }
  if (schema.isMapSchema()) return mapValues(value, (item) => outward(schema.getValueSchema(), item)) as Json;
  return value as Json;
}

const mapValues = (value: unknown, change: (item: unknown) => unknown) =>
  Object.fromEntries(Object.entries(value as object).map(([key, item]) => [key, change(item)]));
