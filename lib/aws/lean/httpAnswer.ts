/** Reads HTTP/1.1 answers from a socket, one at a time, however the bytes are cut. */

export type HttpAnswer = {
  readonly status: number;
  /** Status line and headers, names in lower case. */
  readonly head: string;
  readonly body: string;
  /** Whether the connection may carry another request. */
  readonly reusable: boolean;
};

/** The peer does not speak HTTP as we know it: nothing can be said about the request's fate. */
export class MalformedAnswer extends Error {
  override readonly name = 'MalformedAnswer';
}

/** A header's value; empty when it is absent. */
export function headerOf(answer: HttpAnswer, name: string): string {
  const at = answer.head.indexOf(`\r\n${name}:`);
  if (at < 0) return '';
  const from = at + name.length + 3;
  const end = answer.head.indexOf('\r\n', from);
  return answer.head.slice(from, end < 0 ? undefined : end).trim();
}

const HEAD_BYTES_MAX = 65_536;
/** The largest answers are DynamoDB pages and SQS batches: 1 to 10 MiB. */
const BODY_BYTES_MAX = 64 * 1024 * 1024;
const END_OF_HEAD = Buffer.from('\r\n\r\n');

export class AnswerReader {
  #buffer: Buffer = Buffer.alloc(0);
  /** Chunks not yet joined to the buffer, while a body of known length is incomplete. */
  #waiting: Buffer[] = [];
  #missing = 0;
  #head = '';
  #bodyFrom = -1;
  /** Bytes of the body; -1 for chunked, -2 for "until the connection closes". */
  #length = 0;

  /** Whether part of an answer has been read. */
  get started(): boolean {
    return this.#buffer.length > 0;
  }

  /**
   * @returns the answer once it is complete, else null
   * @throws MalformedAnswer
   */
  push(chunk: Buffer): HttpAnswer | null {
    this.#missing -= chunk.length;
    if (this.#missing > 0) {
      this.#waiting.push(chunk);
      return null;
    }
    const whole = this.#buffer.length === 0 && this.#waiting.length === 0;
    this.#buffer = whole ? chunk : Buffer.concat([this.#buffer, ...this.#waiting, chunk]);
    this.#waiting = [];
    if (this.#bodyFrom < 0 && !this.#readHead()) return null;
    return this.#readBody(false);
  }

  /** The peer closed the connection: the answer, if that is how its body ends. */
  end(): HttpAnswer | null {
    return this.#bodyFrom < 0 ? null : this.#readBody(true);
  }

  #readHead(): boolean {
    for (;;) {
      const end = this.#buffer.indexOf(END_OF_HEAD);
      if (end < 0) {
        if (this.#buffer.length > HEAD_BYTES_MAX)
          throw new MalformedAnswer('the head of the answer does not end');
        return false;
      }
      const head = this.#buffer.toString('latin1', 0, end).toLowerCase();
      const status = Number(head.slice(9, 12));
      if (!head.startsWith('http/1.') || !(status >= 100 && status <= 599)) {
        throw new MalformedAnswer(`not an HTTP answer: ${JSON.stringify(head.slice(0, 60))}`);
      }
      if (status >= 200) {
        this.#head = head;
        this.#bodyFrom = end + 4;
        this.#length = lengthOf(head, status);
        return true;
      }
      // 100 Continue and the like: the answer proper follows.
      this.#buffer = this.#buffer.subarray(end + 4);
    }
  }

  #readBody(closed: boolean): HttpAnswer | null {
    const from = this.#bodyFrom;
    if (this.#length === -1) {
      const chunks = joinChunks(this.#buffer, from);
      return chunks === null ? null : this.#answer(chunks.body, chunks.end);
    }
    if (this.#length === -2) {
      return closed ? this.#answer(this.#buffer.toString('utf8', from), this.#buffer.length) : null;
    }
    const end = from + this.#length;
    this.#missing = end - this.#buffer.length;
    if (this.#missing > 0) return null;
    return this.#answer(this.#buffer.toString('utf8', from, end), end);
  }

  #answer(body: string, end: number): HttpAnswer {
    const head = this.#head;
    const close =
      head.includes('\r\nconnection: close') || this.#length === -2 || head.startsWith('http/1.0');
    // Bytes after the answer belong to no request of ours: the connection is not to be trusted.
    const reusable = !close && end === this.#buffer.length;
    this.#buffer = Buffer.alloc(0);
    this.#bodyFrom = -1;
    this.#missing = 0;
    return { status: Number(head.slice(9, 12)), head, body, reusable };
  }
}

function lengthOf(head: string, status: number): number {
  if (status === 204 || status === 304) return 0;
  if (head.includes('\r\ntransfer-encoding: chunked')) return -1;
  const at = head.indexOf('\r\ncontent-length:');
  if (at < 0) return -2;
  const length = Number.parseInt(head.slice(at + 17), 10);
  if (!(length >= 0 && length <= BODY_BYTES_MAX))
    throw new MalformedAnswer('an answer of unreasonable length');
  return length;
}

/** The body put together and where it ends in the buffer; null while chunks are missing. */
function joinChunks(buffer: Buffer, from: number): { readonly body: string; readonly end: number } | null {
  const parts: Buffer[] = [];
  let at = from;
  for (;;) {
    const lineEnd = buffer.indexOf('\r\n', at);
    if (lineEnd < 0) return null;
    const size = Number.parseInt(buffer.toString('latin1', at, lineEnd), 16);
    if (!(size >= 0 && size <= BODY_BYTES_MAX)) throw new MalformedAnswer('a chunk without a size');
    const dataFrom = lineEnd + 2;
    if (size === 0) {
      // Trailers, if any, end with an empty line like the head does.
      const end =
        buffer.indexOf('\r\n', dataFrom) === dataFrom
          ? dataFrom + 2
          : buffer.indexOf(END_OF_HEAD, dataFrom) + 4;
      return end < dataFrom + 2 ? null : { body: Buffer.concat(parts).toString('utf8'), end };
    }
    if (buffer.length < dataFrom + size + 2) return null;
    parts.push(buffer.subarray(dataFrom, dataFrom + size));
    at = dataFrom + size + 2;
  }
}
