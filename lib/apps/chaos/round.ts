/**
 * One round: releases that overlap, or a migration; people interfere while trouble lasts; then nothing fails
 * any more, and whatever is held a person brings to an end. Some rounds are calm: there it has to be quick.
 */
import type { SeededRandom } from '../../sim/random.ts';
import { type People, pause } from './people.ts';
import type { Post } from './post.ts';
import { Settling } from './settle.ts';
import type { Strikes } from './strikes.ts';
import { count, makeTrouble } from './trouble.ts';

/** How long rollouts are troubled. */
const troubledSeconds = { low: 12, high: 45 };
/** Between the first release of a round and the last. */
const apartMsMax = 8000;

export type Played = {
  /** When it began, where nothing failed and nobody interfered; null elsewhere. */
  readonly calmSince: number | null;
  /** What did not come to its end in time. */
  readonly open: readonly string[];
};

type Players = {
  readonly people: People;
  readonly post: Post;
  readonly strikes: Strikes;
  readonly random: SeededRandom;
};

export async function playRound({ people, post, strikes, random }: Players): Promise<Played> {
  const { stage, tally, say } = people;
  const began = Date.now();
  const calm = random.chance(0.12);
  count(tally, calm ? 'calm rounds' : 'rounds of trouble');
  const releases = begin(people, random);
  if (calm) say('calm');
  else {
    const trouble = makeTrouble({ stage, strikes, random, tally, say });
    say(`trouble: ${trouble.kinds.join(', ') || 'none'}`);
    const until = began + 1000 * random.between(troubledSeconds.low, troubledSeconds.high);
    while (Date.now() < until) {
      await pause(random.between(500, 4000));
      if (random.chance(0.3)) await people.interfere();
    }
    await trouble.stop();
  }
  await releases;
  say('nothing fails any more');
  const open = await new Settling(people, post).untilQuiet();
  return { calmSince: calm ? began : null, open };
}

/** A migration of all, or releases of one service and the other, now and then of one alone. */
async function begin(people: People, random: SeededRandom): Promise<void> {
  if (random.chance(0.2)) return people.migrate();
  const { shops } = people.stage;
  const first = random.whole(0, shops.length - 1);
  for (const [nth, shop] of [...shops.slice(first), ...shops.slice(0, first)].entries()) {
    if (nth > 0 && random.chance(0.25)) continue;
    if (nth > 0) await pause(random.between(0, apartMsMax));
    await people.release(shop);
  }
}
