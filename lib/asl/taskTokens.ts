/**
 * The tokens of tasks that wait to be told how they ended (`.waitForTaskToken`). One `TaskTokens` may serve
 * many executions, as the service's SendTask… operations do.
 */
import type { Json } from './json.ts';

export type TokenHolder = {
  succeed(output: Json): void;
  fail(error: string | undefined, cause: string | undefined): void;
  heartbeat(): void;
};

/** `accepted`; `over`: the task has ended, by an earlier answer, a timeout or the end of its execution. */
export type TokenAnswer = 'accepted' | 'over' | 'unknown';

export class TaskTokens {
  readonly #open = new Map<string, TokenHolder>();
  readonly #over = new Set<string>();

  open(token: string, holder: TokenHolder): void {
    this.#open.set(token, holder);
  }

  /** Nobody waits for this token any more. */
  close(token: string): void {
    if (this.#open.delete(token)) this.#over.add(token);
  }

  /** Tokens that are waited for, oldest first. */
  get waiting(): readonly string[] {
    return [...this.#open.keys()];
  }

  succeed(token: string, output: Json): TokenAnswer {
    return this.#answer(token, (holder) => holder.succeed(output));
  }

  fail(token: string, error?: string, cause?: string): TokenAnswer {
    return this.#answer(token, (holder) => holder.fail(error, cause));
  }

  /** Starts the task's HeartbeatSeconds anew. */
  heartbeat(token: string): TokenAnswer {
    const holder = this.#open.get(token);
    if (holder === undefined) return this.#over.has(token) ? 'over' : 'unknown';
    holder.heartbeat();
    return 'accepted';
  }

  #answer(token: string, tell: (holder: TokenHolder) => void): TokenAnswer {
    const holder = this.#open.get(token);
    if (holder === undefined) return this.#over.has(token) ? 'over' : 'unknown';
    this.close(token);
    tell(holder);
    return 'accepted';
  }
}
