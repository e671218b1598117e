#!/usr/bin/env node
/**
 * `npx switchback COMMAND …`: one name for the commands of this package. It runs under whatever Node started
 * it, and hands over to the Node 24 that `npm ci` installed where that one cannot run TypeScript. Signals go
 * through: SIGTERM drains a bridge.
 */
import { spawn } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(realpathSync(fileURLToPath(import.meta.url))), '..');

/** By name: the program, and what it is for. */
const commands = {
  bridge: ['lib/apps/bridge/main.ts', 'carries NATS subjects to AWS and back; explains, checks, copies'],
  'fall-back': ['lib/apps/fallBack/main.ts', 'the fire exit: all traffic back to stable'],
  backtest: ['lib/apps/analysis/backtest.ts', 'another policy on what was recorded'],
  power: ['lib/apps/analysis/power.ts', 'how bad a canary has to be to be found out'],
  smoke: ['lib/apps/smoke/main.ts', 'whether a deployed stage stands'],
  config: ['lib/apps/configure/main.ts', 'where each value of a configuration comes from'],
  history: ['lib/apps/history/main.ts', 'what is recorded of a service, and why'],
  restore: ['lib/apps/restore/main.ts', 'the event table back to a moment'],
};

const [name, ...rest] = process.argv.slice(2);
const program = Object.hasOwn(commands, name ?? '') ? commands[name][0] : undefined;
if (program === undefined) {
  const wide = Math.max(...Object.keys(commands).map((command) => command.length));
  const lines = Object.entries(commands).map(([command, [, use]]) => `  ${command.padEnd(wide)}  ${use}`);
  console.error(`usage: switchback COMMAND …\n${lines.join('\n')}`);
  process.exitCode = 2;
} else {
  run(program, rest);
}

function run(file, args) {
  const installed = join(root, 'node_modules/.bin/node');
  const node = process.features.typescript || !existsSync(installed) ? process.execPath : installed;
  const child = spawn(node, [join(root, file), ...args], { stdio: 'inherit' });
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', ({ message }) => {
    console.error(`${node}: ${message}`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
}
