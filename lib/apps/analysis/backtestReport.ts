/** What a replay shows a person: both outcomes, and the verdicts as they would have come. */
import type { Backtest, BacktestMoment } from '../../core/analysis/backtest.ts';
import { percent } from '../../core/analysis/figures.ts';
import type { ErrorCount } from '../../core/analysis/minutes.ts';
import type { Recording } from './recording.ts';
import { table } from './table.ts';

export type Replay = {
  readonly recording: Recording;
  readonly differences: readonly string[];
  /** Under the policy that was in force, and under the changed one. */
  readonly before: Backtest;
  readonly after: Backtest;
};

export function backtestReport({ recording, differences, before, after }: Replay): string[] {
  const { minutes } = recording.rollout;
  const startMs = minutes[0]?.startMs ?? 0;
  const end = minutes.at(-1);
  const endMs = end === undefined ? startMs : end.startMs + end.periodSeconds * 1000;
  const lines = [
    `${recording.name}: ${minutes.length} periods, ${stamp(startMs)} to ${stamp(endMs)}`,
    `History behind it: ${recording.rollout.baseline.historyMinutes} minutes`,
    '',
    `As it was judged: ${outcome(before)}`,
  ];
  if (differences.length > 0) {
    lines.push(`Changed:          ${differences.join(', ')}`, `Then:             ${outcome(after)}`);
  }
  return [...lines, '', ...timeline(after.timeline, startMs), ...shown(after)];
}

const shown = ({ shown: beside }: Backtest): string[] =>
  beside.length === 0
    ? []
    : [
        '',
        'Beside it, shown and not counted, at the last look:',
        ...table(
          ['check', 'verdict', 'what it saw'],
          beside.map(({ name, verdict, sentence }) => [name, verdict, sentence]),
        ),
      ];

function outcome({ rolledBack, canaryErrors: { served, recorded }, budgetSpent }: Backtest): string {
  const cost = budgetSpent === null ? '' : ` That cost ${percent(budgetSpent)} of the error budget.`;
  if (rolledBack === null) return `not rolled back; the canary served ${errors(recorded)}.${cost}`;
  const { minutesFromStart, weight, at, summary } = rolledBack;
  const after = Number(minutesFromStart.toFixed(1));
  return (
    `rolled back after ${after} minutes (${stamp(at)}), at weight ${weight}, ` +
    `having served ${errors(served)} of the ${recorded.bad} recorded.${cost}\n${' '.repeat(18)}${summary}`
  );
}

const errors = ({ bad, total }: ErrorCount): string =>
  `${bad} errors in ${total} requests (${percent(total === 0 ? 0 : bad / total)})`;

function timeline(moments: readonly BacktestMoment[], startMs: number): string[] {
  const rows = moments.map(({ at, weight, atStepEnd, verdict, eValue, summary }) => [
    ((at - startMs) / 60_000).toFixed(1),
    String(Number(weight.toFixed(1))),
    atStepEnd ? 'step end' : 'bake',
    verdict,
    eValue.toPrecision(3),
    summary,
  ]);
  return table(['minute', 'weight', 'looked at', 'verdict', 'e-value', 'because'], rows);
}

/** Minutes are told apart in any time zone: UTC. */
const stamp = (ms: number): string => `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
