/** What the expressions of one state see while it runs. */
import type { Branch, MapItem } from './branch.ts';
import type { EvaluationFrame, Variables } from './evaluationFrame.ts';
import type { Json } from './json.ts';

export class StateFrame implements EvaluationFrame {
  readonly input: Json;
  readonly variables: Variables;
  result: Json | undefined;
  errorOutput: Json | undefined;
  /** `$states.context.Task.Token` */
  taskToken: string | undefined;
  /** `$states.context.State.RetryCount` */
  retryCount = 0;
  readonly #branch: Branch;
  readonly #stateName: string;
  readonly #enteredAt: number;
  readonly #item: MapItem | undefined;

  constructor(branch: Branch, stateName: string, input: Json, item?: MapItem) {
    this.#branch = branch;
    this.#stateName = stateName;
    this.#enteredAt = branch.execution.clock.now();
    this.#item = item ?? branch.item;
    this.input = input;
    this.variables = branch.variables;
  }

  /** The same state, seen from one of its items: what an ItemSelector reads. */
  forItem(item: MapItem): StateFrame {
    return new StateFrame(this.#branch, this.#stateName, this.input, item);
  }

  get chance() {
    return this.#branch.execution.chance;
  }

  now(): number {
    return this.#branch.execution.clock.now();
  }

  /** The context object; built when it is asked for, since most expressions do not. */
  get context(): Json {
    const { Execution, StateMachine } = this.#branch.execution.context;
    return {
      Execution,
      State: {
        EnteredTime: new Date(this.#enteredAt).toISOString(),
        Name: this.#stateName,
        RetryCount: this.retryCount,
      },
      StateMachine,
      ...(this.taskToken === undefined ? {} : { Task: { Token: this.taskToken } }),
      ...(this.#item === undefined ? {} : { Map: { Item: this.#item } }),
    };
  }
}
