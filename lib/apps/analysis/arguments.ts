/** What `npm run backtest` and `npm run power` are told, checked before anything is read. */
import { parseArgs } from 'node:util';

/** Where the account, or the local cloud, is. */
export type Place = {
  /** null: the account and region of the environment. */
  readonly endpoint: string | null;
};

export type BacktestArguments = Place & {
  readonly source:
    | { readonly kind: 'store'; readonly service: string; readonly rolloutId: string; readonly table: string }
    | { readonly kind: 'file'; readonly path: string };
  /** A YAML file with the part of the policy to change; null: none. */
  readonly policyPath: string | null;
  /** `errors.margin=1.25`, in the order given. */
  readonly sets: readonly string[];
};

export type PowerArguments = Place & {
  readonly service: string;
  readonly config: string;
  readonly policyPath: string | null;
  readonly sets: readonly string[];
  /** null: asked of the service's own metrics. */
  readonly traffic: StatedTraffic | null;
};

export type StatedTraffic = {
  readonly requestsPerSecond: number;
  /** 0–1; null: not said. */
  readonly errorRate: number | null;
  /** Per business check of the policy: how many per second, and which share of them is counted, 0–1. */
  readonly sessions: { readonly perSecond: number; readonly rate: number } | null;
};

export const backtestUsage =
  'npm run backtest -- (--service NAME --rollout ID [--stage NAME | --table NAME] [--endpoint URL] | --minutes FILE.json) ' +
  '[--policy FILE.yml] [--set errors.margin=1.25 …]';
export const powerUsage =
  'npm run power -- --service NAME --config FILE.yml [--requests-per-second N [--error-rate R] ' +
  '[--sessions-per-second N --session-rate R]] [--policy FILE.yml] [--set KEY=VALUE …] [--endpoint URL]';

const text = { type: 'string' } as const;
const several = { type: 'string', multiple: true } as const;

/** @throws Error with one sentence and the usage */
export function backtestArguments(argv: readonly string[]): BacktestArguments {
  const options = { service: text, rollout: text, stage: text, table: text, endpoint: text, minutes: text };
  const values = parsed(argv, { ...options, policy: text, set: several }, backtestUsage);
  const { service, rollout, minutes, stage = 'dev' } = values;
  const table = values.table ?? `switchback-${stage}-events`;
  const rest = {
    endpoint: values.endpoint ?? null,
    policyPath: values.policy ?? null,
    sets: values.set ?? [],
  };
  if (minutes !== undefined) {
    if (rollout === undefined) return { source: { kind: 'file', path: minutes }, ...rest };
    throw new Error(`name --minutes or --rollout, not both. Usage: ${backtestUsage}`);
  }
  if (rollout === undefined || service === undefined) {
    throw new Error(`say which rollout: --service and --rollout, or --minutes. Usage: ${backtestUsage}`);
  }
  return { source: { kind: 'store', service, rolloutId: rollout, table }, ...rest };
}

/** @throws Error with one sentence and the usage */
export function powerArguments(argv: readonly string[]): PowerArguments {
  const options = { service: text, config: text, endpoint: text, policy: text, set: several };
  const figures = {
    'requests-per-second': text,
    'error-rate': text,
    'sessions-per-second': text,
    'session-rate': text,
  };
  const values = parsed(argv, { ...options, ...figures }, powerUsage);
  const { service, config } = values;
  if (service === undefined || config === undefined) {
    throw new Error(`say --service and --config. Usage: ${powerUsage}`);
  }
  return {
    service,
    config,
    endpoint: values.endpoint ?? null,
    policyPath: values.policy ?? null,
    sets: values.set ?? [],
    traffic: statedTraffic(values),
  };
}

type Figures = Readonly<
  Partial<
    Record<'requests-per-second' | 'error-rate' | 'sessions-per-second' | 'session-rate', string | undefined>
  >
>;

function statedTraffic(values: Figures): StatedTraffic | null {
  const figure = (name: keyof Figures, max = Number.POSITIVE_INFINITY): number | null => {
    const given = values[name];
    if (given === undefined) return null;
    const value = Number(given);
    if (given.trim() !== '' && value > 0 && value <= max && Number.isFinite(value)) return value;
    const range = max === 1 ? 'a share above 0 and at most 1' : 'a number above 0';
    throw new Error(`--${name} ${given}: it must be ${range}. Usage: ${powerUsage}`);
  };
  const requestsPerSecond = figure('requests-per-second');
  const errorRate = figure('error-rate', 1);
  const perSecond = figure('sessions-per-second');
  const rate = figure('session-rate', 1);
  if ((perSecond === null) !== (rate === null)) {
    throw new Error(
      '--sessions-per-second and --session-rate (0.03: three of a hundred convert) go together. ' +
        `Usage: ${powerUsage}`,
    );
  }
  if (requestsPerSecond !== null) {
    const sessions = perSecond === null || rate === null ? null : { perSecond, rate };
    return { requestsPerSecond, errorRate, sessions };
  }
  if (errorRate === null && perSecond === null) return null;
  throw new Error(`say --requests-per-second too. Usage: ${powerUsage}`);
}

function parsed<const T extends Readonly<Record<string, typeof text | typeof several>>>(
  argv: readonly string[],
  options: T,
  usage: string,
) {
  try {
    return parseArgs({ args: [...argv], options }).values;
  } catch (error) {
    throw new Error(`${(error as Error).message}. Usage: ${usage}`);
  }
}
