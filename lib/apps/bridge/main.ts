/**
 * The bridge's command: `run` (the default), `check` and `explain`. In a container it is process 1: SIGTERM
 * drains, SIGHUP or a changed file reloads.
 */
import { watchFile } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { realClock } from '../../asl/clock.ts';
import { patternsOf } from '../../core/bridge/checks.ts';
import { explain } from '../../core/bridge/explain.ts';
import { sampleMessage } from '../../core/bridge/sample.ts';
import { matches } from '../../core/bridge/subject.ts';
import { type CopyVerb, copyCommand, isCopyVerb } from './copyCommand.ts';
import { ConfigRefused, isVariable, loadPlan } from './loadConfig.ts';
import { Runtime } from './runtime.ts';

const USAGE = `usage: bridge [run] --config FILE
       bridge check --config FILE
       bridge explain SUBJECT --config FILE [--header NAME=VALUE]… [--data TEXT] [--stream NAME] [--seq N]
       bridge copy|verify|cut-over|undo|restore|history --stream NAME --table NAME --config FILE
                                       [--shards N] [--follow] [--hold] [--as NAME] [--events TABLE]`;

const WATCH_MS = 2_000;

type Values = {
  readonly config: string;
  readonly header: readonly string[];
  readonly data: string;
  readonly stream: string | undefined;
  readonly seq: string;
  readonly table: string | undefined;
  readonly shards: string;
  readonly follow: boolean;
  readonly hold: boolean;
  readonly as: string | undefined;
  readonly events: string | undefined;
};

function readArguments(args: readonly string[]): {
  readonly values: Values;
  readonly positionals: readonly string[];
} {
  return parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      config: { type: 'string', default: process.env.BRIDGE_CONFIG ?? 'bridge.yml' },
      header: { type: 'string', multiple: true, default: [] },
      data: { type: 'string', default: '{}' },
      stream: { type: 'string' },
      seq: { type: 'string', default: '1' },
      table: { type: 'string' },
      shards: { type: 'string', default: '1' },
      follow: { type: 'boolean', default: false },
      hold: { type: 'boolean', default: false },
      as: { type: 'string' },
      events: { type: 'string' },
    },
  }) as { values: Values; positionals: string[] };
}

/** Runs the command; answers the exit code. */
export async function bridgeCommand(args: readonly string[], out: (line: string) => void): Promise<number> {
  try {
    const { values, positionals } = readArguments(args);
    const [command = 'run', subject] = positionals;
    if (command === 'run') return await run(values.config, out);
    if (command === 'check') return await check(values.config, out);
    if (command === 'explain' && subject !== undefined) return await explainSubject(subject, values, out);
    if (isCopyVerb(command)) return await copyStream(command, values, out);
    out(USAGE);
    return 2;
  } catch (error) {
    const { name, message } = error as Error & { code?: string };
    out(name === 'TypeError' ? `${message}\n${USAGE}` : message);
    return error instanceof ConfigRefused || name === 'TypeError' ? 2 : 1;
  }
}

async function check(file: string, out: (line: string) => void): Promise<number> {
  const { rules, reverse, targets, config } = await loadPlan(file);
  const count = (n: number, word: string) => `${n} ${word}${n === 1 ? '' : 's'}`;
  out(
    `${file}: ${count(config.sources.length, 'source')}, ${count(rules.length, 'rule')}, ` +
      `${count(targets.length, 'target')}, ${count(reverse.length, 'reverse rule')}`,
  );
  return 0;
}

async function explainSubject(subject: string, values: Values, out: (line: string) => void): Promise<number> {
  const plan = await loadPlan(values.config);
  const headers = Object.fromEntries(values.header.map((pair) => splitAt(pair, '=')));
  const carrying = plan.config.sources.find((source) => patternsOf(source).some((p) => matches(p, subject)));
  const stream = values.stream ?? (carrying !== undefined && 'stream' in carrying ? carrying.stream : '');
  const sample = {
    subject,
    headers,
    text: values.data,
    stream,
    sequence: Number(values.seq),
    timestampMs: Date.now(),
  };
  for (const line of explain(plan, sampleMessage(sample))) out(line);
  return 0;
}

async function copyStream(verb: CopyVerb, values: Values, out: (line: string) => void): Promise<number> {
  const { stream, table, follow, hold, as, events } = values;
  const shards = Number(values.shards);
  if (stream === undefined || table === undefined || !Number.isInteger(shards) || shards < 1) {
    out(USAGE);
    return 2;
  }
  const stop = new AbortController();
  void signalled().then(() => stop.abort());
  const plan = await loadPlan(values.config);
  const wanted = { verb, stream, table, shards, follow, hold, as, events, signal: stop.signal };
  // What is for a person goes beside the report, which is for a program.
  const note = (line: string) => console.error(line);
  return copyCommand(wanted, { plan, environment: process.env, timers: realClock, out, note });
}

function splitAt(pair: string, separator: string): [string, string] {
  const at = pair.indexOf(separator);
  return at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)];
}

async function run(file: string, out: (line: string) => void): Promise<number> {
  const log = (message: string) => out(JSON.stringify({ time: new Date().toISOString(), message }));
  const plan = await loadPlan(file);
  const version = await packageVersion();
  const stopping = signalled();
  const starting = Runtime.start({
    plan,
    environment: process.env,
    timers: realClock,
    version,
    log,
    report: out,
  });
  // While NATS is not there yet, starting waits; a signal must end that too.
  const runtime = await Promise.race([starting, stopping]);
  if (runtime === undefined) return 0;
  log(`running: ${plan.rules.length} rules, ${plan.reverse.length} back, status on port ${runtime.port}`);
  const reload = () => void reloaded(file, runtime, log);
  process.on('SIGHUP', reload);
  if (!isVariable(file)) watchFile(file, { interval: WATCH_MS }, reload).unref();
  await stopping;
  const back = await runtime.drain();
  log(back === 0 ? 'drained' : `drained; ${back} messages went back unsent and will be delivered again`);
  return 0;
}

async function reloaded(file: string, runtime: Runtime, log: (message: string) => void): Promise<void> {
  try {
    await runtime.adopt(await loadPlan(file));
    log(`${file} is in force`);
  } catch (error) {
    log(`${file} is refused, the one before stays in force: ${(error as Error).message}`);
  }
}

/** Resolves at the first SIGTERM or SIGINT; the second ends the process at once. */
function signalled(): Promise<undefined> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => {
        resolve(undefined);
        process.once(signal, () => process.exit(1));
      });
    }
  });
}

/** From package.json beside the sources, or beside the bundle. */
async function packageVersion(): Promise<string> {
  for (const path of ['../../../package.json', './package.json']) {
    const text = await readFile(new URL(path, import.meta.url), 'utf8').catch(() => null);
    if (text !== null) return (JSON.parse(text) as { version: string }).version;
  }
  return 'unknown';
}

if (import.meta.main) {
  const code = await bridgeCommand(process.argv.slice(2), (line) => console.log(line));
  process.exit(code);
}
