/**
 * The story of a run as it is told, and the record of what broke: a file that has the seed, what was
 * violated, what was said, the events, who moved what, the strikes and what the functions printed.
 */
import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Watched } from './verdict.ts';

/** Enough for the round that broke and the one before it. */
const linesKept = 300;
const printedMax = 4000;
const beatEveryMs = 300_000;

export type Breach = {
  readonly found: readonly string[];
  readonly watched: readonly Watched[];
  readonly strikes: readonly string[];
  /** What the functions printed in this round. */
  readonly lines: readonly string[];
};

export class Chronicle {
  readonly #root: string;
  readonly #path: string;
  readonly #head: string;
  readonly #began = Date.now();
  readonly #said: string[] = [];
  #beaten = 0;
  /** From the project's root; null while nothing broke. */
  file: string | null = null;

  /** @param head the command with its seed, and the commit */
  constructor(root: string, seed: number, head: string) {
    this.#root = root;
    this.#head = head;
    this.#path = `.switchback/chaos-${seed}-broken.log`;
  }

  say(line: string): void {
    const seconds = ((Date.now() - this.#began) / 1000).toFixed(1).padStart(7);
    const said = `${seconds} s  ${line}`;
    console.log(said);
    this.#said.push(said);
    this.#said.splice(0, this.#said.length - linesKept);
  }

  /** Every five minutes, what this process takes. */
  beat(): void {
    const now = Date.now();
    if (now - this.#beaten < beatEveryMs) return;
    this.#beaten = now;
    const { rss, heapUsed } = process.memoryUsage();
    const megabytes = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MB`;
    this.say(`memory: ${megabytes(rss)}, of it ${megabytes(heapUsed)} in the heap`);
  }

  keep({ found, watched, strikes, lines }: Breach): void {
    for (const one of found) this.say(`BROKEN  ${one}`);
    for (const { ledger } of watched)
      for (const { version, event, actor } of ledger.events.slice(-20))
        console.log(`  ${ledger.service} #${version} ${JSON.stringify(event).slice(0, 160)} by ${actor}`);
    const text = [
      ...[this.#head, ...found.map((one) => `BROKEN  ${one}`)],
      ...['', '--- what was said', ...this.#said],
      ...watched.flatMap(storyOf),
      ...['', '--- newest strikes', ...strikes],
      ...['', '--- what the functions printed', ...lines.slice(-printedMax)],
    ];
    this.file = this.#path;
    mkdirSync(join(this.#root, '.switchback'), { recursive: true });
    appendFileSync(join(this.#root, this.#path), `${text.join('\n')}\n\n`);
    this.say(`the record is in ${this.#path}`);
  }
}

function storyOf({ ledger, witness, scaling }: Watched): readonly string[] {
  const { service, events, standings } = ledger;
  return [
    ...['', `--- ${service}: events, and when they came to stand`],
    ...events.map((recorded, nth) => `${standings[nth + 1]?.at} ${JSON.stringify(recorded)}`),
    ...['', `--- ${service}: moves of the balancer`],
    ...witness.shifts.map((shift) => JSON.stringify(shift)),
    ...['', `--- ${service}: changes of the slots, now ${JSON.stringify(scaling)}`],
    ...(['blue', 'green'] as const).flatMap((slot) =>
      witness.changes[slot].map((change) => `${slot} ${JSON.stringify(change)}`),
    ),
    ...['', `--- ${service}: marks, and who looked`],
    ...[...witness.marks, ...witness.looks].map((seen) => JSON.stringify(seen)),
  ];
}
