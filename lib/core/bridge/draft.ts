/**
 * A rule's destination compiled: from a message to the entry that its API will be asked to take, in the
 * domain's words. How such an entry looks on the wire, and whether it is too large, is the sender's to know.
 */
import { type BodyRender, compileBody } from './body.ts';
import type { AttributeConfig, ConfigFault, DestinationConfig, RuleConfig } from './config.ts';
import { isFifo } from './fifo.ts';
import { messageFunctions } from './functions.ts';
import type { BridgeMessage } from './message.ts';
import { tokensOf } from './subject.ts';
import { compileTemplate, type FunctionTable, type Template } from './template.ts';

/** EventBridge discards an event with a longer detail type although PutEvents answers 200. */
const DETAIL_TYPE_LENGTH_MAX = 128;
/** SQS and SNS: MessageGroupId and MessageDeduplicationId. */
const GROUP_LENGTH_MAX = 128;

export type Draft =
  | {
      readonly kind: 'eventbridge';
      readonly source: string;
      readonly detailType: string;
      readonly detail: string;
      readonly time: string;
      readonly resources: readonly string[];
    }
  | {
      readonly kind: 'sqs' | 'sns';
      readonly group: string;
      readonly dedup: string;
      readonly body: string;
      /** Whether `body` is base64 because the payload has characters the service does not take. */
      readonly base64: boolean;
      readonly subject: string;
      readonly attributes: readonly (readonly [name: string, value: string])[];
      readonly delaySeconds: number;
    }
  | {
      readonly kind: 'dynamodb';
      readonly key: string;
      readonly item: readonly (readonly [name: string, type: 'S' | 'N' | 'B', value: string])[];
    };

/** Why a message can never be taken by its destination. */
export type Refused = { readonly refused: string; readonly message: string };
export type DraftRender = (message: BridgeMessage) => Draft | Refused;

export function refused(code: string, message: string): Refused {
  return { refused: code, message };
}

type Path = readonly (string | number)[];
type Compiled = { readonly render: DraftRender; readonly faults: readonly ConfigFault[] };

/** Collects faults while templates are compiled; a faulty one renders nothing. */
class Workshop {
  readonly faults: ConfigFault[] = [];
  readonly #functions: FunctionTable<BridgeMessage>;
  readonly #path: Path;

  constructor(pattern: string, path: Path) {
    this.#functions = messageFunctions(tokensOf(pattern), 'text');
    this.#path = path;
  }

