/**
 * The router with 100 rules, over 1 000 subjects: without and with its cache, beside a list of regular
 * expressions.
 */
import { Router } from '../../lib/core/bridge/router.ts';
import { median } from './rounds.ts';

const RULES = Array.from({ length: 100 }, (_, i) =>
  i % 3 === 0 ? `svc${i}.*.canary.*` : i % 3 === 1 ? `svc${i}.orders.>` : `svc${i}.*.*.done`,
);
const SUBJECTS = Array.from({ length: 1_000 }, (_, i) => {
  const service = `svc${i % 100}`;
  return i % 3 === 0
    ? `${service}.a${i}.canary.eu`
    : i % 3 === 1
      ? `${service}.orders.b${i}.c`
      : `${service}.x.y${i}.done`;
});

export function routerFigures(rounds: number): Record<string, number> {
  const router = new Router(RULES.map((match) => ({ match })));
  const patterns = RULES.map((rule) => {
    const parts = rule.split('.').map((part) => (part === '*' ? '[^.]+' : part === '>' ? '.+' : part));
    return new RegExp(`^${parts.join('\\.')}$`);
  });
  const ways: Record<string, (subject: string) => unknown> = {
    trieNanos: (subject) => router.search(subject),
    cachedNanos: (subject) => router.routesFor(subject),
    regexNanos: (subject) => patterns.find((pattern) => pattern.test(subject)),
  };
  return Object.fromEntries(
    Object.entries(ways).map(([name, ask]) => [name, Math.round(nanosOf(ask, rounds))]),
  );
}

/** Median nanoseconds of CPU for one question, whatever else the machine does; the first round warms up. */
function nanosOf(ask: (subject: string) => unknown, rounds: number): number {
  const times: number[] = [];
  let found = 0;
  for (let round = 0; round <= rounds; round++) {
    const before = process.cpuUsage();
    for (let i = 0; i < 200; i++) for (const subject of SUBJECTS) if (ask(subject) !== undefined) found++;
    const { user, system } = process.cpuUsage(before);
    if (round > 0) times.push(((user + system) * 1e3) / (200 * SUBJECTS.length));
  }
  if (found === 0) throw new Error('nothing was asked');
  return median(times);
}
