/**
 * Reads one object of a definition. Every field has to be asked for: what is left over at `end` is not
 * understood by the interpreter, and so refused instead of ignored.
 */
import { isObject } from './json.ts';
import { MachineRefused, type PathSegment } from './refusal.ts';

const JSONPATH_FIELDS = new Set(
  (
    'InputPath OutputPath ResultPath ResultSelector Parameters Result ItemsPath SecondsPath TimestampPath ' +
    'TimeoutSecondsPath HeartbeatSecondsPath MaxConcurrencyPath ErrorPath CausePath Variable Iterator'
  ).split(' '),
);

export class Fields {
  readonly path: readonly PathSegment[];
  readonly #object: Readonly<Record<string, unknown>>;
  readonly #unread: Set<string>;

  constructor(value: unknown, path: readonly PathSegment[]) {
    if (!isObject(value)) throw new MachineRefused(path, 'must be an object.');
    this.path = path;
    this.#object = value;
    this.#unread = new Set(Object.keys(value));
  }

  refuse(name: string | null, sentence: string): never {
    throw new MachineRefused(name === null ? this.path : [...this.path, name], sentence);
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#object, name);
  }

  /** The raw value; undefined when the field is absent. */
  take(name: string): unknown {
    this.#unread.delete(name);
    return this.has(name) ? this.#object[name] : undefined;
  }

  required(name: string): unknown {
    if (!this.has(name)) this.refuse(null, `the field ${name} is required.`);
    return this.take(name);
  }

  text(name: string): string {
    const value = this.required(name);
    return typeof value === 'string' && value !== ''
      ? value
      : this.refuse(name, 'must be a string that is not empty.');
  }

  /** An integer (or any number, where `fraction` allows it) from `min` to `max`. */
  number(name: string, limits: { min: number; max: number; fraction?: true }): number | undefined {
    if (!this.has(name)) return undefined;
    const value = this.take(name);
    const { min, max, fraction } = limits;
    const kind = fraction ? 'a number' : 'an integer';
    if (typeof value !== 'number' || !(fraction || Number.isInteger(value)) || value < min || value > max) {
      this.refuse(name, `must be ${kind} from ${min} to ${max}.`);
    }
    return value as number;
  }

  /** The elements of an array, each with its own path; at least one is required. */
  list(name: string): { value: unknown; path: readonly PathSegment[] }[] {
    const value = this.required(name);
    if (!Array.isArray(value) || value.length === 0) this.refuse(name, 'must be an array that is not empty.');
    return (value as unknown[]).map((item, index) => ({ value: item, path: [...this.path, name, index] }));
  }

  /** Refuses every field that nobody has asked for; `where` as in "a Task state". */
  end(where: string): void {
    this.take('Comment');
    for (const name of this.#unread) {
      if (JSONPATH_FIELDS.has(name)) this.refuse(name, 'belongs to JSONPath; only JSONata is run here.');
      this.refuse(name, `is not supported in ${where}.`);
    }
  }
}
