/**
 * The part of `zod/mini` that the words in events/ are written with, for what came from JSON: the same
 * values, and of everything that is wrong the same first thing. The build puts this file in the place of
 * `zod/mini`, which is a tenth of a function's bytes and a fifth of its load time; a test holds the two to
 * the same answers. For functions only: apps keep the library.
 */

type Issue = {
  readonly code: string;
  readonly path: PropertyKey[];
  readonly message: string;
  /** The value has its type all the same: checks go on. */
  readonly continue?: boolean;
  readonly [detail: string]: unknown;
};

/** A value on its way through a schema. */
type Passage = { value: unknown; readonly issues: Issue[] };

type Check = {
  readonly run: (passage: Passage) => void;
  /** Asked before it runs; without it, a value of the wrong type is not checked. */
  readonly when?: (value: unknown) => boolean;
};

type Shape = Readonly<Record<string, Schema>>;

type Traits = {
  readonly optional?: true;
  /** What a literal may be. */
  readonly values?: readonly unknown[];
  readonly object?: { readonly shape: Shape; readonly others: Others };
};

type Schema = Traits & {
  readonly run: (passage: Passage) => void;
  check(...checks: Check[]): Schema;
};

const schema = (run: Schema['run'], traits: Traits = {}): Schema => ({
  ...traits,
  run,
  check: (...checks) =>
    schema((passage) => {
      run(passage);
      for (const { when, run: runCheck } of checks) {
        const isAborted = passage.issues.some((issue) => issue.continue !== true);
        if (when === undefined ? !isAborted : when(passage.value)) runCheck(passage);
      }
    }, traits),
});

function wrong(passage: Passage, code: string, details: object, message = 'Invalid input'): void {
  passage.issues.push({ code, path: [], message, ...details });
}

const typed = (expected: string, is: (value: unknown) => boolean) =>
  schema((passage) => {
    if (!is(passage.value)) wrong(passage, 'invalid_type', { expected });
  });

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Runs `inner` on a part of the value: what is wrong with it stands under its key. */
function within(passage: Passage, inner: Schema, key: PropertyKey, value: unknown): unknown {
  const part: Passage = { value, issues: [] };
  inner.run(part);
  for (const issue of part.issues) passage.issues.push({ ...issue, path: [key, ...issue.path] });
  return part.value;
}

// @__NO_SIDE_EFFECTS__
export const string = () => typed('string', (value) => typeof value === 'string');
// @__NO_SIDE_EFFECTS__
export const number = () => typed('number', (value) => Number.isFinite(value));
// @__NO_SIDE_EFFECTS__
export const boolean = () => typed('boolean', (value) => typeof value === 'boolean');

const oneOf = (values: readonly unknown[]) =>
  schema(
    (passage) => {
      if (!values.includes(passage.value)) wrong(passage, 'invalid_value', { values });
    },
    { values },
  );

// @__NO_SIDE_EFFECTS__
export const literal = (value: unknown) => oneOf([value]);
const enumeration = /* @__NO_SIDE_EFFECTS__ */ (values: readonly string[]) => oneOf(values);

export { enumeration as enum };

// @__NO_SIDE_EFFECTS__
export const optional = (inner: Schema) =>
  schema(
    (passage) => {
      if (passage.value !== undefined) inner.run(passage);
    },
    { ...inner, optional: true },
  );

// @__NO_SIDE_EFFECTS__
export const nullable = (inner: Schema) =>
  schema((passage) => {
    if (passage.value !== null) inner.run(passage);
  });

// @__NO_SIDE_EFFECTS__
export const array = (element: Schema) =>
  schema((passage) => {
    if (!Array.isArray(passage.value)) return wrong(passage, 'invalid_type', { expected: 'array' });
    passage.value = passage.value.map((item, index) => within(passage, element, index, item));
  });

// @__NO_SIDE_EFFECTS__
export const record = (key: Schema, value: Schema) =>
  schema((passage) => {
    const given = passage.value;
    if (!isObject(given)) return wrong(passage, 'invalid_type', { expected: 'record' });
    const read: Record<string, unknown> = {};
    for (const name of Object.keys(given)) {
      if (name === '__proto__') continue;
      within(passage, key, name, name);
      read[name] = within(passage, value, name, given[name]);
    }
    passage.value = read;
  });

/** What becomes of keys that the shape does not name. */
type Others = 'dropped' | 'refused' | 'kept';

