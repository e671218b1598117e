/** `npm run fall-back -- --why "…" [--service X]`, checked before anything is called. */
import { userInfo } from 'node:os';
import { parseArgs } from 'node:util';
import type { Slot } from '../../../events/target.ts';

export type FallBackArguments = {
  /** null: every service. */
  readonly service: string | null;
  readonly why: string;
  readonly by: string;
  readonly dryRun: boolean;
  readonly slot: Slot | null;
  /** A deployed stage; null: the local cloud. */
  readonly stage: string | null;
  readonly endpoint: string | null;
  /** Read only when the function cannot be run, to say what to type. */
  readonly config: string | null;
};

const usage =
  'npm run fall-back -- --why "…" [--service NAME] [--slot blue|green] [--dry-run] [--by WHO] ' +
  '[--stage STAGE] [--endpoint URL] [--config FILE]';

const localEndpoint = 'http://127.0.0.1:4566';

/** @throws Error with one sentence and the usage */
export function fallBackArguments(argv: readonly string[]): FallBackArguments {
  const values = parsed(argv);
  const { service = null, why = '', by = userInfo().username, slot = null, stage = null } = values;
  if (why.trim() === '') {
    throw new Error(`say --why: it is the only record if everything else is down. Usage: ${usage}`);
  }
  if (slot !== null && slot !== 'blue' && slot !== 'green') {
    throw new Error(`--slot ${slot}: a slot is blue or green. Usage: ${usage}`);
  }
  const endpoint = values.endpoint ?? (stage === null ? localEndpoint : null);
  const config = values.config ?? null;
  return { service, why, by, dryRun: values['dry-run'], slot, stage, endpoint, config };
}

function parsed(argv: readonly string[]) {
  const text = { type: 'string' } as const;
  try {
    return parseArgs({
      args: [...argv],
      options: {
        ...{ service: text, why: text, by: text, slot: text, stage: text, endpoint: text, config: text },
        'dry-run': { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new Error(`${(error as Error).message}. Usage: ${usage}`);
  }
}
