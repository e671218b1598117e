/**
 * Keep-alive connections to one endpoint, each with one request under way at a time. Node's own HTTP client
 * costs about twice the CPU per request (bench/bridge.ts measures both), which is the whole reason for this
 * file.
 *
 * A connection that breaks, stalls or answers nonsense rejects its request and is thrown away: whether the
 * peer took the request is then unknown, and sending again is the caller's decision.
 */
import { connect as dial, type Socket } from 'node:net';
import { connect as dialTls, type TLSSocket } from 'node:tls';
import { AnswerReader, type HttpAnswer } from './httpAnswer.ts';

export type Endpoint = { readonly host: string; readonly port: number; readonly tls: boolean };

/** No answer, or half of one: the request may or may not have been carried out. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';
  /**
   * Whether the request went out on a connection that had been idle and nothing came back: most likely the
   * peer had closed it before, and an immediate second try is in order.
   */
  readonly stale: boolean;

  constructor(message: string, stale: boolean, options?: ErrorOptions) {
    super(message, options);
    this.stale = stale;
  }
}

export type ConnectionOptions = {
  /** From writing the request to the last byte of the answer. */
  readonly timeoutMs: number;
  /** For tests and private endpoints. */
  readonly ca?: string | Buffer | undefined;
};

/** Well below the time after which AWS endpoints close idle connections. */
const IDLE_MS_MAX = 15_000;
const SWEEP_MS = 250;

export class Connections {
  readonly endpoint: Endpoint;
  readonly #options: ConnectionOptions;
  /** The most recently used last: it is the one least likely to have been closed. */
  #idle: Connection[] = [];
  readonly #busy = new Set<Connection>();
  #session: Buffer | undefined;
  #sweeper: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(endpoint: Endpoint, options: ConnectionOptions) {
    this.endpoint = endpoint;
    this.#options = options;
  }

  /** Connections with a request under way, and without. */
  get counts(): { readonly busy: number; readonly idle: number } {
    return { busy: this.#busy.size, idle: this.#idle.length };
  }

  /** @throws ConnectionLost */
  request(head: string, body: Buffer): Promise<HttpAnswer> {
    if (this.#closed) return Promise.reject(new ConnectionLost('the client is closed', false));
    const connection = this.#idle.pop() ?? this.#open();
    this.#busy.add(connection);
    this.#sweeper ??= setInterval(() => this.#sweep(), SWEEP_MS).unref();
    return connection.request(head, body, Date.now() + this.#options.timeoutMs);
  }

  close(): void {
    this.#closed = true;
    if (this.#sweeper !== null) clearInterval(this.#sweeper);
    this.#sweeper = null;
    for (const connection of [...this.#idle, ...this.#busy]) connection.destroy('the client is closed');
    this.#idle = [];
  }

  #open(): Connection {
    const { host, port, tls } = this.endpoint;
    const socket = tls ? this.#openTls(host, port) : dial({ host, port, noDelay: true });
    return new Connection(socket, (connection, reusable) => {
      if (!this.#busy.delete(connection)) this.#idle = this.#idle.filter((other) => other !== connection);
      if (!reusable || this.#closed) connection.destroy('not reusable');
      else this.#idle.push(connection);
    });
  }

  #openTls(host: string, port: number): TLSSocket {
    const { ca } = this.#options;
    const session = this.#session === undefined ? {} : { session: this.#session };
    const socket = dialTls({ host, port, servername: host, ...(ca === undefined ? {} : { ca }), ...session });
    socket.setNoDelay(true);
    socket.on('session', (ticket: Buffer) => {
      this.#session = ticket;
    });
    return socket;
  }

  #sweep(): void {
    const now = Date.now();
    for (const connection of this.#busy) {
      if (now > connection.deadlineMs) connection.destroy(`no answer within ${this.#options.timeoutMs} ms`);
    }
    const stale = this.#idle.filter((connection) => now - connection.idleSinceMs > IDLE_MS_MAX);
    this.#idle = this.#idle.filter((connection) => now - connection.idleSinceMs <= IDLE_MS_MAX);
    for (const connection of stale) connection.destroy('idle');
    if (this.#busy.size === 0 && this.#idle.length === 0 && this.#sweeper !== null) {
      clearInterval(this.#sweeper);
      this.#sweeper = null;
    }
  }
}

type Waiting = { readonly resolve: (answer: HttpAnswer) => void; readonly reject: (error: Error) => void };

class Connection {
  deadlineMs = Number.POSITIVE_INFINITY;
  idleSinceMs = 0;
  readonly #socket: Socket;
  readonly #reader = new AnswerReader();
  readonly #free: (connection: Connection, reusable: boolean) => void;
  #waiting: Waiting | null = null;
  #used = false;
  #dead = false;

  /**
   * @param free is told when the connection has no request under way any more, and whether it can take
   * another
   */
  constructor(socket: Socket, free: (connection: Connection, reusable: boolean) => void) {
    this.#socket = socket;
    this.#free = free;
    socket.on('data', (chunk: Buffer) => this.#data(chunk));
    socket.on('end', () => this.#end());
    socket.on('error', (error) => this.#fail(error.message, error));
    socket.on('close', () => this.#fail('the connection was closed'));
  }

  request(head: string, body: Buffer, deadlineMs: number): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.deadlineMs = deadlineMs;
      const socket = this.#socket;
      socket.cork();
      socket.write(head, 'latin1');
      socket.write(body);
      socket.uncork();
    });
  }

  destroy(reason: string): void {
    this.#fail(reason);
    this.#socket.destroy();
  }

  #data(chunk: Buffer): void {
    if (this.#waiting === null) {
      // Nobody asked: whatever this is, it is not an answer to the next request.
      this.destroy('bytes without a request');
      return;
    }
    let answer: HttpAnswer | null;
    try {
      answer = this.#reader.push(chunk);
    } catch (error) {
      this.#fail((error as Error).message, error as Error);
      this.#socket.destroy();
      return;
    }
    if (answer !== null) this.#answered(answer);
  }

  #end(): void {
    const answer = this.#waiting === null ? null : this.#reader.end();
    if (answer !== null) this.#answered(answer);
    else this.destroy(this.#reader.started ? 'the answer broke off' : 'the connection was closed');
  }

  #answered(answer: HttpAnswer): void {
    const { resolve } = this.#waiting as Waiting;
    this.#waiting = null;
    this.#used = true;
    this.deadlineMs = Number.POSITIVE_INFINITY;
    this.idleSinceMs = Date.now();
    this.#free(this, answer.reusable && !this.#dead);
    resolve(answer);
  }

  #fail(reason: string, cause?: Error): void {
    if (this.#dead) return;
    this.#dead = true;
    const waiting = this.#waiting;
    const stale = this.#used && !this.#reader.started;
    this.#waiting = null;
    this.#free(this, false);
    this.#socket.destroy();
    waiting?.reject(new ConnectionLost(reason, stale, cause === undefined ? {} : { cause }));
  }
}
