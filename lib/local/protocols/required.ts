/** Required members, from the schema: the check that AWS makes before an operation sees its input. */
import { requiredMembers, type Schema } from './model.ts';

/** Where a required member is missing, first of all, as AWS writes it: `entries.1.member.id`; or null. */
export function missingMember(schema: Schema, value: unknown, path = ''): string | null {
  if (value === null || value === undefined) return null;
  if (schema.isStructSchema()) return missingInStruct(schema, value as Record<string, unknown>, path);
  if (schema.isListSchema()) {
    const member = schema.getValueSchema();
    for (const [index, item] of (value as readonly unknown[]).entries()) {
      const missing = missingMember(member, item, `${path}.${index + 1}.member`);
      if (missing !== null) return missing;
    }
  } else if (schema.isMapSchema()) {
    const member = schema.getValueSchema();
    for (const [key, item] of Object.entries(value as object)) {
      const missing = missingMember(member, item, `${path}.${key}.member`);
      if (missing !== null) return missing;
    }
  }
  return null;
}

function missingInStruct(schema: Schema, value: Record<string, unknown>, path: string): string | null {
  const at = (name: string) => (path === '' ? lowerFirst(name) : `${path}.${lowerFirst(name)}`);
  for (const name of requiredMembers(schema)) {
    if (value[name] === undefined || value[name] === null) return at(name);
  }
  for (const [name, member] of schema.structIterator()) {
    const missing = missingMember(member, value[name], at(name));
    if (missing !== null) return missing;
  }
  return null;
}

const lowerFirst = (name: string) => name.charAt(0).toLowerCase() + name.slice(1);
