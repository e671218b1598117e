/**
 * A second opinion on a life: reads the events only, keeps its own books, and says what a rollout must never
 * do. It shares no code with `decide` and `evolve`.
 */
import type { Step } from '../../../events/rollout.ts';
import type { ServiceEvent } from '../../../events/service.ts';

type Book = {
  readonly rolloutId: string;
  readonly steps: readonly Step[];
  /** The step the traffic stands on, and since when. */
  step: number;
  since: number;
  weight: number;
  passed: boolean;
  /** A person has moved it on: what the analysis says later does not undo that. */
  movedOn: boolean;
  /** A person has skipped what was left. */
  skipped: boolean;
  /** The fire exit took its tasks: it begins anew once it is resumed. */
  emptied: boolean;
  promotion: 'earned' | 'full' | 'stable-broken' | null;
  /** A person has the say over the weight until somebody resumes it. */
  personal: boolean;
  back: boolean;
  ended: boolean;
};

const standsOn = (steps: readonly Step[], weight: number): number =>
  steps.reduce((stands, step, index) => (step.weight <= weight ? index : stands), -1);

/** The first thing that must not be, or null. */
export function broken(events: readonly ServiceEvent[]): string | null {
  let book: Book | null = null;
  for (const event of events) {
    if (event.type === 'RolloutStarted') {
      if (book !== null && !book.ended) return `${event.rolloutId} started beside ${book.rolloutId}`;
      book = {
        ...{ rolloutId: event.rolloutId, steps: event.steps, step: -1, since: event.at, weight: 0 },
        ...{
          passed: false,
          movedOn: false,
          skipped: false,
          emptied: false,
          promotion: null,
          personal: false,
          back: false,
          ended: false,
        },
      };
      continue;
    }
    if (book !== null && event.type === 'FellBack' && !book.back && !book.ended) book.emptied = true;
    if (book === null || !('rolloutId' in event) || event.type === 'RolloutQueued') continue;
    if (event.type === 'RolloutDropped') continue;
    if (event.rolloutId !== book.rolloutId)
      return `${event.type} of ${event.rolloutId}, not of ${book.rolloutId}`;
    const wrong = book.back ? wayBack(book, event) : wayForward(book, event);
    if (wrong !== null) return `${wrong} (${event.type} at ${event.at})`;
  }
  return null;
}

function wayBack(book: Book, event: ServiceEvent): string | null {
  switch (event.type) {
    case 'TrafficShifted':
      return event.weight === 0 ? null : 'traffic on the canary after the rollback began';
    case 'RollbackCompleted':
      book.ended = true;
      return null;
    case 'CheckpointTaken':
      return null;
    default:
      return 'something else than going back after the rollback began';
  }
}

function wayForward(book: Book, event: ServiceEvent): string | null {
  const step = book.steps[book.step];
  switch (event.type) {
    case 'ShiftOrdered':
      return shiftOrdered(book, event.step, event.weight, event.at);
    case 'CanaryPrepared':
      book.emptied = false;
      return null;
    case 'TrafficShifted':
      book.weight = event.weight;
      book.since = event.at;
      return null;
    case 'AnalysisRecorded':
      if (event.verdict !== 'pass') book.passed = false;
      else if (step !== undefined && event.at >= book.since + step.bakeSeconds * 1000) book.passed = true;
      return null;
    case 'RolloutApproved':
      if (event.by !== 'switchback') book.movedOn = true;
      return null;
    case 'DriftFound':
      book.weight = event.foundWeight ?? 0;
      return null;
    case 'RolloutHeld':
      if (event.reason === 'drift') book.personal = true;
      book.ended = false;
      uncleared(book);
      return null;
    case 'RolloutResumed': {
      book.personal = false;
      uncleared(book);
      const anew = book.emptied || (book.step < 0 && book.weight === 0);
      const stands = anew ? -1 : standsOn(book.steps, book.weight);
      if (anew) book.weight = 0;
      if (stands !== book.step) Object.assign(book, { step: stands, since: event.at });
      return null;
    }
    case 'PromotionOrdered':
      return promotionOrdered(book, event.mode, event.at);
    case 'RolloutPromoted':
      book.ended = true;
      return book.promotion === null
        ? 'promoted without an order'
        : book.weight === 100
          ? null
          : 'promoted below 100';
    case 'RollbackInitiated':
      Object.assign(book, { back: true, ended: false });
      return null;
    default:
      return null;
  }
}

const uncleared = (book: Book): void => {
  Object.assign(book, { passed: false, movedOn: false });
};

const isCleared = (book: Book, at: number): boolean => {
  const step = book.steps[book.step];
  if (book.passed || book.movedOn || book.skipped || step === undefined) return true;
  return step.judge === 'health-only' && at >= book.since + step.bakeSeconds * 1000;
};

function shiftOrdered(book: Book, step: number, weight: number, at: number): string | null {
  if (book.personal) return 'a shift against the person who moved the traffic';
  if (!isCleared(book, at)) return `step ${book.step + 1} was left without being cleared`;
  if (step !== book.step + 1) return `step ${step + 1} was ordered after step ${book.step + 1}`;
  if (weight < book.weight || (weight === book.weight && weight !== 0))
    return `${weight} % ordered over ${book.weight} %`;
  book.step = step;
  uncleared(book);
  return null;
}

function promotionOrdered(book: Book, mode: 'earned' | 'full' | 'stable-broken', at: number): string | null {
  book.promotion = mode;
  if (mode === 'full') Object.assign(book, { skipped: true, personal: false });
  if (book.personal) return 'a promotion against the person who moved the traffic';
  if (mode === 'stable-broken')
    return book.weight >= 50 ? null : 'a canary with the smaller part was promoted';
  if (mode === 'earned' && book.step !== book.steps.length - 1) return 'promoted before the last step';
  return isCleared(book, at) ? null : 'promoted without the last step being cleared';
}
