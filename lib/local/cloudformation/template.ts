/** A template as it was given: read, and refused before anything is made when it cannot be right. */
import { ServiceError } from '../service.ts';

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

export type TemplateResource = {
  readonly Type: string;
  readonly Properties?: { readonly [key: string]: Json };
  readonly DependsOn?: string | readonly string[];
  readonly Condition?: string;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
};

export type Template = {
  readonly Description?: string;
  readonly Parameters: Readonly<Record<string, TemplateParameter>>;
  readonly Conditions: Readonly<Record<string, Json>>;
  readonly Resources: Readonly<Record<string, TemplateResource>>;
  readonly Outputs: Readonly<Record<string, TemplateOutput>>;
};

export type TemplateParameter = {
  readonly Type: string;
  readonly Default?: Json;
  readonly AllowedValues?: readonly Json[];
  readonly Description?: string;
  readonly NoEcho?: boolean;
};

type TemplateOutput = {
  readonly Value: Json;
  readonly Description?: string;
  readonly Condition?: string;
  readonly Export?: { readonly Name: Json };
};

const sections = [
  'AWSTemplateFormatVersion',
  'Description',
  'Metadata',
  'Parameters',
  'Conditions',
  'Resources',
  'Outputs',
];

/** @throws ServiceError ValidationError, as CloudFormation says it */
export function readTemplate(body: string): Template {
  let read: Partial<Template>;
  try {
    read = JSON.parse(body);
  } catch {
    throw invalid('Template format error: JSON not well-formed (templates are read as JSON here).');
  }
  const unknown = Object.keys(read).find((section) => !sections.includes(section));
  if (unknown !== undefined) {
    throw invalid(`Invalid template property or properties [${unknown}]`);
  }
  if (typeof read.Resources !== 'object' || Object.keys(read.Resources).length === 0) {
    throw invalid('Template format error: At least one Resources member must be defined.');
  }
  const template: Template = {
    Parameters: {},
    Conditions: {},
    Outputs: {},
    ...read,
    Resources: read.Resources,
  };
  refuseDangling(template);
  return template;
}

function refuseDangling(template: Template): void {
  const { Resources, Parameters, Outputs } = template;
  const there = (name: string) => name in Resources || name in Parameters || name.startsWith('AWS::');
  for (const [block, value] of [...Object.entries(Resources), ...Object.entries(Outputs)]) {
    const missing = referencesIn(value as unknown as Json).filter((name) => !there(name));
    if (missing.length > 0) {
      throw invalid(
        `Template format error: Unresolved resource dependencies [${missing.join(', ')}] in the ${
          block in Resources ? 'Resources' : 'Outputs'
        } block of the template`,
      );
    }
  }
  for (const [id, { DependsOn = [] }] of Object.entries(Resources)) {
    const missing = [DependsOn].flat().find((other) => !(other in Resources));
    if (missing !== undefined) {
      throw invalid(`Template format error: Unresolved resource dependencies [${missing}] of ${id}`);
    }
  }
}

/** Logical ids that a value refers to, by `Ref`, `Fn::GetAtt` or `Fn::Sub`. */
function referencesIn(value: Json): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(referencesIn);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]): readonly string[] => {
    if (key === 'Ref') return [String(inner)];
    if (key === 'Fn::GetAtt') return [attributeOf(inner).id];
    if (key === 'Fn::Sub') {
      const [text, given = {}] = [inner].flat() as [string, Record<string, Json>?];
      const names = [...text.matchAll(/\$\{([^!}]+)\}/g)].map(
        ([, name = '']) => name.split('.')[0] as string,
      );
      return [...names.filter((name) => !(name in given)), ...referencesIn(given)];
    }
    return referencesIn(inner);
  });
}

/** `["Id", "Attribute"]` or `"Id.Attribute"`. */
export function attributeOf(argument: Json): { readonly id: string; readonly attribute: string } {
  const [id = '', ...attribute] = [argument].flat().join('.').split('.');
  return { id, attribute: attribute.join('.') };
}

/**
 * Logical ids, each after what it needs.
 * @throws ServiceError ValidationError when resources need each other in a circle
 */
export function creationOrder({ Resources }: Template): readonly string[] {
  const ordered: string[] = [];
  const open: string[] = [];
  const visit = (id: string) => {
    if (ordered.includes(id)) return;
    if (open.includes(id)) {
      throw invalid(`Circular dependency between resources: [${open.slice(open.indexOf(id)).join(', ')}]`);
    }
    open.push(id);
    const resource = Resources[id] as TemplateResource;
    const needed = [...referencesIn(resource as unknown as Json), ...[resource.DependsOn ?? []].flat()];
    for (const other of needed.filter((name) => name in Resources).sort()) visit(other);
    open.pop();
    ordered.push(id);
  };
  for (const id of Object.keys(Resources)) visit(id);
  return ordered;
}

export const invalid = (message: string) => new ServiceError('ValidationError', message);
