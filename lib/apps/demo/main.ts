/**
 * `npm start`: the main job on one machine. A small AWS is started, a shop with two slots, Switchback beside
 * it;
 * real requests flow. v2 is requested through the event a user would send, hurts people, and is taken back;
 * v3 is good and becomes stable. `--example mistersmith` tells of three services that move together. Exit
 * code 0 only if the story ended as told.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { demoArguments } from './arguments.ts';
import { tellMigration } from './migrationStory.ts';
import { openStage, type Stage } from './stage.ts';
import { release } from './story.ts';
import { bold, dim, green, red } from './timeline.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '../../..');

async function main(): Promise<number> {
  const options = demoArguments(process.argv.slice(2));
  if (!existsSync(join(root, 'package.json')))
    throw new Error('the demo runs from the project itself: clone it first');
  if (options.example === 'mistersmith') return (await tellMigration(root, options)) ? 0 : 1;
  console.log(bold('\nSwitchback: a release is taken back by itself, on one machine\n'));
  const stage = await openStage(root, options, (line) => console.log(dim(`  ${line}`)));
  try {
    const ended = await tell(stage, options.fault);
    if (options.keep) await keepOpen(stage);
    return ended ? 0 : 1;
  } finally {
    await stage.close();
  }
}

/** @returns whether it ended as told */
async function tell(stage: Stage, fault: 'errors' | 'latency' | 'crash' | 'none'): Promise<boolean> {
  const bad = fault !== 'none';
  const what = bad ? `v2 has a fault (${fault}) that shows after a while` : 'v2 is good';
  console.log(bold(`\n1. v2 is released; ${what}\n`));
  const second = await release(stage, { version: 'v2', fault, requestedBy: 'anna@shop.example' });
  const wanted = bad ? 'rolled-back' : 'promoted';
  if (second !== wanted) {
    console.log(red(bold(`\nNot as told: v2 ended ${second}, it should have been ${wanted}.\n`)));
    return false;
  }
  console.log(bold('\n2. v3 is released; it is good\n'));
  const third = await release(stage, { version: 'v3', fault: 'none', requestedBy: 'anna@shop.example' });
  const asTold = third === 'promoted';
  console.log(
    asTold
      ? green(bold(`\nAs told: v2 was ${wanted}, v3 was promoted.\n`))
      : red(bold(`\nNot as told: v3 ended ${third}, it should have been promoted.\n`)),
  );
  return asTold;
}

async function keepOpen(stage: Stage): Promise<void> {
  console.log(
    `Everything stays up until Ctrl-C. Look around:\n\n${stage.hints.map((hint) => `  ${hint}`).join('\n')}\n`,
  );
  await new Promise<void>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(red(`\n${(error as Error).message}\n`));
  if (process.env.DEBUG !== undefined) console.error(error);
  process.exitCode = 1;
}
