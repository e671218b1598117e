/**
 * From a template to what it describes: each resource after what it needs, unchanged ones left alone, those
 * that are gone from the template deleted last. When one cannot be made, everything is put back as it was.
 */
import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { withReferences } from './dynamicReferences.ts';
import { holds, resolveValue, type Scope } from './intrinsics.ts';
import type { Made, Making, Properties, ResourceType } from './resourceType.ts';
import type { Stack, StackResource } from './stack.ts';
import { creationOrder, invalid, type Json, type Template, type TemplateResource } from './template.ts';

export type Deployer = {
  readonly stack: Stack;
  readonly now: () => number;
  readonly typeOf: (type: string) => ResourceType | undefined;
  readonly making: (logicalId: string) => Making;
  readonly exported: (name: string) => string | undefined;
};

/** @throws ServiceError of the resource that could not be made; what was made until then stays */
export async function apply(deployer: Deployer, template: Template): Promise<void> {
  const { stack } = deployer;
  const previous = stack.template;
  stack.template = template;
  const scope = scopeOf(deployer, template);
  const order = creationOrder(template).filter((id) => {
    const { Condition } = template.Resources[id] as TemplateResource;
    return Condition === undefined || holds(scope, Condition);
  });
  const replaced: [string, StackResource][] = [];
  for (const id of order) {
    const resource = template.Resources[id] as TemplateResource;
    const plain = (resolveValue(scope, (resource.Properties ?? {}) as Json) ?? {}) as Properties;
    const properties = await referred(deployer, id, plain);
    const before = stack.resources.get(id);
    const old = await make(deployer, id, resource, properties, before);
    if (old !== null) replaced.push([id, old]);
  }
  const gone = [...stack.resources].filter(([id]) => !order.includes(id)).reverse();
  for (const [id, old] of replaced) {
    if (template.Resources[id]?.UpdateReplacePolicy !== 'Retain') await remove(deployer, id, old);
  }
  for (const [id, old] of gone) {
    if (previous.Resources[id]?.DeletionPolicy !== 'Retain') await remove(deployer, id, old);
    stack.resources.delete(id);
  }
  stack.outputs = outputsOf(scope, template);
}

/** @throws ServiceError naming the resource whose reference leads nowhere */
async function referred({ making }: Deployer, id: string, properties: Properties): Promise<Properties> {
  try {
    return await withReferences(properties, making(id).call);
  } catch (error) {
    throw invalid(`${id}: ${(error as Error).message}`);
  }
}

/** @returns what it replaced, to be deleted once everything stands; null when nothing was */
async function make(
  deployer: Deployer,
  id: string,
  { Type }: TemplateResource,
  properties: Properties,
  before: StackResource | undefined,
): Promise<StackResource | null> {
  const type = deployer.typeOf(Type);
  if (type === undefined) throw invalid(`Template format error: Unrecognized resource types: [${Type}]`);
  if (before?.type === Type && isDeepStrictEqual(before.properties, properties)) return null;
  const changesInPlace =
    before?.type === Type &&
    type.update !== undefined &&
    (type.fixed ?? []).every((name) => isDeepStrictEqual(before.properties[name], properties[name]));
  const verb = before === undefined ? 'CREATE' : 'UPDATE';
  const making = deployer.making(id);
  note(deployer, id, Type, `${verb}_IN_PROGRESS`, before?.id ?? '', null);
  let made: Made;
  try {
    made =
      changesInPlace && before !== undefined && type.update !== undefined
        ? await type.update(before, properties, making, before.properties)
        : await type.create(properties, making);
  } catch (error) {
    note(deployer, id, Type, `${verb}_FAILED`, before?.id ?? '', (error as Error).message);
    throw invalid(`${id}: ${(error as Error).message}`);
  }
  const status = `${verb}_COMPLETE`;
  const changedAt = deployer.now();
  deployer.stack.resources.set(id, { ...made, type: Type, properties, status, changedAt });
  note(deployer, id, Type, status, made.id, null);
  return before === undefined || changesInPlace ? null : before;
}

/** Deletes everything of the stack, last made first; what its template retains stays. */
export async function removeAll(deployer: Deployer): Promise<void> {
  const { stack } = deployer;
  for (const id of creationOrder(stack.template).toReversed()) {
    const made = stack.resources.get(id);
    if (made === undefined) continue;
    if (stack.template.Resources[id]?.DeletionPolicy === 'Retain') {
      note(deployer, id, made.type, 'DELETE_SKIPPED', made.id, null);
    } else await remove(deployer, id, made);
    stack.resources.delete(id);
  }
}

async function remove(deployer: Deployer, id: string, made: StackResource): Promise<void> {
  note(deployer, id, made.type, 'DELETE_IN_PROGRESS', made.id, null);
  try {
    await deployer.typeOf(made.type)?.delete(made, made.properties, deployer.making(id));
  } catch (error) {
    note(deployer, id, made.type, 'DELETE_FAILED', made.id, (error as Error).message);
    throw invalid(`${id}: ${(error as Error).message}`);
  }
  note(deployer, id, made.type, 'DELETE_COMPLETE', made.id, null);
}

/** One line of the stack's history. */
export function note(
  { stack, now }: Pick<Deployer, 'stack' | 'now'>,
  logicalId: string,
  type: string,
  status: string,
  physicalId: string,
  reason: string | null,
): void {
  stack.events.push({ eventId: randomUUID(), at: now(), logicalId, physicalId, type, status, reason });
}

const scopeOf = ({ stack, making, exported }: Deployer, template: Template): Scope => ({
  template,
  parameters: stack.parameters,
  place: making('').place,
  stack,
  made: (id) => stack.resources.get(id),
  exported,
});

const outputsOf = (scope: Scope, { Outputs }: Template) =>
  Object.entries(Outputs)
    .filter(([, { Condition }]) => Condition === undefined || holds(scope, Condition))
    .map(([key, { Value, Description, Export }]) => ({
      key,
      value: String(resolveValue(scope, Value)),
      description: Description,
      exportName: Export === undefined ? undefined : String(resolveValue(scope, Export.Name)),
    }));
