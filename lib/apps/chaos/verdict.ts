/**
 * The simulator's checks, asked of what was witnessed on the wire, and those that only the wire has: queues,
 * executions and the hash chain as they stand in the cloud.
 */
import type { Recorded } from '../../../events/recorded.ts';
import type { ServiceEvent } from '../../../events/service.ts';
import type { Slot } from '../../../events/target.ts';
import type { Bounds, EventStore } from '../../ports.ts';
import { type Shift, shareIn } from '../../sim/balancer.ts';
import { type Book, type Finding, percentIn } from '../simulate/checks/book.ts';
import {
  nobodyIsSentIntoTheVoid,
  nothingIsLeftRunning,
  nothingServingIsScaledDown,
  scalingIsGivenBack,
  stableCanTakeItBack,
} from '../simulate/checks/capacity.ts';
import { everyRolloutEnds } from '../simulate/checks/ends.ts';
import { fireExitStands } from '../simulate/checks/fireExit.ts';
import { everyDecisionOnce, noStepWithoutVerdict, oneAtATime } from '../simulate/checks/history.ts';
import { comesOffInTime } from '../simulate/checks/inTime.ts';
import {
  dependentsComeFirst,
  everyFactWasOrdered,
  everyOrderIsAnswered,
} from '../simulate/checks/intents.ts';
import {
  endsAsDecided,
  everyWriteWasDecided,
  marksStable,
  nobodyIsOverruled,
  staysBack,
} from '../simulate/checks/traffic.ts';
import type { Ledger } from './ledger.ts';
import type { Intended } from './post.ts';
import type { Witness } from './witness.ts';

/** One service, as it was seen from outside and as it stands in the store. */
export type Watched = {
  readonly witness: Omit<Witness, 'stop' | 'forget' | 'blinkMs'>;
  readonly ledger: Ledger;
  readonly scaling: Readonly<Record<Slot, Scaling>>;
};

export type Scaling = { readonly bounds: Bounds | null; readonly suspended: boolean };

export type Round = {
  /** Revisions that fail from their first request on. */
  readonly bad: ReadonlySet<string>;
  /** What was taken by the queue for the store. */
  readonly intended: readonly Intended[];
  /** Since when nothing was made to fail and nobody interfered; null where something did. */
  readonly calmSince: number | null;
};

const ofService: readonly ((book: Book) => Finding[])[] = [
  oneAtATime,
  noStepWithoutVerdict,
  everyDecisionOnce,
  everyOrderIsAnswered,
  everyFactWasOrdered,
  everyWriteWasDecided,
  nobodyIsOverruled,
  fireExitStands,
  staysBack,
  nothingServingIsScaledDown,
  nobodyIsSentIntoTheVoid,
  stableCanTakeItBack,
  endsAsDecided,
  marksStable,
  everyRolloutEnds,
  scalingIsGivenBack,
  nothingIsLeftRunning,
];

export type Verdict = { readonly findings: readonly Finding[]; readonly checks: number };

/** @returns what broke a promise; nothing when all of them hold, once nothing fails any more */
export async function judge(
  store: Pick<EventStore, 'read' | 'head' | 'verify'>,
  watched: readonly Watched[],
  round: Round,
): Promise<Verdict> {
  const findings: Finding[] = [];
  const books: Book[] = [];
  for (const one of watched) {
    await one.ledger.readOn(store, one.witness.appendedAt);
    findings.push(...(await one.ledger.replays(store)));
    const book = bookOf(one, round.intended);
    books.push(book);
    findings.push(...ofService.flatMap((check) => check(book)), ...badIsTakenBack(book, round.bad));
    if (round.calmSince !== null) findings.push(...inCalm(book, round.bad, round.calmSince));
  }
  findings.push(...dependentsComeFirst(books));
  const calm = round.calmSince === null ? 0 : 2;
  return { findings, checks: watched.length * (ofService.length + 3 + calm) + 1 };
}

