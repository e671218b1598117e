/** `npm start -- …`, checked before anything is started. */
import { parseArgs } from 'node:util';
import type { Fault } from './account.ts';

export type DemoArguments = {
  /** One service, or the three of MisterSmith that move together. */
  readonly example: 'shop' | 'mistersmith';
  /** MisterSmith: pulls the plug on the event store and the state machines in the middle of it. */
  readonly fire: boolean;
  readonly fault: Fault;
  /** Decides when v2 breaks and how the balancer deals its weighted dice. */
  readonly seed: number;
  /** Leaves everything running, for a look around with `aws` and `curl`. */
  readonly keep: boolean;
  readonly port: number;
  readonly shopPort: number;
};

const faults = ['errors', 'latency', 'crash', 'none'] as const;

const usage =
  'npm start -- [--example shop|mistersmith] [--fire] [--fault errors|latency|crash|none] [--seed N] [--keep] [--port 4566] [--shop-port 8080]';

/** @throws Error with one sentence and the usage */
export function demoArguments(argv: readonly string[]): DemoArguments {
  const values = parsed(argv);
  const fault = faults.find((name) => name === values.fault);
  if (fault === undefined) {
    throw new Error(`--fault ${values.fault}: there is no such fault, choose one of ${faults.join(', ')}`);
  }
  const { example, fire } = values;
  if (example !== 'shop' && example !== 'mistersmith') {
    throw new Error(`--example ${example}: there is no such example, choose shop or mistersmith`);
  }
  if (fire && example !== 'mistersmith') throw new Error('--fire belongs to --example mistersmith');
  return {
    example,
    fire,
    fault,
    seed: whole('--seed', values.seed, 0, 2 ** 31),
    keep: values.keep,
    port: whole('--port', values.port, 1, 65_535),
    shopPort: whole('--shop-port', values['shop-port'], 1, 65_535),
  };
}

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        example: { type: 'string', default: 'shop' },
        fire: { type: 'boolean', default: false },
        fault: { type: 'string', default: 'errors' },
        seed: { type: 'string', default: '1' },
        keep: { type: 'boolean', default: false },
        port: { type: 'string', default: '4566' },
        'shop-port': { type: 'string', default: '8080' },
      },
    }).values;
  } catch (error) {
    throw new Error(`${(error as Error).message}. Usage: ${usage}`);
  }
}

function whole(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new Error(`${name} ${text}: must be a whole number from ${min} to ${max}`);
}