const objectOf = (shape: Shape, others: Others): Schema =>
  schema(
    (passage) => {
      const given = passage.value;
      if (!isObject(given)) return wrong(passage, 'invalid_type', { expected: 'object' });
      const read: Record<string, unknown> = {};
      for (const [key, inner] of Object.entries(shape)) {
        if (!(key in given) && inner.optional) continue;
        read[key] = within(passage, inner, key, given[key]);
      }
      const keys = Object.keys(given).filter((key) => !Object.hasOwn(shape, key));
      if (others === 'kept') {
        for (const key of keys) if (key !== '__proto__') read[key] = given[key];
      }
      if (others === 'refused' && keys.length > 0) {
        wrong(passage, 'unrecognized_keys', { keys, continue: true });
      }
      passage.value = read;
    },
    { object: { shape, others } },
  );

// @__NO_SIDE_EFFECTS__
export const object = (shape: Shape) => objectOf(shape, 'dropped');
// @__NO_SIDE_EFFECTS__
export const strictObject = (shape: Shape) => objectOf(shape, 'refused');
// @__NO_SIDE_EFFECTS__
export const looseObject = (shape: Shape) => objectOf(shape, 'kept');

// @__NO_SIDE_EFFECTS__
export const extend = ({ object: base }: Schema, shape: Shape) =>
  objectOf({ ...base?.shape, ...shape }, base?.others ?? 'dropped');

// @__NO_SIDE_EFFECTS__
export const discriminatedUnion = (key: string, options: readonly Schema[]) =>
  schema((passage) => {
    const given = passage.value;
    if (!isObject(given)) return wrong(passage, 'invalid_type', { expected: 'object' });
    const option = options.find(({ object: of }) => of?.shape[key]?.values?.includes(given[key]));
    if (option === undefined) return wrong(passage, 'invalid_union', { path: [key] });
    option.run(passage);
  });

/** Lengths of texts are counted in characters, not in UTF-16's halves. */
const lengthOf = (value: unknown): number => (typeof value === 'string' ? [...value] : (value as [])).length;

const hasLength = (value: unknown): boolean => (value as { length?: unknown } | null)?.length !== undefined;

const limit = (
  code: 'too_small' | 'too_big',
  limits: object,
  message: string | undefined,
  holds: (value: never) => boolean,
  when?: Check['when'],
): Check => ({
  run(passage) {
    if (holds(passage.value as never)) return;
    const origin = Array.isArray(passage.value) ? 'array' : typeof passage.value;
    wrong(passage, code, { origin, ...limits, continue: true }, message);
  },
  ...(when === undefined ? {} : { when }),
});

export const minLength = (minimum: number, message?: string) =>
  limit('too_small', { minimum, inclusive: true }, message, (value) => lengthOf(value) >= minimum, hasLength);
export const maxLength = (maximum: number, message?: string) =>
  limit('too_big', { maximum, inclusive: true }, message, (value) => lengthOf(value) <= maximum, hasLength);
export const gte = (minimum: number, message?: string) =>
  limit('too_small', { minimum, inclusive: true }, message, (value: number) => value >= minimum);
export const gt = (minimum: number, message?: string) =>
  limit('too_small', { minimum, inclusive: false }, message, (value: number) => value > minimum);
export const lte = (maximum: number, message?: string) =>
  limit('too_big', { maximum, inclusive: true }, message, (value: number) => value <= maximum);

export const int = (): Check => ({
  run(passage) {
    const value = passage.value as number;
    if (!Number.isInteger(value)) wrong(passage, 'invalid_type', { expected: 'int' });
    else if (!Number.isSafeInteger(value)) {
      const limits = value > 0 ? { maximum: Number.MAX_SAFE_INTEGER } : { minimum: Number.MIN_SAFE_INTEGER };
      const code = value > 0 ? 'too_big' : 'too_small';
      wrong(passage, code, { origin: 'int', ...limits, inclusive: true, continue: true });
    }
  },
});

export const regex = (pattern: RegExp, message?: string): Check => ({
  run(passage) {
    if (!pattern.test(passage.value as string)) {
      wrong(passage, 'invalid_format', { continue: true }, message);
    }
  },
});

export const refine = (holds: (value: never) => boolean, message?: string): Check => ({
  run(passage) {
    if (!holds(passage.value as never)) wrong(passage, 'custom', { continue: true }, message);
  },
});

export const trim = (): Check => ({
  run(passage) {
    passage.value = (passage.value as string).trim();
  },
});

export function safeParse({ run }: Schema, value: unknown) {
  const passage: Passage = { value, issues: [] };
  run(passage);
  return passage.issues.length === 0
    ? { success: true, data: passage.value }
    : { success: false, error: { issues: passage.issues } };
}
