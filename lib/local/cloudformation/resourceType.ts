/** How one type of resource is made of the other services' operations. */
import type { Place } from '../cloudEvent.ts';

// biome-ignore lint/suspicious/noExplicitAny: each type's properties have a shape of their own
export type Properties = Readonly<Record<string, any>>;

/** A resource that exists. */
export type Made = {
  /** The physical id: what `Ref` answers. */
  readonly id: string;
  readonly attributes: Readonly<Record<string, unknown>>;
};

export type Making = {
  readonly stackName: string;
  readonly logicalId: string;
  readonly place: Place;
  /** Calls another service's operation, in process. */
  // biome-ignore lint/suspicious/noExplicitAny: the answer has the operation's own shape
  call(scope: string, operation: string, input: object): Promise<any>;
  /** Where the bytes of a function's package are on this machine. */
  codePath(code: CodeLocation): string;
  /** A name for what is given none. */
  name(): string;
};

export type CodeLocation = {
  readonly bucket: string;
  readonly key: string;
  readonly handler: string;
  readonly functionName: string;
};

export type ResourceType = {
  create(properties: Properties, making: Making): Promise<Made>;
  /** Absent: every change makes a new one. */
  update?(made: Made, properties: Properties, making: Making, before: Properties): Promise<Made>;
  /** Properties whose change makes a new one. */
  readonly fixed?: readonly string[];
  delete(made: Made, properties: Properties, making: Making): Promise<void>;
};

/** Tags as most operations want them: the template's own list. */
export const tagMap = (tags: readonly { Key: string; Value: string }[] = []): Record<string, string> =>
  Object.fromEntries(tags.map(({ Key, Value }) => [Key, Value]));

/** A policy or pattern that may be given as JSON or as its text. */
export const asText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** Only the keys that are given. */
export const given = (values: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