/** What fails from the beginning is promoted by nobody but a person. */
function badIsTakenBack({ events, service }: Book, bad: ReadonlySet<string>): Finding[] {
  const findings: Finding[] = [];
  let byPerson = false;
  for (const { event, version } of events as readonly (Recorded & { readonly event: ServiceEvent })[]) {
    if (event.type === 'RolloutStarted') byPerson = false;
    if (event.type === 'RolloutApproved' || event.type === 'OverrideSet') byPerson = true;
    if (event.type === 'PromotionOrdered' && event.mode !== 'earned') byPerson = true;
    if (event.type !== 'RolloutPromoted' || byPerson || !bad.has(event.revision)) continue;
    const says = `${event.rolloutId} fails every visitor and was promoted, event ${version}`;
    findings.push({ check: 'bad is taken back', service, says });
  }
  return findings;
}

/** Two alarm periods of a second, the evaluation, the way off, on a machine with better things to do. */
const offWithinMs = 30_000;

/** Where nothing fails, traffic follows at once, and nobody stays on a bad revision. */
function inCalm(book: Book, bad: ReadonlySet<string>, since: number): Finding[] {
  const standings = book.standings.filter(({ at }) => at >= since);
  const findings = comesOffInTime({ ...book, standings });
  const { shifts } = book.place.balancer;
  for (const { event } of standings) {
    if (event?.type !== 'RolloutStarted' || !bad.has(event.revision)) continue;
    const { canarySlot, rolloutId } = event;
    const onIt = shifts.findIndex(({ at, reading }) => at >= event.at && percentIn(reading, canarySlot) > 0);
    if (onIt < 0) continue;
    const from = shifts[onIt]?.at ?? 0;
    const off = shifts.slice(onIt).find(({ reading }) => percentIn(reading, canarySlot) === 0);
    const took = (off?.at ?? Number.POSITIVE_INFINITY) - from;
    if (took <= offWithinMs) continue;
    const says = `${rolloutId} fails every visitor and was on for ${Math.round(took / 1000)} s`;
    findings.push({ check: 'bad is off in time', service: book.service, says });
  }
  return findings;
}

/** The longest that one invocation of a function that moves traffic may run, serverless.yml. */
const invocationMsMax = 60_000;

/** What went to the queue may have come to stand already, a late write before it. */
const lateMs = 30_000;

function bookOf({ witness, ledger, scaling }: Watched, all: readonly Intended[]): Book {
  const knownSince = ledger.standings[0]?.at ?? 0;
  const intended = all.filter(({ at }) => at > knownSince + lateMs);
  const reading = witness.shifts.at(-1)?.reading;
  const balancer = {
    ...witness,
    reading,
    mark: witness.marks.at(-1)?.slot ?? null,
    pulls: ledger.standings.flatMap(({ event }) =>
      event?.type === 'FellBack' ? [{ at: event.at, notedAt: event.at, slot: event.slot ?? null }] : [],
    ),
    shareOf: (slot: Slot) => (reading === undefined ? 0 : shareIn(reading, slot)),
  };
  const slotOf = (slot: Slot) => {
    const { desired = 0, revision = '' } = witness.changes[slot].at(-1) ?? {};
    return { changes: witness.changes[slot], desired, revision, ...scaling[slot] };
  };
  // A process outlives its invocations: who writes began at most so long before.
  const bornAt = ({ by, sentAt }: Shift) =>
    Math.max(witness.bornAt.get(by) ?? sentAt, sentAt - invocationMsMax);
  const journal = [...witness.bornAt].map(([by, startedAt]) => {
    const [functionName, number] = by.split('#');
    return { instance: { functionName, number, startedAt }, endedAt: Number.POSITIVE_INFINITY };
  });
  const simulation = {
    lambda: { journal },
    clock: { now: () => Date.now() },
    scenario: { faults: [], metricTroubles: [], alarmTroubles: [] },
    world: { mail: { intended } },
  };
  const { service, events, standings } = ledger;
  const place = { balancer, slots: { blue: slotOf('blue'), green: slotOf('green') } };
  // The checks read no more of the simulation than this.
  return { service, settings: null, simulation, place, events, standings, bornAt } as unknown as Book;
}
