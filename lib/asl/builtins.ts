/**
 * The six functions that Step Functions adds to JSONata, and the three of JSONata that ask for the time or
 * for chance. Rounding, empty answers and error codes are those of the service (test-state in us-east-1), as
 * recorded by the tests of floci, another local Step Functions.
 */
import { createHash } from 'node:crypto';
import type jsonata from 'jsonata';
import { type Chance, seededRandom } from './chance.ts';

/** The variable that an evaluation's `Chance` is bound to: no expression can write a name with a space. */
export const CHANCE = 'asl chance';
/** Likewise, the milliseconds since the epoch that `$now()` and `$millis()` answer. */
export const NOW = 'asl now';

type Focus = jsonata.Focus & { createSequence(): unknown[] };
type Builtin = { readonly signature: string; run(this: Focus, ...args: never[]): unknown };

const ALGORITHMS = new Map([
  ['MD5', 'md5'],
  ['SHA-1', 'sha1'],
  ['SHA-256', 'sha256'],
  ['SHA-384', 'sha384'],
  ['SHA-512', 'sha512'],
]);

// AWS answers $range(1, 360145, 1) and refuses one element more.
const RANGE_ELEMENTS_MAX = 360_145;

/** An error as jsonata throws them: it prints the template of the code, D3137 being the message alone. */
const refused = (message: string, code = 'D3137') => ({ code, message, stack: new Error(message).stack });

export const builtins: Readonly<Record<string, Builtin>> = {
  partition: {
    signature: '<xn?:a>',
    run(items: unknown, size?: number) {
      if (items === null) throw refused('Argument 1 of function "partition" must be an array', 'T0412');
      const list = Array.isArray(items) ? items : items === undefined ? [] : [items];
      if (list.length === 0) return undefined;
      const step = size === undefined ? list.length : Math.trunc(size);
      if (step < 0) throw refused('Second argument must be zero or greater');
      if (step === 0) return undefined;
      return Array.from({ length: Math.ceil(list.length / step) }, (_, n) =>
        list.slice(n * step, n * step + step),
      );
    },
  },
  range: {
    signature: '<nnn?:a>',
    run(from: number, to: number, by?: number) {
      const step = by === undefined ? 0 : Math.trunc(by);
      if (step === 0) return undefined;
      const start = Math.trunc(from);
      const count = Math.floor((Math.trunc(to) - start) / step) + 1;
      if (count > RANGE_ELEMENTS_MAX) {
        throw refused('Expression evaluation memory limit exceeded: Check for excessive memory usage');
      }
      // A sequence of one is the value itself, as everywhere in JSONata.
      const sequence = this.createSequence();
      for (let n = 0; n < count; n++) sequence.push(start + n * step);
      return sequence;
    },
  },
  hash: {
    signature: '<ss?:s>',
    run(text: string, algorithm?: string) {
      if (text === undefined || algorithm === undefined) return undefined;
      const known = ALGORITHMS.get(algorithm);
      if (known === undefined)
        throw refused(`Hash algorithm ${algorithm} is not one of ${[...ALGORITHMS.keys()]}`);
      return createHash(known).update(text, 'utf8').digest('hex');
    },
  },
  random: {
    signature: '<n?:n>',
    run(seed?: number) {
      return seed === undefined ? chanceOf(this).random() : seededRandom(seed);
    },
  },
  uuid: {
    signature: '<:s>',
    run() {
      return chanceOf(this).uuid();
    },
  },
  parse: {
    signature: '<s?:x>',
    run(text?: string) {
      if (text === undefined) return undefined;
      try {
        return JSON.parse(text);
      } catch {
        throw refused('Invalid JSON');
      }
    },
  },
  shuffle: {
    signature: '<a:a>',
    run(items?: readonly unknown[]) {
      if (items === undefined) return undefined;
      const shuffled = [...items];
      for (let last = shuffled.length - 1; last > 0; last--) {
        const other = Math.floor(chanceOf(this).random() * (last + 1));
        [shuffled[last], shuffled[other]] = [shuffled[other], shuffled[last]];
      }
      return shuffled;
    },
  },
  millis: {
    signature: '<:n>',
    run() {
      return this.environment.lookup(NOW);
    },
  },
  now: {
    signature: '<s?s?:s>',
    run(picture?: string, timezone?: string) {
      const { implementation } = this.environment.lookup('fromMillis') as { implementation: FromMillis };
      return implementation(this.environment.lookup(NOW), picture, timezone);
    },
  },
};

type FromMillis = (millis: number, picture?: string, timezone?: string) => string;

const chanceOf = (focus: Focus) => focus.environment.lookup(CHANCE) as Chance;

/** Registers those of `names` that are not, or must not be, jsonata's own. */
export function registerBuiltins(expression: jsonata.Expression, names: Iterable<string>): void {
  for (const name of names) {
    const builtin = Object.hasOwn(builtins, name) ? builtins[name] : undefined;
    if (builtin)
      expression.registerFunction(name, builtin.run as (...args: unknown[]) => unknown, builtin.signature);
  }
}
