/**
 * `npm run backtest`: a past rollout judged again, minute by minute, as it was and under a changed policy. It
 * reads what was recorded and writes nothing.
 */
import { backtest } from '../../core/analysis/backtest.ts';
import { backtestArguments, backtestUsage } from './arguments.ts';
import { backtestReport } from './backtestReport.ts';
import { changePolicy } from './policyChange.ts';
import { recordingOf } from './recording.ts';

async function main(argv: readonly string[]): Promise<void> {
  if (argv.includes('--help')) return console.log(backtestUsage);
  const options = backtestArguments(argv);
  const recording = await recordingOf(options);
  const { policy, differences } = changePolicy(recording.policy, options);
  const before = backtest(recording.rollout, recording.policy);
  const after = backtest(recording.rollout, policy);
  console.log(backtestReport({ recording, differences, before, after }).join('\n'));
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 2;
}
