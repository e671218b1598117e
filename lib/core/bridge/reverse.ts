/** The way back: messages from SQS, EventBridge (through a queue) and DynamoDB streams, published to NATS. */
import { compilePick } from './body.ts';
import type { ConfigFault, ReverseConfig } from './config.ts';
import type { DeadLetterSpec } from './deadLetter.ts';
import { bare, caseFunctions, one, pointer } from './functions.ts';
import { safeSubject, safeToken } from './subject.ts';
import { compileTemplate, type FunctionTable, type Render, type TemplateFunction } from './template.ts';

/** What came from AWS, as reverse rules see it. */
export interface ReverseMessage {
  /**
   * The id that is the same on every delivery: the SQS deduplication id, else its message id; the EventBridge
   * event's id; `<table>:<eventID>` of a DynamoDB stream record.
   */
  readonly id: string;
  /** MessageGroupId of a FIFO queue; empty otherwise. */
  readonly group: string;
  /**
   * SQS message attribute, or a field of the event or record: `detail-type`, `source`, `eventName`, `table`.
   */
  attribute(name: string): string;
  /** The body as text: what `raw` publishes, unless `bytes` says otherwise. */
  readonly body: string;
  /** The body as it is to be published: text, or the bytes that a forward rule had sent as base64. */
  bytes(): Uint8Array;
  json(): unknown;
}

export type ReverseRule = {
  readonly index: number;
  readonly name: string;
  readonly from: ReverseConfig['from'];
  readonly subject: Render<ReverseMessage>;
  readonly msgId: Render<ReverseMessage>;
  /** Null for the body as it is. */
  readonly data: Render<ReverseMessage> | null;
  readonly headers: readonly (readonly [name: string, value: Render<ReverseMessage>])[];
  /** The stream that has to store it; null for any. */
  readonly stream: string | null;
  readonly deadLetters: DeadLetterSpec | null;
};

function reverseFunctions(place: 'subject' | 'text'): FunctionTable<ReverseMessage> {
  const shape = (text: string) => (place === 'subject' && text !== '' ? safeToken(text) : text);
  return new Map<string, TemplateFunction<ReverseMessage>>([
    ['id', bare((message) => shape(message.id))],
    ['messageId', bare((message) => shape(message.id))],
    ['group', bare((message) => shape(message.group))],
    ['body', bare((message) => shape(message.body))],
    ['attr', one('an attribute name', (name) => (message) => shape(message.attribute(name)))],
    ['json', pointer((message: ReverseMessage) => message.json(), shape)],
    ...caseFunctions<ReverseMessage>(),
  ]);
}

/** Compiles one reverse rule; faults are added to `faults`. */
export function compileReverse(
  rule: ReverseConfig,
  index: number,
  deadLetters: DeadLetterSpec | null,
  faults: ConfigFault[],
): ReverseRule {
  const path = ['reverse', index] as const;
  const compile = (
    source: string,
    place: 'subject' | 'text',
    ...at: (string | number)[]
  ): Render<ReverseMessage> => {
    const template = compileTemplate(source, reverseFunctions(place));
    if ('render' in template) return template.render;
    faults.push(...template.map(({ fault }) => ({ path: [...path, ...at], message: fault })));
    return () => '';
  };
  const subject = compile(rule.subject, 'subject', 'subject');
  const picked =
    rule.data === 'raw'
      ? { render: null, faults: [] }
      : compilePick(rule.data.pick, reverseFunctions('text'), (message) => message.json(), [
          ...path,
          'data',
          'pick',
        ]);
  faults.push(...picked.faults);
  const headers = Object.entries(rule.headers ?? {});
  return {
    index,
    name: rule.name ?? `reverse ${index + 1}`,
    from: rule.from,
    subject: (message) => safeSubject(subject(message)),
    msgId: compile(rule.msgId, 'text', 'msgId'),
    data: picked.render,
    headers: headers.map(([name, source]) => [name, compile(source, 'text', 'headers', name)] as const),
    stream: rule.stream ?? null,
    deadLetters,
  };
}