  template(source: string | undefined, ...at: Path): Template<BridgeMessage> {
    const compiled = compileTemplate(source ?? '', this.#functions);
    if ('render' in compiled) return compiled;
    for (const { fault } of compiled) this.fault(fault, ...at);
    return { render: () => '', constant: '' };
  }

  templates(sources: Readonly<Record<string, string>> | undefined, at: string) {
    return Object.entries(sources ?? {}).map(
      ([name, source]) => [name, this.template(source, at, name)] as const,
    );
  }

  body(body: Parameters<typeof compileBody>[0], at: string): BodyRender {
    const { render, faults } = compileBody(body, this.#functions, [...this.#path, at]);
    this.faults.push(...faults);
    return render;
  }

  fault(message: string, ...at: Path): void {
    this.faults.push({ path: [...this.#path, ...at], message });
  }
}

/** Compiles where a rule sends its messages. `drop` renders nothing and is not asked to. */
export function compileDestination(rule: RuleConfig, path: Path): Compiled {
  const to: DestinationConfig = rule.to;
  if (to === 'drop') return { render: () => refused('Dropped', 'the rule drops it'), faults: [] };
  const kind = Object.keys(to)[0] as string;
  const workshop = new Workshop(rule.match, [...path, 'to', kind]);
  if ('eventbridge' in to) return { render: eventOf(to.eventbridge, workshop), faults: workshop.faults };
  if ('sqs' in to) {
    const { queue, ...rest } = to.sqs;
    return {
      render: queuedOf('sqs', queue, { subject: undefined, ...rest }, workshop),
      faults: workshop.faults,
    };
  }
  if ('sns' in to) {
    const { topic, ...rest } = to.sns;
    return {
      render: queuedOf('sns', topic, { delay: undefined, ...rest }, workshop),
      faults: workshop.faults,
    };
  }
  return { render: itemOf(to.dynamodb, workshop), faults: workshop.faults };
}

type EventConfig = Extract<DestinationConfig, { eventbridge: unknown }>['eventbridge'];

function eventOf(config: EventConfig, workshop: Workshop): DraftRender {
  const source = workshop.template(config.source, 'source');
  const detailType = workshop.template(config.detailType, 'detailType');
  const time = workshop.template(config.time, 'time');
  const resources = (config.resources ?? []).map((text, i) => workshop.template(text, 'resources', i));
  const detail = workshop.body(config.detail, 'detail');
  if (source.constant?.startsWith('aws.')) workshop.fault("a source must not begin with 'aws.'", 'source');
  if ((detailType.constant?.length ?? 0) > DETAIL_TYPE_LENGTH_MAX) {
    workshop.fault(`a detail type has at most ${DETAIL_TYPE_LENGTH_MAX} characters`, 'detailType');
  }
  return (message) => {
    const type = detailType.render(message);
    if (type === '' || type.length > DETAIL_TYPE_LENGTH_MAX) {
      return refused(
        'DetailTypeLength',
        `the detail type has ${type.length} characters, 1 to 128 are allowed`,
      );
    }
    const from = source.render(message);
    if (from === '' || from.startsWith('aws.')) return refused('Source', `'${from}' is no source of ours`);
    const text = detail(message);
    if (text === undefined || (config.detail === 'raw' && !isObject(message.json()))) {
      return refused('MalformedDetail', 'the payload is not a JSON object');
    }
    return {
      kind: 'eventbridge',
      source: from,
      detailType: type,
      detail: text,
      time: time.render(message),
      resources: resources.map((resource) => resource.render(message)),
    };
  };
}

const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);

type SqsConfig = Extract<DestinationConfig, { sqs: unknown }>['sqs'];
type SnsConfig = Extract<DestinationConfig, { sns: unknown }>['sns'];
type QueuedConfig = Omit<SqsConfig & SnsConfig, 'queue' | 'topic'>;

/**
 * Outside what SQS and SNS take: #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: exactly these are what is looked for
const NOT_IN_XML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;
/** The service's own rule for group and deduplication ids: letters, digits and punctuation. */
const NOT_IN_GROUP = /[^!-~]/g;

function queuedOf(
  kind: 'sqs' | 'sns',
  address: string,
  config: QueuedConfig,
  workshop: Workshop,
): DraftRender {
  const fifo = isFifo(address);
  const group = workshop.template(config.group, 'group');
  const dedup = workshop.template(config.dedup ?? '{{header(Nats-Msg-Id)|streamSeq}}', 'dedup');
  const body = workshop.body(config.body, 'body');
  const subject = workshop.template(config.subject, 'subject');
  const attributes = workshop.templates(config.attributes, 'attributes');
  const delaySeconds = Math.round((config.delay ?? 0) / 1000);
  checkQueued(kind, fifo, config, workshop);
  return (message) => {
    const text = body(message);
    const base64 = text === undefined || NOT_IN_XML.test(text);
    const lane = group.render(message).replace(NOT_IN_GROUP, '_').slice(0, GROUP_LENGTH_MAX);
    if (fifo && lane === '') return refused('NoGroup', 'the group of a FIFO message came out empty');
    const id = fifo ? dedup.render(message) : '';
    if (fifo && id === '') return refused('NoDeduplicationId', 'the deduplication id came out empty');
    return {
      kind,
      group: lane,
      dedup: id,
      body: text !== undefined && !base64 ? text : message.base64(),
      base64,
      subject: subject.render(message),
      attributes: attributes.map(([name, value]) => [name, value.render(message)] as const),
      delaySeconds,
    };
  };
}

function checkQueued(kind: 'sqs' | 'sns', fifo: boolean, config: QueuedConfig, workshop: Workshop): void {
  if (fifo && config.group === undefined) workshop.fault("a FIFO destination needs 'group'", 'group');
  if (!fifo && config.dedup !== undefined) workshop.fault("'dedup' needs a FIFO destination", 'dedup');
  if (!fifo && kind === 'sns' && config.group !== undefined)
    workshop.fault("'group' needs a FIFO topic", 'group');
  if (fifo && config.delay !== undefined)
    workshop.fault('a FIFO queue delays per queue, not per message', 'delay');
  if ((config.delay ?? 0) > 900_000) workshop.fault('a message is delayed by 15 minutes at most', 'delay');
  // One of the ten is ours: `encoding`, when the payload had to be sent as base64.
  if (Object.keys(config.attributes ?? {}).length > 9) {
    workshop.fault('at most 9 attributes (the service takes 10, one is kept for `encoding`)', 'attributes');
  }
}

type TableConfig = Extract<DestinationConfig, { dynamodb: unknown }>['dynamodb'];
type Attribute = { name: string; type: 'S' | 'N' | 'B'; render: (message: BridgeMessage) => string };

function itemOf(config: TableConfig, workshop: Workshop): DraftRender {
  const attributes = Object.entries(config.item).map(([name, source]) => attributeOf(name, source, workshop));
  for (const [index, key] of config.key.entries()) {
    if (!(key in config.item)) workshop.fault(`the key '${key}' is not in 'item'`, 'key', index);
  }
  return (message) => {
    const item: [string, 'S' | 'N' | 'B', string][] = [];
    const keys = new Map<string, string>();
    for (const { name, type, render } of attributes) {
      const value = render(message);
      const isKey = config.key.includes(name);
      if (isKey && value === '') return refused('EmptyKey', `the key '${name}' came out empty`);
      if (type === 'N' && !Number.isFinite(Number(value || 'x'))) {
        return refused('NotANumber', `'${name}' came out as '${value}', which is no number`);
      }
      if (isKey) keys.set(name, value);
      item.push([name, type, value]);
    }
    return { kind: 'dynamodb', key: keyOf(config.key, (name) => keys.get(name)), item };
  };
}

/** An item's key as one text: the same for the item we send and the item that comes back unprocessed. */
export function keyOf(names: readonly string[], value: (name: string) => unknown): string {
  return JSON.stringify(names.map(value));
}

function attributeOf(name: string, source: AttributeConfig, workshop: Workshop): Attribute {
  if (typeof source === 'object' && 'binary' in source) {
    return { name, type: 'B', render: (message) => message.base64() };
  }
  const number = typeof source === 'object';
  const template = workshop.template(number ? source.number : source, 'item', name);
  return { name, type: number ? 'N' : 'S', render: template.render };
}
