import type { NatsConnection } from '@nats-io/transport-node';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { messageFunctions } from '../../../lib/core/bridge/functions.ts';
import { sampleMessage } from '../../../lib/core/bridge/sample.ts';
import { matches, subjectFault, tokensOf } from '../../../lib/core/bridge/subject.ts';
import { compileTemplate } from '../../../lib/core/bridge/template.ts';
import { NatsServer } from './natsServer.ts';

/** Destinations that a real server maps to; the key is where the subject to be mapped is published. */
const MAPPINGS: Record<string, string> = {
  'p1.*': 'out.{{partition(7,1)}}',
  'p2.*.*': 'out.{{partition(1000,1,2)}}.{{wildcard(2)}}',
  'p3.*.*.*': 'out.{{Partition(10,3,1)}}.{{wildcard(2)}}.{{wildcard(1)}}',
  'dollar.*.*': 'out.$2.$1',
  'w.*.*': 'out.{{wildcard(2)}}.x.{{wildcard(1)}}',
  'sl.*': 'out.{{splitFromLeft(1,2)}}',
  'sr.*': 'out.{{splitFromRight(1,3)}}',
  'cl.*': 'out.{{sliceFromLeft(1,2)}}',
  'cr.*': 'out.{{SliceFromRight(1,3)}}',
  's.*': 'out.{{split(1,-)}}',
};

let server: NatsServer;
let nats: NatsConnection;
/** What the server made of each published subject, found by the payload. */
const mapped = new Map<string, string>();

beforeAll(async () => {
  const lines = Object.entries(MAPPINGS).map(([from, to]) => `  "${from}": "${to}"`);
  server = await NatsServer.start(`mappings = {\n${lines.join('\n')}\n}`);
  nats = await server.connect();
  nats.subscribe('out.>', { callback: (_, message) => void mapped.set(message.string(), message.subject) });
  await nats.flush();
});
afterAll(() => server.stop());

async function askServer(subjects: readonly string[]): Promise<void> {
  mapped.clear();
  for (const subject of subjects) nats.publish(subject, subject);
  await nats.flush();
}

function ours(pattern: string, template: string, subject: string): string {
  const compiled = compileTemplate(template, messageFunctions(tokensOf(pattern), 'subject'));
  if (!('render' in compiled)) throw new Error(JSON.stringify(compiled));
  return compiled.render(sampleMessage({ subject }));
}

// A token that begins with two delimiters is left out: there the server makes an empty token.
const token = fc
  .stringMatching(/^[a-zA-Z0-9_-]{1,12}$/)
  .filter((text) => !text.startsWith('--') && !/^-+$/.test(text));
const foreign = fc.string({
  unit: fc.constantFrom('é', 'ü', '語', '😀', 'a', '1'),
  minLength: 1,
  maxLength: 6,
});

describe('the mapping functions answer as nats-server does', () => {
  it.each(Object.entries(MAPPINGS))('%s to %s', async (pattern, template) => {
    const wildcards = tokensOf(pattern).filter((part) => part === '*').length;
    const made = fc.sample(fc.array(token, { minLength: wildcards, maxLength: wildcards }), {
      numRuns: 300,
      seed: 8,
    });
    const subjects = made.map((tokens) => [tokensOf(pattern)[0], ...tokens].join('.'));
    await askServer(subjects);
    for (const subject of subjects)
      expect([subject, ours(pattern, template, subject)]).toEqual([subject, mapped.get(subject)]);
  });

  it('partition, for tokens beyond ASCII', async () => {
    const subjects = fc.sample(foreign, { numRuns: 300, seed: 9 }).map((text) => `p1.${text}`);
    await askServer(subjects);
    for (const subject of subjects)
      expect(ours('p1.*', MAPPINGS['p1.*'] as string, subject)).toBe(mapped.get(subject));
  });
});

describe('the matcher answers as nats-server does', () => {
  const part = fc.constantFrom('a', 'b', '*', 'a*', '>x', '_');
  const patterns = fc
    .tuple(fc.array(part, { minLength: 1, maxLength: 4 }), fc.boolean())
    .map(([tokens, full]) => ['m', ...tokens, ...(full ? ['>'] : [])].join('.'));
  const subjects = fc
    .array(fc.constantFrom('a', 'b', 'a*', '>x', '_', 'aa'), { minLength: 1, maxLength: 5 })
    .map((tokens) => ['m', ...tokens].join('.'));

  it('for 40 patterns and 200 subjects', async () => {
    const asked = [...new Set(fc.sample(patterns, { numRuns: 40, seed: 3 }))];
    const published = [...new Set(fc.sample(subjects, { numRuns: 200, seed: 4 }))];
    const arrived = new Set<string>();
    const subscriptions = asked.map((pattern) =>
      nats.subscribe(pattern, {
        callback: (_, message) => void arrived.add(`${pattern} ${message.subject}`),
      }),
    );
    for (const subject of published) nats.publish(subject);
    await nats.flush();
    let matching = 0;
    for (const pattern of asked) {
      for (const subject of published) {
        expect(subjectFault(subject)).toBeNull();
        const both = `${pattern} ${subject}`;
        expect([both, matches(pattern, subject)]).toEqual([both, arrived.has(both)]);
        if (arrived.has(both)) matching++;
      }
    }
    expect(matching).toBeGreaterThan(100);
    for (const subscription of subscriptions) subscription.unsubscribe();
  });
});
