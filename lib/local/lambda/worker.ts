/**
 * One process of one function: started with the bundle's path, kept warm, one request at a time. It ends by
 * being killed (timeout, fault, update), by its own exit, or with the cloud. Whatever the end, the request
 * under way gets an answer.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../../asl/clock.ts';
import type { FromParent, Reported, ToParent } from './workerMessages.ts';

export type WorkerSpec = {
  readonly modulePath: string;
  readonly exportName: string;
  readonly environment: Readonly<Record<string, string>>;
  /** The process's own key, `fn-<function>-<random>`: callers are told apart by it. */
  readonly accessKeyId: string;
  readonly timeoutMs: number;
};

/** How a request ended in the process. */
export type Outcome =
  | { readonly ok: true; readonly payload: string }
  | { readonly ok: false; readonly error: Reported; readonly processEnded: boolean };

export type OnLine = (line: string, requestId: string) => void;

/** Lambda gives a function ten seconds to load. */
const initMs = 10_000;
const bootstrapPath = fileURLToPath(new URL('./bootstrap.ts', import.meta.url));

type UnderWay = {
  readonly requestId: string;
  outcome: Outcome | null;
  /** Output streams that have not ended this request's output yet. */
  openStreams: number;
  readonly finish: (outcome: Outcome) => void;
};

export class Worker {
  readonly accessKeyId: string;
  readonly #spec: WorkerSpec;
  readonly #clock: Clock;
  readonly #onLine: OnLine;
  readonly #child: ChildProcess;
  readonly #ready: Promise<Reported | null>;
  #underWay: UnderWay | null = null;
  #ended = false;
  #dying = false;
  /** Why we ended the process; null while it lives or when it ended by itself. */
  #endedBecause: ((requestId: string) => Reported) | null = null;
  readonly #closed: Promise<void>;

  /** @param clock measures timeouts: the machine's own, because the process runs on that */
  constructor(spec: WorkerSpec, clock: Clock, onLine: OnLine) {
    this.accessKeyId = spec.accessKeyId;
    this.#spec = spec;
    this.#clock = clock;
    this.#onLine = onLine;
    this.#child = fork(bootstrapPath, [spec.modulePath, spec.exportName], {
      execArgv: [],
      env: { ...spec.environment },
      cwd: dirname(spec.modulePath),
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#readLines(this.#child.stdout);
    this.#readLines(this.#child.stderr);
    const { promise, resolve } = Promise.withResolvers<Reported | null>();
    this.#ready = promise;
    this.#child.on('message', (message: ToParent) => this.#onMessage(message, resolve));
    this.#child.on('error', (error) =>
      resolve({ errorType: 'Runtime.InvalidEntrypoint', errorMessage: error.message }),
    );
    this.#closed = new Promise((closed) => {
      this.#child.once('close', (code, signal) => {
        this.#ended = true;
        resolve({ errorType: 'Runtime.ExitError', errorMessage: exitText(code, signal) });
        this.#finish({ ok: false, error: this.#exitError(code, signal), processEnded: true });
        closed();
      });
    });
  }

  /** Whether the process can still take requests. */
  get alive(): boolean {
    return !this.#ended && !this.#dying && this.#endedBecause === null;
  }

  /** Runs one request to its end; never rejects. The caller gives it one at a time. */
  async invoke(request: Omit<FromParent, 'deadlineMs'>): Promise<Outcome> {
    const cancelInit = this.#clock.schedule(initMs, () =>
      this.end('Runtime.InitTimeout', 'the function did not load in 10 s'),
    );
    const failure = await this.#ready;
    cancelInit();
    if (failure !== null) {
      this.kill();
      return { ok: false, error: failure, processEnded: true };
    }
    const { timeoutMs } = this.#spec;
    const cancel = this.#clock.schedule(timeoutMs, () => {
      this.end('Sandbox.Timedout', `Task timed out after ${(timeoutMs / 1000).toFixed(2)} seconds`);
    });
    const outcome = await new Promise<Outcome>((finish) => {
      this.#underWay = { requestId: request.requestId, outcome: null, openStreams: 2, finish };
      const message: FromParent = { ...request, deadlineMs: Date.now() + timeoutMs };
      this.#child.send(message, () => undefined); // a process that is gone answers through its close
      if (this.#ended)
        this.#finish({ ok: false, error: this.#exitError(null, 'SIGKILL'), processEnded: true });
    });
    cancel();
    return outcome;
  }

  /** Ends the process, and the request under way with this error. */
  end(errorType: string, text: string): void {
    this.#endedBecause ??= (id) => ({ errorType, errorMessage: `RequestId: ${id} Error: ${text}` });
    this.#child.kill('SIGKILL');
  }

  /** Ends the process as a crash from outside would. */
  kill(): void {
    this.end('Runtime.ExitError', 'Runtime exited with error: signal: killed');
  }

  /** Resolves when the process is gone. */
  async close(): Promise<void> {
    this.kill();
    await this.#closed;
  }

  #onMessage(message: ToParent, ready: (failure: Reported | null) => void): void {
    if (message.type === 'ready' || message.type === 'init-error') {
      ready(message.type === 'ready' ? null : message.error);
      return;
    }
    if (message.type === 'error' && message.dying) this.#dying = true;
    if (this.#underWay === null || this.#underWay.requestId !== message.requestId) return;
    this.#underWay.outcome =
      message.type === 'result'
        ? { ok: true, payload: message.payload }
        : { ok: false, error: message.error, processEnded: false };
    this.#finishWhenTold();
  }

  /** Lines go out under the request that is under way; the mark that ends a request's output does not. */
  #readLines(stream: NodeJS.ReadableStream | null): void {
    let rest = '';
    stream?.setEncoding('utf8');
    stream?.on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#onOutput(line);
    });
    stream?.on('end', () => {
      if (rest !== '') this.#onOutput(rest);
    });
  }

  #onOutput(line: string): void {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the mark is made of characters that no log has
    const mark = /^([\s\S]*)\u0001([\w-]*)\u0001$/.exec(line);
    const text = mark === null ? line : (mark[1] as string);
    if (mark === null || text !== '') this.#onLine(text, this.#underWay?.requestId ?? '');
    if (mark === null || this.#underWay === null || mark[2] !== this.#underWay.requestId) return;
    this.#underWay.openStreams -= 1;
    this.#finishWhenTold();
  }

  #finishWhenTold(): void {
    const { outcome, openStreams } = this.#underWay as UnderWay;
    if (outcome !== null && openStreams <= 0) this.#finish(outcome);
  }

  #finish(outcome: Outcome): void {
    const underWay = this.#underWay;
    this.#underWay = null;
    // A process that told its error before it ended has said more than its exit does.
    underWay?.finish(underWay.outcome ?? outcome);
  }

  #exitError(code: number | null, signal: NodeJS.Signals | null): Reported {
    const requestId = this.#underWay?.requestId ?? '';
    if (this.#endedBecause !== null) return this.#endedBecause(requestId);
    return {
      errorType: 'Runtime.ExitError',
      errorMessage: `RequestId: ${requestId} Error: ${exitText(code, signal)}`,
    };
  }
}

function exitText(code: number | null, signal: NodeJS.Signals | null): string {
  if (signal !== null)
    return `Runtime exited with error: signal: ${signal === 'SIGKILL' ? 'killed' : signal}`;
  return code === 0
    ? 'Runtime exited without providing a reason'
    : `Runtime exited with error: exit status ${code}`;
}
