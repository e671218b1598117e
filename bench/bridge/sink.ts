/**
 * The bench's AWS endpoint, in a process of its own and as cheap as strict can be: refuses more than 10 (25)
 * entries, more than 1 MB, detail types beyond 128 characters and details that are no JSON objects. `GET
 * /count` tells what it took; a violation ends it.
 */
import { createServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';

type Options = { readonly tls: { key: string; cert: string } | null; readonly latencyMs: number };

const options = JSON.parse(process.argv[2] ?? '{}') as Options;
let taken = 0;
const END = Buffer.from('\r\n\r\n');

function violation(what: string): never {
  console.error(`violation: ${what}`);
  process.exit(1);
}

function answerOf(head: string, body: string): string {
  if (head.startsWith('GET ')) return JSON.stringify({ taken });
  const target = /x-amz-target: (\S+)/i.exec(head)?.[1] ?? '';
  if (!/authorization: AWS4-HMAC-SHA256 Credential=.+, Signature=[0-9a-f]{64}/i.test(head))
    violation('unsigned');
  const input = JSON.parse(body);
  if (target.endsWith('PutEvents')) return putEvents(input.Entries);
  if (target.endsWith('BatchWriteItem')) return batchWrite(input.RequestItems);
  // What a copy keeps about itself: nothing before it, and every condition holds.
  if (target.endsWith('GetItem') || target.endsWith('PutItem')) return '{}';
  return violation(`operation ${target}`);
}

type Event = { readonly DetailType: string; readonly Detail: string; readonly Source: string };

function putEvents(entries: readonly Event[]): string {
  if (entries.length === 0 || entries.length > 10) violation(`${entries.length} entries`);
  let bytes = 0;
  for (const { DetailType, Detail, Source } of entries) {
    bytes += DetailType.length + Detail.length + Source.length;
    if (DetailType.length === 0 || DetailType.length > 128) violation('detail type');
    if (typeof JSON.parse(Detail) !== 'object') violation('detail');
  }
  if (bytes > 1_000_000) violation(`${bytes} bytes`);
  taken += entries.length;
  const ids = entries.map((_, i) => `{"EventId":"11710aed-b79e-4468-a20b-bb3c0c3b4860-${i}"}`);
  return `{"FailedEntryCount":0,"Entries":[${ids.join(',')}]}`;
}

function batchWrite(items: Record<string, unknown[]>): string {
  const requests = Object.values(items).flat();
  if (requests.length === 0 || requests.length > 25) violation(`${requests.length} items`);
  taken += requests.length;
  return '{"UnprocessedItems":{}}';
}

function serve(socket: Socket): void {
  let buffer: Buffer = Buffer.alloc(0);
  socket.setNoDelay(true);
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => {
    buffer = buffer.length === 0 ? chunk : Buffer.concat([buffer, chunk]);
    for (;;) {
      const end = buffer.indexOf(END);
      if (end < 0) return;
      const head = buffer.toString('latin1', 0, end);
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
      if (/expect: 100-continue/i.test(head)) socket.write('HTTP/1.1 100 Continue\r\n\r\n');
      if (buffer.length < end + 4 + length) return;
      const body = buffer.toString('utf8', end + 4, end + 4 + length);
      buffer = buffer.subarray(end + 4 + length);
      const answer = answerOf(head, body);
      const type = 'content-type: application/x-amz-json-1.1';
      const text = `HTTP/1.1 200 OK\r\n${type}\r\ncontent-length: ${answer.length}\r\n\r\n${answer}`;
      if (options.latencyMs > 0) setTimeout(() => socket.write(text), options.latencyMs);
      else socket.write(text);
    }
  });
}

const server = options.tls === null ? createServer(serve) : createTlsServer(options.tls, serve);
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as { port: number }).port }));
