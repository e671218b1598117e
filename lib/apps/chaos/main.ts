/**
 * `npm run chaos`: releases, good and bad, of services that need one another, on the local cloud, while its
 * calls fail, processes are killed and people interfere; the promises are checked after each round. Ends with
 * the counts, and not with 0 where one broke.
 */
import { SeededRandom, seedOf } from '../../sim/random.ts';
import { isBad } from '../demo/shoppers.ts';
import { commitNow } from '../simulate/commit.ts';
import { chaosArguments } from './arguments.ts';
import { Chronicle } from './chronicle.ts';
import { Ledger } from './ledger.ts';
import { People } from './people.ts';
import { Post } from './post.ts';
import { report } from './report.ts';
import { type Played, playRound } from './round.ts';
import { scalingOf } from './scaling.ts';
import { Settling } from './settle.ts';
import { openStage, type Shop, type Stage } from './stage.ts';
import { Strikes } from './strikes.ts';
import { count, type Tally } from './trouble.ts';
import { judge, type Watched } from './verdict.ts';
import { type Witness, watch } from './witness.ts';

const root = new URL('../../..', import.meta.url).pathname;

async function main(argv: readonly string[]): Promise<void> {
  const { minutes, seed } = chaosArguments(argv, () => Math.floor(Math.random() * 2 ** 31));
  const head = `chaos --minutes ${minutes} --seed ${seed}, commit ${commitNow()}`;
  console.log(head);
  const began = Date.now();
  const chronicle = new Chronicle(root, seed, head);
  const stage = await openStage(root, seed);
  const strikes = new Strikes(stage.cloud.faults, new SeededRandom(seedOf(seed, 'strikes')));
  const tally: Tally = new Map();
  let broken: readonly string[] = [];
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      for (const line of [`\n${signal}, seed ${seed}`, ...report(tally, strikes)]) console.log(line);
      void stage.close().finally(() => process.exit(130));
    });
  try {
    const until = began + minutes * 60_000;
    broken = await rounds({ stage, strikes, seed, tally, chronicle, until });
  } finally {
    await stage.close();
  }
  console.log(`\n${((Date.now() - began) / 60_000).toFixed(1)} minutes, seed ${seed}`);
  for (const line of report(tally, strikes)) console.log(line);
  for (const one of broken) console.log(`BROKEN  ${one}`);
  const record = chronicle.file === null ? '' : `; the record is ${chronicle.file}`;
  console.log(
    broken.length === 0 ? 'every promise held' : `${broken.length} promises broke: seed ${seed}${record}`,
  );
  process.exitCode = broken.length === 0 ? 0 : 1;
}

type Run = {
  readonly stage: Stage;
  readonly strikes: Strikes;
  readonly seed: number;
  readonly tally: Tally;
  readonly chronicle: Chronicle;
  readonly until: number;
};

type Seen = {
  readonly shop: Shop;
  readonly witness: Witness;
  readonly ledger: Ledger;
  /** Moves of the balancer up to then stand in the tally. */
  countedTo: number;
};

async function rounds({ stage, strikes, seed, tally, chronicle, until }: Run): Promise<readonly string[]> {
  const seen: Seen[] = [];
  for (const shop of stage.shops)
    seen.push({
      ...{ shop, witness: await watch(stage, shop), ledger: new Ledger(shop.service) },
      countedTo: Date.now(),
    });
  const post = await Post.open(stage);
  const random = new SeededRandom(seedOf(seed, 'people'));
  const people = new People(stage, random, tally, (line) => chronicle.say(line));
  const leaveHouse = people.keepHouse();
  const broken = new Set<string>();
  while (Date.now() < until) {
    const played = await playRound({ people, post, strikes, random });
    const calmSince = timed(played.calmSince, seen, tally);
    const asked = { stage, seen, people, post, tally };
    let breach = await breaches(asked, { ...played, calmSince });
    if (breach.found.length > 0) {
      // What came in while it was judged is not at its end: that is waited for, and all is asked once more.
      const open = [...played.open, ...(await new Settling(people, post).untilQuiet())];
      breach = await breaches(asked, { open, calmSince });
    }
    const { watched } = breach;
    const found = breach.found.filter((one) => !broken.has(one));
    for (const one of found) broken.add(one);
    strikes.count();
    if (found.length > 0) chronicle.keep({ found, watched, strikes: strikes.recent, lines: stage.lines });
    sweep(stage, seen, post, tally);
    chronicle.beat();
  }
  leaveHouse();
  count(tally, 'migrations: never begun', people.migrations.size);
  for (const { witness } of seen) witness.stop();
  return [...broken];
}

type Asked = {
  readonly stage: Stage;
  readonly seen: readonly Seen[];
  readonly people: People;
  readonly post: Post;
  readonly tally: Tally;
};

async function breaches({ stage, seen, people, post, tally }: Asked, { open, calmSince }: Played) {
  const watched: Watched[] = [];
  for (const { shop, witness, ledger } of seen)
    watched.push({ witness, ledger, scaling: await scalingOf(stage, shop) });
  const round = { bad: people.bad, intended: post.intended, calmSince };
  const { findings, checks } = await judge(stage.store, watched, round);
  count(tally, 'checks', checks);
  const found = [
    ...open.map((what) => `nothing is left over: ${what}`),
    ...post.skipped.map((what) => `everything is published: ${what}`),
    ...findings.map(({ check, service, says }) => `${check} (${service}): ${says}`),
  ];
  return { watched, found };
}

/** A machine that does not get round to look does not get round to act: nothing is said of times then. */
const blinkMsMax = 2500;

function timed(calmSince: number | null, seen: readonly Seen[], tally: Tally): number | null {
  if (calmSince === null) return null;
  const busy = seen.some(({ witness }) => witness.blinkMs(calmSince) > blinkMsMax);
  count(tally, busy ? 'calm rounds not timed, the machine was busy' : 'calm rounds timed');
  return busy ? null : calmSince;
}

/** What is over is counted and let go of: an hour takes no more memory than a minute. */
function sweep(stage: Stage, seen: readonly Seen[], post: Post, tally: Tally): void {
  const badly = stage.lines.filter((line) => line.includes('"message":"failed"')).length;
  count(tally, 'calls of functions that ended badly', badly);
  stage.lines.splice(0);
  for (const one of seen) {
    const { shop, witness, ledger, countedTo } = one;
    const visits = shop.shoppers.visits.splice(0);
    count(tally, 'visits', visits.length);
    count(tally, 'bad visits', visits.filter(isBad).length);
    for (const event of ledger.news.splice(0)) {
      count(tally, `events: ${event.type}`);
      if (event.type === 'RollbackInitiated') count(tally, `rolled back by: ${event.trigger}`);
    }
    for (const { by, at } of witness.shifts)
      if (at > countedTo) count(tally, `moves of the balancer by ${by.split('#')[0]}`);
    one.countedTo = witness.shifts.at(-1)?.at ?? countedTo;
    const knownSince = ledger.forget();
    if (knownSince !== null) witness.forget(knownSince);
  }
  post.forget(Math.min(...seen.map(({ ledger }) => ledger.standings[0]?.at ?? 0)));
}

await main(process.argv.slice(2));
