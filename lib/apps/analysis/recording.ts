/** A rollout as it was recorded, in the event store or in a file: its minutes, and what its plan froze. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import * as z from 'zod';
import type { RecordedRollout } from '../../core/analysis/backtest.ts';
import { assumedBaseline, type Baseline } from '../../core/analysis/baseline.ts';
import type { Minute } from '../../core/analysis/minutes.ts';
import { type AnalysisPolicy, defaultAnalysisPolicy } from '../../core/analysis/policy.ts';
import { mergedPolicy } from '../../core/config/mergedPolicy.ts';
import type { Problem } from '../../core/config/problem.ts';
import type { Plan } from '../../core/rollout/plan.ts';
import type { EventStore } from '../../ports.ts';
import type { BacktestArguments } from './arguments.ts';

export type Recording = {
  readonly name: string;
  readonly rollout: RecordedRollout;
  /** As it was in force, with today's defaults for what it does not name. */
  readonly policy: AnalysisPolicy;
};

/** @throws Error with one sentence when there is nothing to replay */
export async function recordingOf({ source, endpoint }: BacktestArguments): Promise<Recording> {
  if (source.kind === 'file') return fromFile(source.path);
  // A file needs no SDK, and loading one takes a second.
  const { withStore } = await import('./withStore.ts');
  return withStore(source.table, endpoint, (store) => fromStore(store, source));
}

/** @throws Error with one sentence when the rollout is not known, or nobody looked at it yet */
export async function fromStore(
  store: EventStore,
  { service, rolloutId }: { readonly service: string; readonly rolloutId: string },
): Promise<Recording> {
  const stream = `service/${service}`;
  const plan = (await store.plan(stream, rolloutId)) as Plan | null;
  if (plan === null) throw new Error(`there is no rollout ${rolloutId} of ${service}: check both names`);
  const minutes = await store.minutes(rolloutId);
  if (minutes.length === 0) throw new Error(`no minutes of ${rolloutId} were kept: nothing can be replayed`);
  const stepStarts: number[] = [];
  for await (const { event } of store.read(stream)) {
    const { type, at, rolloutId: of, weight } = event as typeof event & Readonly<Record<string, unknown>>;
    if (type === 'TrafficShifted' && of === rolloutId && weight !== 0) stepStarts.push(at);
  }
  return {
    name: `${rolloutId} of ${service}`,
    rollout: { minutes, stepStarts, baseline: plan.baseline },
    policy: overDefaults(plan.settings.analysis, rolloutId),
  };
}

const count = z.number().min(0);
const SideFile = z.looseObject({ requests: count, errors: count, slow: z.array(count).default([]) });
const MinuteFile = z.looseObject({
  startMs: z.number(),
  periodSeconds: z.number().gt(0),
  weight: z.number().min(0).max(100),
  canary: z.nullable(SideFile),
  stable: z.nullable(SideFile),
});
/** Minutes alone, or what `recordingOf` reads from a store, written down. */
const RecordingFile = z.union([
  z.array(MinuteFile).transform((minutes) => ({ minutes })),
  z.strictObject({
    minutes: z.array(MinuteFile),
    stepStarts: z.array(z.number()).optional(),
    policy: z.record(z.string(), z.unknown()).optional(),
    baseline: z
      .looseObject({ errorDispersion: z.number(), slowThresholdsMs: z.array(z.number()) })
      .optional(),
  }),
]);

function fromFile(path: string): Recording {
  const name = basename(path);
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    const why = cause instanceof SyntaxError ? 'is no JSON' : 'cannot be read';
    throw new Error(`${path} ${why}: name a file with a rollout's minutes`, { cause });
  }
  const parsed = RecordingFile.safeParse(content);
  if (!parsed.success) {
    throw new Error(
      `${name}: a list of minutes is needed, or a mapping with \`minutes\`, each with both sides`,
    );
  }
  const given: z.infer<typeof RecordingFile> & { stepStarts?: number[] | undefined } = parsed.data;
  const { minutes } = given;
  if (minutes.length === 0) throw new Error(`${name} holds no minute: nothing can be replayed`);
  const policy = overDefaults('policy' in given ? (given.policy ?? {}) : {}, name);
  const assumed = assumedBaseline(policy);
  return {
    name,
    rollout: {
      minutes: (minutes as readonly Minute[]).toSorted((a, b) => a.startMs - b.startMs),
      ...(given.stepStarts === undefined ? {} : { stepStarts: given.stepStarts }),
      baseline: 'baseline' in given ? ({ ...assumed, ...given.baseline } as Baseline) : assumed,
    },
    policy,
  };
}

/** A plan made before a key existed gets the key's default. */
function overDefaults(given: object, name: string): AnalysisPolicy {
  const problems: Problem[] = [];
  const policy = mergedPolicy(defaultAnalysisPolicy, { ...given }, ['policy'], problems);
  const [first] = problems;
  if (first !== undefined) throw new Error(`${name}: ${first.path.join('.')}: ${first.sentence}`);
  return policy;
}
