/** The last lines a task wrote, of both streams, oldest first. */

export type OutputLine = {
  readonly container: string;
  readonly stream: 'stdout' | 'stderr';
  readonly text: string;
  /** Milliseconds since the epoch, on the cloud's clock. */
  readonly atMs: number;
};

const LINES_MAX = 500;
const LINE_CHARACTERS_MAX = 8_192;

export class OutputRing {
  readonly #lines: OutputLine[] = [];
  readonly #started = new Map<string, string>();

  /** Takes a piece of output as it comes; a line counts once its end was seen. */
  write(container: string, stream: OutputLine['stream'], piece: string, atMs: number): void {
    const key = `${container} ${stream}`;
    const parts = ((this.#started.get(key) ?? '') + piece).split('\n');
    this.#started.set(key, (parts.pop() ?? '').slice(-LINE_CHARACTERS_MAX));
    for (const text of parts)
      this.#lines.push({ container, stream, text: text.slice(0, LINE_CHARACTERS_MAX), atMs });
    if (this.#lines.length > LINES_MAX) this.#lines.splice(0, this.#lines.length - LINES_MAX);
  }

  get lines(): readonly OutputLine[] {
    return this.#lines;
  }
}
