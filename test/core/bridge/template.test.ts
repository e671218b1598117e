import { describe, expect, it } from 'vitest';
import { messageFunctions } from '../../../lib/core/bridge/functions.ts';
import { fnv1a, split } from '../../../lib/core/bridge/mapping.ts';
import { type Sample, sampleMessage } from '../../../lib/core/bridge/sample.ts';
import { tokensOf } from '../../../lib/core/bridge/subject.ts';
import { compileTemplate } from '../../../lib/core/bridge/template.ts';

const sample: Sample = {
  subject: 'mig.orders.canary.eu-west.7',
  text: '{"id":7,"who":{"name":"Ada Lovelace"},"tags":["x"],"none":null}',
  headers: { 'x-env': 'prod', 'Nats-Msg-Id': '' },
  stream: 'MIG',
  sequence: 42,
  timestampMs: Date.UTC(2026, 0, 2, 3, 4, 5, 6),
};

function render(source: string, place: 'text' | 'subject' = 'text', pattern = 'mig.*.canary.*.>'): string {
  const compiled = compileTemplate(source, messageFunctions(tokensOf(pattern), place));
  if (!('render' in compiled)) throw new Error(compiled.map((f) => f.fault).join('; '));
  return compiled.render(sampleMessage(sample));
}

function faults(source: string, pattern = 'mig.*.canary.*.>'): string {
  const compiled = compileTemplate(source, messageFunctions(tokensOf(pattern), 'text'));
  return 'render' in compiled ? '' : compiled.map((f) => f.fault).join('; ');
}

describe('templates', () => {
  it.each([
    ['plain', 'plain'],
    ['orders.{{wildcard(1)}}', 'orders.orders'],
    ['orders.{{Wildcard(2)}}.x', 'orders.eu-west.x'],
    ['a.$2.$1', 'a.eu-west.orders'],
    ['costs $1', 'costs $1'],
    ['{{$1}}-{{ wildcard( 2 ) }}', 'orders-eu-west'],
    ['{{splitFromLeft(1,2)}}', 'or.ders'],
    ['{{splitFromRight(1,2)}}', 'orde.rs'],
    ['{{sliceFromLeft(1,4)}}', 'orde.rs'],
    ['{{sliceFromRight(1,4)}}', 'or.ders'],
    ['{{split(2,-)}}', 'eu.west'],
    ['{{subject}}', 'mig.orders.canary.eu-west.7'],
    ['{{token(5)}}', '7'],
    ['{{token(9)}}', ''],
    ['{{stream}}/{{seq}}', 'MIG/42'],
    ['{{streamSeq}}', 'MIG.42'],
    ['{{timestamp}}', '2026-01-02T03:04:05.006Z'],
    ['{{header(X-Env)}}', 'prod'],
    ['{{json(/who/name)}}', 'Ada Lovelace'],
    ['{{json(/id)}}', '7'],
    ['{{json(/tags)}}', '["x"]'],
    ['{{json(/none)}}', ''],
    ['{{json(/who/absent)}}', ''],
    ['Canary{{pascal(wildcard(2))}}', 'CanaryEuWest'],
    ['{{kebab(json(/who/name))}}', 'ada-lovelace'],
    ["{{header(Nats-Msg-Id)|header(absent)|'none'}}", 'none'],
    ['{{header(Nats-Msg-Id)|streamSeq}}', 'MIG.42'],
    ['{{upper(header(x-env)|stream)}}', 'PROD'],
  ])('%s gives %s', (source, expected) => {
    expect(render(source)).toBe(expected);
  });

  it('content put into a subject stays one token; what the subject gave may be several', () => {
    expect(render('cmd.{{json(/who/name)}}', 'subject')).toBe('cmd.Ada_Lovelace');
    expect(render('cmd.{{split(2,-)}}', 'subject')).toBe('cmd.eu.west');
  });

  it('partition hashes the tokens with FNV-1a and no separator', () => {
    // Published FNV-1a vectors (Noll): "" a foobar.
    expect(fnv1a([''])).toBe(0x811c9dc5);
    expect(fnv1a(['a'])).toBe(0xe40c292c);
    expect(fnv1a(['foo', 'bar'])).toBe(0xbf9cf968);
    expect(render('{{partition(10,1,2)}}')).toBe(String(fnv1a(['orderseu-west']) % 10));
  });

  it('partition hashes the UTF-8 bytes of a token beyond ASCII', () => {
    let hash = 0x811c9dc5;
    for (const byte of Buffer.from('grün')) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
    expect(fnv1a(['gr', 'ün'])).toBe(hash);
  });

  it('split leaves out empty parts', () => {
    expect(split('--a--b-', '-')).toBe('a.b');
  });

  it.each([
    ['{{nosuch(1)}}', "'nosuch' is not a function here"],
    ['{{wildcard(3)}}', "wildcard 3 is out of range: the pattern has 2 of them ('>' is none)"],
    ['{{wildcard(0)}}', "'0' is not a wildcard's number"],
    ['{{wildcard(1,2)}}', 'takes one wildcard number'],
    ['x.$3', 'out of range'],
    ['{{partition(0,1)}}', 'at least 1'],
    ['{{partition(4)}}', 'at least one wildcard'],
    ['{{split(1,.)}}', 'delimiter'],
    ['{{splitFromLeft(1)}}', 'whole number'],
    ['{{subject(1)}}', 'takes no argument'],
    ['{{header()}}', 'header name'],
    ['{{json(a)}}', "begins with '/'"],
    ['{{pascal(nosuch(1))}}', 'pascal'],
    ['{{wildcard(1)', 'do not pair'],
    ['{{1+1}}', 'not a function call'],
  ])('%s is refused: %s', (source, why) => {
    expect(faults(source)).toContain(why);
  });

  it('every fault of a template is named at once', () => {
    expect(faults('{{nosuch}} {{wildcard(9)}}')).toMatch(/'nosuch'.*wildcard 9/s);
  });
});
