/**
 * What must hold of the record: nothing lost, doubled or out of order, and what was decided could be decided.
 */
import { ServiceEvent } from '../../../../events/service.ts';
import { evolve } from '../../../core/rollout/evolve.ts';
import { initialState, stateSchema } from '../../../core/rollout/state.ts';
import { SimEventStore } from '../../../sim/eventStore.ts';
import { type Book, type Finding, secondsOf } from './book.ts';

const finding = (check: string, { service }: Book, says: string): Finding => ({ check, service, says });

/**
 * Every event is of its schema, the chain of hashes holds, and folding them gives the state that HEAD keeps.
 */
export async function replays(book: Book): Promise<Finding[]> {
  const { world } = book.simulation;
  const stream = `service/${book.service}`;
  const head = world.table.heads.get(stream);
  if (head === undefined) return [];
  const { version, brokenAt } = await new SimEventStore(world.table).verify(stream);
  if (brokenAt !== null || version !== book.events.length)
    return [
      finding('replays', book, `the chain breaks at ${brokenAt}, ${book.events.length} events of ${version}`),
    ];
  for (const { event, version: at } of book.events) {
    const parsed = ServiceEvent.safeParse(event);
    if (!parsed.success)
      return [
        finding('replays', book, `event ${at}, ${event.type}: ${JSON.stringify(parsed.error.issues[0])}`),
      ];
  }
  if (head.snapshot?.schema !== stateSchema) return [];
  const folded = book.events.map(({ event }) => event as ServiceEvent).reduce(evolve, initialState);
  return JSON.stringify(folded) === JSON.stringify(head.snapshot.state)
    ? []
    : [finding('replays', book, 'the state folded from the events is not the one that is kept')];
}

/** One rollout holds a service, from its start to its end. */
export function oneAtATime(book: Book): Finding[] {
  return book.standings.flatMap(({ event, at }, nth) => {
    if (event?.type !== 'RolloutStarted') return [];
    const { phase, rolloutId } = book.standings[nth - 1] ?? { phase: 'none', rolloutId: null };
    return phase === 'under-way' || phase === 'going-back'
      ? [
          finding(
            'one at a time',
            book,
            `${event.rolloutId} started at ${secondsOf(at)} s, ${rolloutId} was ${phase}`,
          ),
        ]
      : [];
  });
}

/**
 * A step that is analysed is left upwards only after its own verdict passed, or a person moved it on. Before
 * the first one nobody has met the canary: a verdict that falls there, of somebody who looked before the
 * rollout was sent back to its beginning, is about nothing.
 */
export function noStepWithoutVerdict(book: Book): Finding[] {
  const findings: Finding[] = [];
  let steps: readonly { readonly judge: string; readonly weight: number }[] = [];
  let step = -1;
  let cleared = true;
  /** A person's word: an analysis that cannot tell does not take it back. */
  let movedOn = false;
  for (const { event, at, confirmed } of book.standings) {
    switch (event?.type) {
      case 'RolloutStarted':
        steps = event.steps;
        step = -1;
        cleared = true;
        movedOn = false;
        break;
      case 'AnalysisRecorded':
        if (step < 0) break;
        cleared = event.verdict === 'pass' || (cleared && steps[step]?.judge === 'health-only');
        break;
      case 'RolloutApproved':
        movedOn = true;
        break;
      case 'RolloutResumed':
        // It goes on from where the traffic stands.
        step = confirmed === 0 && step < 0 ? -1 : steps.findLastIndex(({ weight }) => weight <= confirmed);
        cleared = step < 0 || steps[step]?.judge === 'health-only';
        movedOn = false;
        break;
      case 'DriftFound':
        cleared = false;
        movedOn = false;
        break;
      case 'ShiftOrdered':
      case 'PromotionOrdered': {
        const earned = event.type === 'ShiftOrdered' || event.mode === 'earned';
        if (earned && !cleared && !movedOn)
          findings.push(
            finding(
              'no step without verdict',
              book,
              `${event.type} at ${secondsOf(at)} s, step ${step} had not passed`,
            ),
          );
        if (event.type === 'ShiftOrdered') step = event.step;
        cleared = steps[step]?.judge === 'health-only';
        movedOn = false;
        break;
      }
      default:
    }
  }
  return findings;
}

/** What comes from outside and is told again. */
const toldAgain = /^(?:alarm|deployment):/;

/**
 * No command's decision stands twice, and what went to the queue for the store has come to stand. The store
 * knows the newest sixteen commands: an alarm or a failed task that is told again much later is recorded
 * again, which at most brings forward what more of them would have brought.
 */
export function everyDecisionOnce(book: Book): Finding[] {
  const findings: Finding[] = [];
  const seen = new Map<string, number>();
  for (const { commandId, version, correlationId } of book.events) {
    const first = seen.get(commandId);
    if (first !== undefined && version - first > 4 && !toldAgain.test(commandId))
      findings.push(
        finding(
          'every decision once',
          book,
          `${commandId} stands at ${first} and at ${version} (${correlationId})`,
        ),
      );
    seen.set(commandId, version);
  }
  const { intended } = book.simulation.world.mail;
  for (const { intent } of intended) {
    const { command } = intent;
    // Pulled twice in one moment, the fire exit is one.
    const stands = book.events.some(
      ({ event }) => event.type === 'FellBack' && event.at === (command as { readonly now: number }).now,
    );
    if (intent.stream === `service/${book.service}` && !seen.has(intent.commandId) && !stands)
      findings.push(
        finding('every decision once', book, `the intent ${intent.commandId} never came to stand`),
      );
  }
  return findings;
}

/** Every event reached the bus, the first time in its order. */
export function everythingIsPublished(book: Book): Finding[] {
  const stream = `service/${book.service}`;
  const published = book.simulation.world.mail.published.filter((one) => one.stream === stream);
  let newest = 0;
  for (const { event } of published) {
    if (event.version > newest + 1)
      return [
        finding('everything is published', book, `event ${event.version} was published after ${newest}`),
      ];
    newest = Math.max(newest, event.version);
  }
  return newest === book.events.length
    ? []
    : [finding('everything is published', book, `${newest} of ${book.events.length} events were published`)];
}
