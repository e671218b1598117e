/**
 * One contender in a process of its own, so that no other's compiled code is in its way: told to run a round,
 * it answers with what the round took. Rounds of different contenders alternate.
 */
import { contenders } from './contenders.ts';
import type { RoundOrder } from './roundOrder.ts';

process.on('message', async (order: RoundOrder) => {
  const run = contenders[order.contender];
  if (run === undefined) throw new Error(`no contender ${order.contender}`);
  if (order.ca !== null) process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
  const round = await run(order);
  const before = process.cpuUsage();
  const started = performance.now();
  const latencies = await round.start();
  const { user, system } = process.cpuUsage(before);
  const seconds = (performance.now() - started) / 1000;
  await round.end();
  process.send?.({ seconds, cpuMicros: user + system, ...(latencies === undefined ? {} : { latencies }) });
});
process.send?.('ready');
