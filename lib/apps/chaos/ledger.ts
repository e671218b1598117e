/**
 * What one stream says, read on from where it was read to. Rollouts of long ago are let go of, so that an
 * hour costs no more than a minute.
 */
import type { Recorded } from '../../../events/recorded.ts';
import { ServiceEvent } from '../../../events/service.ts';
import { canonical } from '../../core/eventStore/hashChain.ts';
import { fold } from '../../core/rollout/evolve.ts';
import { initialState, type ServiceState } from '../../core/rollout/state.ts';
import type { EventStore } from '../../ports.ts';
import { beforeAll, type Finding, type Standing, standingAfter } from '../simulate/checks/book.ts';

/** Looked at again and again: an alarm may come in the time after a promotion, a late write later. */
const rolloutsKept = 4;

export class Ledger {
  readonly service: string;
  events: readonly Recorded[] = [];
  /** The first one is what stood before the first of the events. */
  standings: readonly Standing[] = [beforeAll];
  version = 0;
  /** Read since they were last taken out. */
  readonly news: ServiceEvent[] = [];
  #folded: ServiceState = initialState;
  readonly #wrong: Finding[] = [];
  readonly #stream: string;

  constructor(service: string) {
    this.service = service;
    this.#stream = `service/${service}`;
  }

  /** @param appendedAt when the stream's events came to stand, the first one first */
  async readOn(store: Pick<EventStore, 'read'>, appendedAt: readonly number[]): Promise<void> {
    const news = await Array.fromAsync(store.read(this.#stream, this.version + 1));
    const wrong = (says: string) => this.#wrong.push(this.#finding(says));
    const standings = [...this.standings];
    for (const recorded of news) {
      const { event, version } = recorded;
      if (version !== this.version + 1) wrong(`event ${version} after ${this.version}`);
      const parsed = ServiceEvent.safeParse(event);
      if (!parsed.success)
        wrong(`event ${version}, ${event.type}: ${JSON.stringify(parsed.error.issues[0])}`);
      const at = appendedAt[version - 1] ?? Date.now();
      standings.push(standingAfter(standings.at(-1) as Standing, recorded, at));
      this.version = version;
      this.news.push(event as ServiceEvent);
    }
    this.#folded = fold(
      this.#folded,
      news.map(({ event }) => event as ServiceEvent),
    );
    this.events = [...this.events, ...news];
    this.standings = standings;
  }

  /**
   * Every event is of its schema and in its place, the chain of hashes holds, and folding them gives the
   * state that HEAD keeps.
   */
  async replays(store: Pick<EventStore, 'head' | 'verify'>): Promise<Finding[]> {
    const { version, brokenAt } = await store.verify(this.#stream);
    if (this.#wrong.length > 0) return this.#wrong;
    if (brokenAt !== null) return [this.#finding(`the chain breaks at ${brokenAt} of ${version}`)];
    const head = await store.head(this.#stream);
    if (head.version !== this.version) return [this.#finding(`${this.version} events of ${head.version}`)];
    if (head.version === 0) return [];
    return canonical(this.#folded) === canonical(head.snapshot?.state)
      ? []
      : [this.#finding('the state folded from the events is not the one that is kept')];
  }

  /** @returns since when everything is still known, epoch milliseconds; null while that is the beginning */
  forget(): number | null {
    const starts = this.standings.flatMap(({ event }, nth) =>
      event?.type === 'RolloutStarted' ? [nth] : [],
    );
    const from = starts.at(-rolloutsKept) ?? 0;
    if (from < 2) return null;
    this.standings = this.standings.slice(from - 1);
    this.events = this.events.slice(from - 1);
    return this.standings[0]?.at ?? null;
  }

  #finding(says: string): Finding {
    return { check: 'replays', service: this.service, says };
  }
}
