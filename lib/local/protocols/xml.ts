/**
 * XML answers (Query, rest-xml) written along the schema, and rest-xml request bodies read back. The
 * reader takes the plain element XML that AWS clients send: no DTDs, no processing beyond the five
 * entities, CDATA and character references.
 */
import type { Schema } from './model.ts';
import { readText, writeText } from './values.ts';

type Traits = { readonly xmlName?: string; readonly xmlFlattened?: unknown; readonly xmlNamespace?: unknown };

/** The members of `value` as elements, without an element around them. */
export function writeMembers(schema: Schema, value: unknown): string {
  if (!schema.isStructSchema()) return '';
  let xml = '';
  for (const [name, member] of schema.structIterator()) {
    const item = (value as Record<string, unknown>)[name];
    if (item !== null && item !== undefined)
      xml += writeElement(member, item, traitsOf(member).xmlName ?? name);
  }
  return xml;
}

/** One member as its element, or as several when it is flattened. */
function writeElement(schema: Schema, value: unknown, name: string): string {
  if (schema.isStructSchema()) return element(name, writeMembers(schema, value));
  if (schema.isListSchema()) {
    const member = schema.getValueSchema();
    const items = value as readonly unknown[];
    if (traitsOf(schema).xmlFlattened) return items.map((item) => writeElement(member, item, name)).join('');
    const itemName = traitsOf(member).xmlName ?? 'member';
    return element(name, items.map((item) => writeElement(member, item, itemName)).join(''));
  }
  if (schema.isMapSchema()) return writeMap(schema, value as Record<string, unknown>, name);
  return element(name, escapeXml(writeText(schema, value, 5)));
}

function writeMap(schema: Schema, value: Record<string, unknown>, name: string): string {
  const keyName = traitsOf(schema.getKeySchema()).xmlName ?? 'key';
  const member = schema.getValueSchema();
  const valueName = traitsOf(member).xmlName ?? 'value';
  const flattened = traitsOf(schema).xmlFlattened;
  const entries = Object.entries(value).map(([key, item]) =>
    element(
      flattened ? name : 'entry',
      element(keyName, escapeXml(key)) + writeElement(member, item, valueName),
    ),
  );
  return flattened ? entries.join('') : element(name, entries.join(''));
}

const element = (name: string, content: string) => `<${name}>${content}</${name}>`;

export const escapeXml = (text: string) =>
  // A carriage return would be read back as a line feed (XML 1.0, 2.11), so it travels as a reference.
  text.replace(/[<>&"\r]/g, (character) => `&#${character.charCodeAt(0)};`);

export type XmlNode = { readonly name: string; readonly children: readonly XmlNode[]; readonly text: string };

/** The document's root element. @throws SyntaxError when elements do not close */
export function parseXml(source: string): XmlNode {
  type Open = { name: string; children: XmlNode[]; text: string };
  const root: Open = { name: '', children: [], text: '' };
  const stack: Open[] = [root];
  const token =
    /<!\[CDATA\[([\s\S]*?)\]\]>|<(?:\?|!)[^>]*>|<\/([^\s>]+)\s*>|<([^\s/>]+)[^>]*?(\/?)>|([^<]+)/g;
  for (const [, cdata, closed, opened, selfClosed, text] of source.matchAll(token)) {
    const top = stack[stack.length - 1] as Open;
    if (cdata !== undefined) top.text += cdata;
    else if (text !== undefined) top.text += unescapeXml(text);
    else if (opened !== undefined) {
      const node: Open = { name: localName(opened), children: [], text: '' };
      top.children.push(node);
      if (selfClosed === '') stack.push(node);
    } else if (closed !== undefined) {
      if (localName(closed) !== top.name) throw new SyntaxError(`</${closed}> closes <${top.name}>`);
      stack.pop();
    }
  }
  const [first] = root.children;
  if (stack.length !== 1 || first === undefined) throw new SyntaxError('the XML document ends too early');
  return first;
}

/** The value that an element stands for. */
export function readXml(schema: Schema, node: XmlNode): unknown {
  if (schema.isStructSchema()) {
    const value: Record<string, unknown> = {};
    for (const [name, member] of schema.structIterator()) {
      const read = readMember(member, node, traitsOf(member).xmlName ?? name);
      if (read !== undefined) value[name] = read;
    }
    return value;
  }
  if (schema.isListSchema()) {
    const member = schema.getValueSchema();
    const itemName = traitsOf(member).xmlName ?? 'member';
    return node.children.filter((child) => child.name === itemName).map((child) => readXml(member, child));
  }
  return readText(schema, node.text);
}

function readMember(schema: Schema, parent: XmlNode, name: string): unknown {
  const found = parent.children.filter((child) => child.name === name);
  if (found.length === 0) return undefined;
  if (schema.isListSchema() && traitsOf(schema).xmlFlattened) {
    return found.map((child) => readXml(schema.getValueSchema(), child));
  }
  return readXml(schema, found[0] as XmlNode);
}

const localName = (name: string) => name.slice(name.indexOf(':') + 1);

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };
const unescapeXml = (text: string) =>
  text.replace(/&(?:#x([\da-f]+)|#(\d+)|(\w+));/gi, (whole, hex, decimal, name) => {
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
    return entities[name] ?? whole;
  });

const traitsOf = (schema: Schema) => schema.getMergedTraits() as Traits;
