/** A message on its way from NATS, as rules see it. Everything that costs is worked out on first use. */
export interface BridgeMessage {
  readonly subject: string;
  /** The subject's token at a position, from 0; empty when there is none. */
  token(position: number): string;
  /** The stream it is stored in; empty for core NATS. */
  readonly stream: string;
  /** Its number in that stream; 0 for core NATS. */
  readonly sequence: number;
  /** When the stream stored it (core NATS: when it arrived), in ms since the epoch. */
  readonly timestampMs: number;
  /** Bytes of the payload. */
  readonly size: number;
  /** The first value of a header, matched without regard to case; undefined when absent. */
  header(name: string): string | undefined;
  /** All headers, in the order they came. */
  headers(): readonly (readonly [name: string, values: readonly string[]])[];
  /** The payload as text; undefined when it is not UTF-8. */
  text(): string | undefined;
  /** The payload parsed as JSON; undefined when it is none. */
  json(): unknown;
  /** The payload as base64. */
  base64(): string;
}

/** The id that stays the same over redeliveries: the publisher's own, else `<stream>.<sequence>`. */
export function identityOf(message: BridgeMessage): string {
  return message.header('Nats-Msg-Id') || streamSequence(message);
}

export function streamSequence(message: BridgeMessage): string {
  return message.sequence === 0 ? '' : `${message.stream}.${message.sequence}`;
}

/**
 * What stands at a JSON pointer (RFC 6901); undefined when nothing does.
 * @param path the pointer's unescaped steps, from `pointerSteps`
 */
export function atPointer(root: unknown, path: readonly string[]): unknown {
  let value = root;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<string, unknown>)[step];
  }
  return value;
}

/** The steps of a JSON pointer such as `/a/b~1c`; null when it does not begin with `/`. */
export function pointerSteps(pointer: string): readonly string[] | null {
  if (pointer === '') return [];
  if (!pointer.startsWith('/')) return null;
  return pointer
    .slice(1)
    .split('/')
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** A JSON value as a template shows it: text as it is, other values as JSON, nothing as the empty string. */
export function asText(value: unknown): string {
  if (typeof value === 'string') return value;
  return value === undefined || value === null ? '' : JSON.stringify(value);
}
