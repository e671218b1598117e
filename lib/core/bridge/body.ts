/**
 * What a message looks like on the other side: as it is, in an envelope that says where it came from, or
 * picked.
 */
import type { BodyConfig, ConfigFault } from './config.ts';
import { atPointer, type BridgeMessage, identityOf, pointerSteps } from './message.ts';
import { compileTemplate, type FunctionTable, type Render } from './template.ts';

/**
 * The envelope, as JSON text. `data` is the payload itself when it is JSON, else a string; `encoding` says
 * which. `id` is what a consumer deduplicates by: it is the same on every redelivery.
 */
function envelopeOf(message: BridgeMessage): string {
  const origin =
    message.stream === '' ? '' : `"stream":${JSON.stringify(message.stream)},"seq":${message.sequence},`;
  return (
    `{"id":${JSON.stringify(identityOf(message))},"subject":${JSON.stringify(message.subject)},${origin}` +
    `"time":"${new Date(message.timestampMs).toISOString()}",${headersOf(message)}${dataOf(message)}}`
  );
}

function headersOf(message: BridgeMessage): string {
  const headers = message.headers();
  if (headers.length === 0) return '';
  const fields = headers.map(([name, values]) => `${JSON.stringify(name)}:${JSON.stringify(values)}`);
  return `"headers":{${fields.join(',')}},`;
}

function dataOf(message: BridgeMessage): string {
  const text = message.text();
  if (text === undefined) return `"encoding":"base64","data":"${message.base64()}"`;
  // The payload's own text is kept, so that numbers beyond 2^53 survive.
  if (message.json() !== undefined) return `"encoding":"json","data":${text}`;
  return `"encoding":"text","data":${JSON.stringify(text)}`;
}

/** `{{json(/a)}}` alone keeps the value's JSON type; any other template makes a string. */
const LONE_POINTER = /^\{\{\s*json\(([^)]*)\)\s*\}\}$/;

/**
 * Compiles `pick`: a JSON object made of templates.
 * @param read the document that a lone `{{json(/pointer)}}` looks into
 */
export function compilePick<C>(
  pick: Readonly<Record<string, string>>,
  functions: FunctionTable<C>,
  read: (context: C) => unknown,
  path: readonly (string | number)[],
): { readonly render: Render<C>; readonly faults: readonly ConfigFault[] } {
  const fields: ((context: C) => string)[] = [];
  const faults: ConfigFault[] = [];
  for (const [name, source] of Object.entries(pick)) {
    const key = `${JSON.stringify(name)}:`;
    const lone = LONE_POINTER.exec(source);
    const steps = lone === null ? null : pointerSteps((lone[1] as string).trim());
    if (steps !== null) {
      fields.push((context) => key + (JSON.stringify(atPointer(read(context), steps)) ?? 'null'));
      continue;
    }
    const template = compileTemplate(source, functions);
    if ('render' in template) fields.push((context) => key + JSON.stringify(template.render(context)));
    else faults.push(...template.map(({ fault }) => ({ path: [...path, name], message: fault })));
  }
  return { render: (context) => `{${fields.map((field) => field(context)).join(',')}}`, faults };
}

/** A message's body as text; `undefined` when the payload is neither text nor JSON as the form demands. */
export type BodyRender = (message: BridgeMessage) => string | undefined;

/** Compiles a forward rule's body. With `raw`, a payload that is not UTF-8 gives undefined. */
export function compileBody(
  body: BodyConfig,
  functions: FunctionTable<BridgeMessage>,
  path: readonly (string | number)[],
): { readonly render: BodyRender; readonly faults: readonly ConfigFault[] } {
  if (body === 'raw') return { render: (message) => message.text(), faults: [] };
  if (body === 'envelope') return { render: envelopeOf, faults: [] };
  return compilePick(body.pick, functions, (message) => message.json(), [...path, 'pick']);
}
