/** Consumers' checkpoints, effects and waiting tokens in memory. */

import { afterFailure, type Checkpoint, newCheckpoint } from '../core/eventStore/consumer.ts';
import type { Consumers, Effects, Tokens } from '../ports.ts';

const keyOf = (...parts: readonly (string | number)[]): string => JSON.stringify(parts);

export class SimConsumers implements Consumers {
  readonly #checkpoints = new Map<string, Checkpoint>();

  async checkpoint(consumer: string, stream: string): Promise<Checkpoint> {
    return this.#there(consumer, stream);
  }

  async advance(consumer: string, stream: string, from: number, to: number): Promise<boolean> {
    const found = this.#there(consumer, stream);
    if (found.version !== from) return false;
    this.#checkpoints.set(keyOf(consumer, stream), { ...found, version: to, failures: 0, why: null });
    return true;
  }

  async failed(
    consumer: string,
    stream: string,
    version: number,
    why: string,
    ageSeconds?: number,
  ): Promise<Checkpoint> {
    const next = afterFailure(this.#there(consumer, stream), version, why, ageSeconds);
    this.#checkpoints.set(keyOf(consumer, stream), next);
    return next;
  }

  async unpark(consumer: string, stream: string): Promise<void> {
    const found = this.#checkpoints.get(keyOf(consumer, stream));
    if (found === undefined) return;
    this.#checkpoints.set(keyOf(consumer, stream), { ...found, parked: false, failures: 0 });
  }

  #there(consumer: string, stream: string): Checkpoint {
    return this.#checkpoints.get(keyOf(consumer, stream)) ?? newCheckpoint;
  }
}

export class SimEffects implements Effects {
  readonly #status = new Map<string, 'open' | 'done'>();

  async intend(stream: string, version: number, effect: string): Promise<'new' | 'open' | 'done'> {
    const key = keyOf(stream, version, effect);
    const found = this.#status.get(key);
    if (found === undefined) this.#status.set(key, 'open');
    return found ?? 'new';
  }

  async done(stream: string, version: number, effect: string): Promise<void> {
    this.#status.set(keyOf(stream, version, effect), 'done');
  }
}

export class SimTokens implements Tokens {
  readonly #tokens = new Map<string, string>();

  async keep(stream: string, rolloutId: string, token: string): Promise<void> {
    this.#tokens.set(keyOf(stream, rolloutId), token);
  }

  async find(stream: string, rolloutId: string): Promise<string | null> {
    return this.#tokens.get(keyOf(stream, rolloutId)) ?? null;
  }
}
