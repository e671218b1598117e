/**
 * A template against AWS's own resource specification: types, properties, required ones, references and
 * attributes.
 * The offline validator finds wrong values; this finds what it lets through (measured: a missing KeyType).
 */
import { loadAwsServiceSpecSync } from '@aws-cdk/aws-service-spec';
import type { Template } from './packaged.ts';

type Spec = { readonly type: PropertyType; readonly required?: boolean };
type Specs = Readonly<Record<string, Spec>>;
// biome-ignore lint/suspicious/noExplicitAny: the specification's own union of some twenty shapes
type PropertyType = any;

const specification = loadAwsServiceSpecSync();

/** Every problem as `LogicalId.property: what is wrong`. */
export function specProblems(template: Template): readonly string[] {
  return Object.entries(template.Resources).flatMap(([id, resource]) => {
    const spec = resourceSpec(resource.Type);
    if (spec === undefined) return [`${id}: there is no resource type ${resource.Type}`];
    const properties = checkProperties(spec.properties, resource.Properties ?? {}, id, template);
    const dependencies = [resource.DependsOn ?? []].flat() as readonly string[];
    const dangling = dependencies.filter((other) => !(other in template.Resources));
    return [...properties, ...dangling.map((other) => `${id}: DependsOn ${other}, which is not there`)];
  });
}

const resourceSpec = (type: string) =>
  specification.lookup('resource', 'cloudFormationType', 'equals', type)[0];

function checkProperties(specs: Specs, value: object, path: string, template: Template): string[] {
  const given = Object.entries(value).flatMap(([name, inner]) => {
    const spec = specs[name];
    return spec === undefined
      ? [`${path}.${name}: there is no such property`]
      : check(spec.type, inner, `${path}.${name}`, template);
  });
  const missing = Object.entries(specs)
    .filter(([name, { required }]) => required === true && !(name in value))
    .map(([name]) => `${path}.${name}: is required`);
  return [...given, ...missing];
}

function check(type: PropertyType, value: unknown, path: string, template: Template): string[] {
  const called = intrinsic(value);
  if (called !== null) return checkReference(called, path, template);
  const wants = (what: string) => [`${path}: wants ${what}, is ${JSON.stringify(value)?.slice(0, 60)}`];
  switch (type.type) {
    case 'string':
    case 'date-time':
      if (typeof value === 'object') return wants('text');
      return type.allowedValues?.includes(value) === false ? wants(type.allowedValues.join(' | ')) : [];
    case 'number':
    case 'integer': {
      const number = typeof value === 'object' ? Number.NaN : Number(value);
      if (Number.isNaN(number) || (type.type === 'integer' && !Number.isInteger(number)))
        return wants(type.type);
      if (type.allowedValues?.includes(number) === false) return wants(type.allowedValues.join(' | '));
      return number < (type.minValue ?? number) || number > (type.maxValue ?? number)
        ? wants('less or more')
        : [];
    }
    case 'boolean':
      return [true, false, 'true', 'false'].includes(value as boolean) ? [] : wants('true or false');
    case 'json':
      return typeof value === 'object' || typeof value === 'string' ? [] : wants('JSON');
    case 'array':
      if (!Array.isArray(value)) return wants('a list');
      return value.flatMap((inner, index) => check(type.element, inner, `${path}[${index}]`, template));
    case 'map':
      if (typeof value !== 'object' || value === null) return wants('a mapping');
      return Object.entries(value).flatMap(([key, inner]) =>
        check(type.element, inner, `${path}.${key}`, template),
      );
    case 'ref': {
      const definition = specification.get('typeDefinition', type.reference);
      if (typeof value !== 'object' || value === null) return wants(definition.name);
      return checkProperties(definition.properties, value, path, template);
    }
    case 'union': {
      // What fits one of the types is right; else the closest one's complaints are the most useful.
      const structured = type.types.some((one: PropertyType) => ['ref', 'array', 'map'].includes(one.type));
      // JSON fits everything, so it counts only where nothing else has a structure.
      const types = type.types.filter((one: PropertyType) => !structured || one.type !== 'json');
      const tried = types.map((one: PropertyType) => check(one, value, path, template)) as string[][];
      return tried.sort((a, b) => a.length - b.length)[0] ?? [];
    }
    default:
      return [];
  }
}

type Called = { readonly name: string; readonly argument: unknown };

function intrinsic(value: unknown): Called | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const [entry, ...others] = Object.entries(value);
  if (entry === undefined || others.length > 0) return null;
  const [name, argument] = entry;
  return name === 'Ref' || name.startsWith('Fn::') ? { name, argument } : null;
}

function checkReference({ name, argument }: Called, path: string, template: Template): string[] {
  if (name === 'Ref') return known(argument as string, path, template);
  if (name === 'Fn::GetAtt') {
    const [id = '', ...attribute] = [argument].flat().join('.').split('.');
    const missing = known(id, path, template);
    if (missing.length > 0) return missing;
    const type = template.Resources[id]?.Type ?? '';
    const has = resourceSpec(type)?.attributes[attribute.join('.')] !== undefined;
    return has ? [] : [`${path}: ${type} has no attribute ${attribute.join('.')}`];
  }
  if (name === 'Fn::Sub') {
    const text = [argument].flat()[0] as string;
    return [...text.matchAll(/\$\{([^!}]+)\}/g)].flatMap(([, inner = '']) => {
      const [id = '', attribute] = inner.split('.');
      return attribute === undefined
        ? known(id, path, template)
        : checkReference({ name: 'Fn::GetAtt', argument: [id, attribute] }, path, template);
    });
  }
  return [];
}

const known = (id: string, path: string, { Resources }: Template): string[] =>
  id in Resources || id.startsWith('AWS::') ? [] : [`${path}: refers to ${id}, which is not there`];
