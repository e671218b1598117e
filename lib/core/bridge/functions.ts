/** The functions a rule's templates may call: NATS's own mapping functions, and what else a message knows. */
import { partition, sliceFromLeft, sliceFromRight, split, splitFromLeft, splitFromRight } from './mapping.ts';
import { asText, atPointer, type BridgeMessage, pointerSteps, streamSequence } from './message.ts';
import { safeToken, wildcardPositions } from './subject.ts';
import {
  type CallSite,
  type Fault,
  type FunctionTable,
  fault,
  isFault,
  type Render,
  type TemplateFunction,
} from './template.ts';

/** Text from a message's content: in a subject it must stay one token, elsewhere it is left as it is. */
export type Place = 'subject' | 'text';

/**
 * The functions for messages that matched `pattern`.
 * @param pattern tokens; `wildcard(n)` is the n-th `*` in it, counted from 1 as in the server
 */
export function messageFunctions(pattern: readonly string[], place: Place): FunctionTable<BridgeMessage> {
  const positions = wildcardPositions(pattern);
  const fromContent = (value: string) => (place === 'subject' && value !== '' ? safeToken(value) : value);
  return new Map<string, TemplateFunction<BridgeMessage>>([
    ...mappingFunctions(positions),
    ['subject', bare((message) => message.subject)],
    ['stream', bare((message) => message.stream)],
    ['seq', bare((message) => (message.sequence === 0 ? '' : String(message.sequence)))],
    ['streamSeq', bare(streamSequence)],
    ['timestamp', bare((message) => new Date(message.timestampMs).toISOString())],
    ['timestampMs', bare((message) => String(message.timestampMs))],
    ['payload', bare((message) => fromContent(message.text() ?? message.base64()))],
    ['token', tokenFunction],
    ['header', one('a header name', (name) => (message) => fromContent(message.header(name) ?? ''))],
    ['json', pointer((message: BridgeMessage) => message.json(), fromContent)],
    ...caseFunctions<BridgeMessage>(),
  ]);
}

/** NATS's seven mapping functions over the wildcards at these token positions. */
function mappingFunctions(positions: readonly number[]): [string, TemplateFunction<BridgeMessage>][] {
  const wildcard = (text: string | undefined): number | Fault => {
    const index = Number(text);
    if (!Number.isInteger(index) || index < 1) return fault(`'${text ?? ''}' is not a wildcard's number`);
    const position = positions[index - 1];
    if (position !== undefined) return position;
    return fault(
      `wildcard ${index} is out of range: the pattern has ${positions.length} of them ('>' is none)`,
    );
  };
  const withNumber =
    (apply: (token: string, n: number) => string): TemplateFunction<BridgeMessage> =>
    ({ args }) => {
      const position = wildcard(args[0]);
      if (isFault(position)) return position;
      const n = Number(args[1]);
      if (args.length !== 2 || !Number.isInteger(n)) return fault('takes a wildcard and a whole number');
      return (message) => apply(message.token(position), n);
    };
  return [
    [
      'wildcard',
      ({ args }) => {
        const position = args.length === 1 ? wildcard(args[0]) : fault('takes one wildcard number');
        return isFault(position) ? position : (message) => message.token(position);
      },
    ],
    ['partition', ({ args }) => partitionOf(args, wildcard)],
    ['splitFromLeft', withNumber(splitFromLeft)],
    ['splitFromRight', withNumber(splitFromRight)],
    ['sliceFromLeft', withNumber(sliceFromLeft)],
    ['sliceFromRight', withNumber(sliceFromRight)],
    [
      'split',
      ({ args }) => {
        const position = wildcard(args[0]);
        if (isFault(position)) return position;
        const delimiter = args[1] ?? '';
        if (args.length !== 2 || delimiter === '' || /[\s.]/.test(delimiter)) {
          return fault('takes a wildcard and a delimiter without space or dot');
        }
        return (message) => split(message.token(position), delimiter);
      },
    ],
  ];
}

function partitionOf(
  args: readonly string[],
  wildcard: (text: string | undefined) => number | Fault,
): Render<BridgeMessage> | Fault {
  const [countText, ...wanted] = args;
  const count = Number(countText);
  if (!Number.isInteger(count) || count < 1) return fault('takes the number of partitions first, at least 1');
  if (wanted.length === 0) return fault('takes at least one wildcard after the number of partitions');
  const positions: number[] = [];
  for (const text of wanted) {
    const position = wildcard(text);
    if (isFault(position)) return position;
    positions.push(position);
  }
  return (message) =>
    partition(
      count,
      positions.map((position) => message.token(position)),
    );
}

function tokenFunction({ args }: CallSite<BridgeMessage>): Render<BridgeMessage> | Fault {
  const position = Number(args[0]);
  if (args.length !== 1 || !Number.isInteger(position) || position < 1) {
    return fault("takes a token's number, from 1");
  }
  return (message) => message.token(position - 1);
}

/** A function without arguments. */
export function bare<C>(render: Render<C>): TemplateFunction<C> {
  return ({ args }) => (args.length === 0 ? render : fault('takes no argument'));
}

/** A function of one word. */
export function one<C>(what: string, make: (word: string) => Render<C>): TemplateFunction<C> {
  return ({ args }) => {
    const [word] = args;
    return args.length === 1 && word !== undefined && word !== '' ? make(word) : fault(`takes ${what}`);
  };
}

/** `json(/a/b)` over the document that `read` finds. */
export function pointer<C>(
  read: (context: C) => unknown,
  shape: (text: string) => string,
): TemplateFunction<C> {
  return ({ args }) => {
    const steps = args.length === 1 ? pointerSteps(args[0] as string) : null;
    if (steps === null) return fault("takes a JSON pointer that begins with '/'");
    return (context) => shape(asText(atPointer(read(context), steps)));
  };
}

const words = (text: string) =>
  text.split(/[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])/).filter((word) => word !== '');
const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1);

/** Changes of case, each over another call: `pascal(wildcard(2))`. */
export function caseFunctions<C>(): [string, TemplateFunction<C>][] {
  const over = (change: (text: string) => string): TemplateFunction<C> => {
    return ({ args, compile }) => {
      const inner = args.length === 1 ? compile(args[0] as string) : fault('takes one call');
      return isFault(inner) ? inner : (context) => change(inner(context));
    };
  };
  return [
    ['upper', over((text) => text.toUpperCase())],
    ['lower', over((text) => text.toLowerCase())],
    ['pascal', over((text) => words(text).map(capital).join(''))],
    ['kebab', over((text) => words(text).join('-').toLowerCase())],
  ];
}
