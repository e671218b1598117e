/**
 * Functions as a cloud runs them: each call in an instance of its own, any number at once, ended at its
 * timeout.
 * What an invoker is told of a failure is the name it is told by Lambda.
 */
import type { Faults, Hit } from './faults.ts';
import { type Death, Instance } from './instance.ts';
import type { SeededRandom } from './random.ts';
import type { SimClock } from './simClock.ts';

export type SimFunction = {
  readonly timeoutSeconds: number;
  run(who: Instance, payload: unknown): Promise<unknown>;
};

/** An error by the name that it has outside. */
class InvocationFailed extends Error {
  override readonly name: string;

  constructor(name: string, message: string) {
    super(message);
    this.name = name;
  }
}

/** An asynchronous invocation that fails is tried twice more: after one minute, and after two. */
const retriesAfterMs = [60_000, 120_000];

export type Invoked = {
  readonly instance: Instance;
  readonly payload: unknown;
  endedAt: number | null;
  /** null: it ended well. */
  error: string | null;
};

export class SimLambda {
  /** Every invocation, in the order they began; kept only where somebody set it. */
  journal: Invoked[] | null = null;
  /** Asynchronous invocations that were given up. */
  readonly dropped: { readonly name: string; readonly payload: unknown; readonly error: string }[] = [];
  readonly #clock: SimClock;
  readonly #random: SeededRandom;
  readonly #faults: Faults;
  readonly #functions: ReadonlyMap<string, SimFunction>;
  readonly #skewMsMax: number;
  #count = 0;
  #running = 0;

  constructor(
    clock: SimClock,
    random: SeededRandom,
    faults: Faults,
    functions: ReadonlyMap<string, SimFunction>,
    skewMsMax: number,
  ) {
    this.#clock = clock;
    this.#random = random;
    this.#faults = faults;
    this.#functions = functions;
    this.#skewMsMax = skewMsMax;
  }

  get running(): number {
    return this.#running;
  }

  /** @throws InvocationFailed, or what the function threw */
  invoke(name: string, payload: unknown): Promise<unknown> {
    const hit = this.#faults.meet('lambda', `invoke.${name}`);
    return hit === null ? this.#run(name, payload) : this.#invokeBadly(name, payload, hit);
  }

  async #invokeBadly(name: string, payload: unknown, hit: Hit): Promise<unknown> {
    if (hit.kind === 'slow') await this.#clock.sleep(hit.ms);
    if (hit.kind === 'refuse')
      throw new InvocationFailed('Lambda.TooManyRequestsException', `no instance of ${name} is free`);
    // A second delivery runs in an instance of its own, and nobody waits for its answer.
    if (hit.kind === 'duplicate')
      this.#clock.schedule(hit.ms, () => {
        this.#run(name, payload).catch(() => undefined);
      });
    const answer = this.#run(name, payload);
    if (hit.kind !== 'lose-answer') return answer;
    answer.catch(() => undefined);
    await this.#clock.sleep(hit.ms);
    throw new InvocationFailed('Lambda.SdkClientException', `the answer of ${name} was lost`);
  }

  /** As an event: nobody waits for the answer. */
  send(name: string, payload: unknown, attempt = 0): void {
    this.invoke(name, payload).catch((error: Error) => {
      const after = retriesAfterMs[attempt];
      if (after === undefined) this.dropped.push({ name, payload, error: error.name });
      else this.#clock.schedule(after, () => this.send(name, payload, attempt + 1));
    });
  }

  #run(name: string, payload: unknown): Promise<unknown> {
    const code = this.#functions.get(name);
    if (code === undefined)
      return Promise.reject(new InvocationFailed('Lambda.ResourceNotFoundException', `no function ${name}`));
    const skewMs = this.#skewMsMax === 0 ? 0 : this.#random.whole(-this.#skewMsMax, this.#skewMsMax);
    const instance = new Instance(this.#clock, name, ++this.#count, skewMs);
    const entry: Invoked = { instance, payload, endedAt: null, error: null };
    this.journal?.push(entry);
    this.#running++;
    return this.#untilDead(entry, code);
  }

  #untilDead(entry: Invoked, code: SimFunction): Promise<unknown> {
    const { instance, payload } = entry;
    return new Promise((resolve, reject) => {
      const seconds = code.timeoutSeconds;
      const cancel = this.#clock.schedule(seconds * 1000, () =>
        instance.die({ error: 'Sandbox.Timedout', message: `Task timed out after ${seconds} seconds` }),
      );
      const end = (error: Error | null): void => {
        cancel();
        instance.whenDead(null);
        this.#running--;
        entry.error = error === null ? null : error.name;
        entry.endedAt = this.#clock.now();
      };
      const fail = (error: Error): void => {
        end(error);
        reject(error);
      };
      instance.whenDead(({ error, message }: Death) => fail(new InvocationFailed(error, message)));
      code.run(instance, payload).then(
        (answer) => {
          if (!instance.alive) return;
          end(null);
          resolve(answer);
        },
        (error: Error) => {
          if (instance.alive) fail(error);
        },
      );
    });
  }
}
