/**
 * Runs rounds of contenders in turns: a real nats-server, the sink and each contender in processes of their
 * own.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { jetstreamManager, StorageType } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { certificate } from '../../test/contracts/bridge/certificate.ts';
import { NatsServer } from '../../test/contracts/bridge/natsServer.ts';
import type { RoundOrder, RoundResult } from './roundOrder.ts';

export type Setting = {
  readonly contenders: readonly string[];
  /** Messages per round, and fewer for those that would take too long. */
  readonly count: number;
  readonly counts?: Readonly<Record<string, number>>;
  readonly payloadBytes: number;
  readonly tls: boolean;
  readonly sinkLatencyMs: number;
  readonly inFlight: number;
  /** Measured after one round that is not. */
  readonly rounds: number;
  readonly ratePerSec?: number;
};

export type Figures = {
  readonly perSec: readonly number[];
  readonly cpuMicros: readonly number[];
  /** Milliseconds, of all counted rounds together. */
  readonly latencies: readonly number[];
};

/** These publish by themselves: their stream begins empty. */
const EMPTY = new Set(['send only', 'publish, ours', 'js.publish, 256 at a time', 'latency']);

export const median = (list: readonly number[]): number => {
  const sorted = [...list].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
};

export class BenchWorld {
  readonly #server: NatsServer;
  readonly #nats: NatsConnection;
  #serial = 0;

  private constructor(server: NatsServer, nats: NatsConnection) {
    this.#server = server;
    this.#nats = nats;
  }

  static async start(): Promise<BenchWorld> {
    const server = await NatsServer.start();
    return new BenchWorld(server, await server.connect());
  }

  get nats(): NatsConnection {
    return this.#nats;
  }

  get url(): string {
    return this.#server.url;
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }

  /** A memory stream of `count` messages on ten subjects. */
  async stream(count: number, payloadBytes: number): Promise<string> {
    const name = `BENCH${++this.#serial}`;
    const api = await jetstreamManager(this.#nats);
    await api.streams.add({ name, subjects: ['bench.>'], storage: StorageType.Memory });
    const payload = Buffer.from(JSON.stringify({ pad: 'x'.repeat(payloadBytes - 10) }));
    for (let i = 0; i < count; i++) {
      this.#nats.publish(`bench.k${i % 10}.x`, payload);
      if (i % 5_000 === 4_999) await this.#nats.flush();
    }
    await this.#nats.flush();
    while ((await api.streams.info(name)).state.messages < count)
      await new Promise((resolve) => setTimeout(resolve, 5));
    return name;
  }

  async drop(stream: string): Promise<void> {
    await (await jetstreamManager(this.#nats)).streams.delete(stream);
  }

  /** All contenders of a setting, round by round in turns; the first round warms up and is not counted. */
  async compare(setting: Setting): Promise<ReadonlyMap<string, Figures>> {
    const tls = setting.tls ? certificate() : null;
    const sink = await started(
      new URL('./sink.ts', import.meta.url).pathname,
      JSON.stringify({ tls, latencyMs: setting.sinkLatencyMs }),
    );
    const endpoint = `${setting.tls ? 'https' : 'http'}://127.0.0.1:${(sink.first as { port: number }).port}`;
    const figures = new Map(
      setting.contenders.map((name) => [
        name,
        { perSec: [] as number[], cpuMicros: [] as number[], latencies: [] as number[] },
      ]),
    );
    const children = new Map<string, ChildProcess>();
    try {
      for (const name of setting.contenders) {
        const child = await started(new URL('./contender.ts', import.meta.url).pathname, '');
        children.set(name, child.process);
      }
      for (let round = 0; round <= setting.rounds; round++) {
        for (const name of setting.contenders) {
          const count = setting.counts?.[name] ?? setting.count;
          const stream = await this.stream(EMPTY.has(name) ? 0 : count, setting.payloadBytes);
          const order: RoundOrder = {
            contender: name,
            nats: this.url,
            endpoint,
            ca: tls?.cert ?? null,
            stream,
            count,
            inFlight: setting.inFlight,
            ratePerSec: setting.ratePerSec,
          };
          const {
            seconds,
            cpuMicros,
            latencies = [],
          } = await asked(children.get(name) as ChildProcess, order);
          await this.drop(stream);
          if (round === 0) continue;
          figures.get(name)?.perSec.push(count / seconds);
          figures.get(name)?.cpuMicros.push(cpuMicros / count);
          for (const ms of latencies) figures.get(name)?.latencies.push(ms);
        }
      }
    } finally {
      for (const child of children.values()) child.kill();
      sink.process.kill();
    }
    return figures;
  }
}

async function started(file: string, argument: string): Promise<{ process: ChildProcess; first: unknown }> {
  const env = { ...process.env, AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };
  const child = fork(file, [argument], { execArgv: [], env });
  const first = await new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('exit', (code) => reject(new Error(`${file} ended with ${code}`)));
  });
  return { process: child, first };
}

function asked(child: ChildProcess, order: RoundOrder): Promise<RoundResult> {
  return new Promise((resolve, reject) => {
    const gone = (code: number | null) => reject(new Error(`${order.contender} ended with ${code}`));
    child.once('exit', gone);
    child.once('message', (result) => {
      child.off('exit', gone);
      resolve(result as RoundResult);
    });
    child.send(order);
  });
}
