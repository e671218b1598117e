/** The newest lines of every function's log. */
export type LogLine = {
  readonly functionName: string;
  readonly version: string;
  /** Empty for what is printed while loading. */
  readonly requestId: string;
  readonly line: string;
  /** Milliseconds since the epoch, on the cloud's clock. */
  readonly at: number;
};

const linesKept = 1_000;
/** Bytes of log that a synchronous call may ask for. */
const tailBytes = 4_096;

export class FunctionLogs {
  readonly #lines = new Map<string, LogLine[]>();
  readonly #onLog: (line: LogLine) => void;

  constructor(onLog: (line: LogLine) => void = () => undefined) {
    this.#onLog = onLog;
  }

  add(line: LogLine): void {
    const lines = this.#lines.get(line.functionName) ?? [];
    this.#lines.set(line.functionName, lines);
    lines.push(line);
    if (lines.length > linesKept) lines.splice(0, lines.length - linesKept);
    this.#onLog(line);
  }

  /** Oldest first. */
  of(functionName: string): readonly LogLine[] {
    return this.#lines.get(functionName) ?? [];
  }

  /** The end of what one request printed. */
  tail(functionName: string, requestId: string): string {
    const lines = this.of(functionName).filter((line) => line.requestId === requestId);
    return Buffer.from(lines.map(({ line }) => `${line}\n`).join(''))
      .subarray(-tailBytes)
      .toString();
  }
}
