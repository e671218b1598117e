/**
 * The simulator's checks, asked of what was witnessed on the wire, and those that only the wire has: queues,
 * executions and the hash chain as they stand in the cloud.
 */
import { DeleteMessageCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Recorded } from '../../../events/recorded.ts';
import type { ServiceEvent } from '../../../events/service.ts';
import { canonical } from '../../core/eventStore/hashChain.ts';
import { fold } from '../../core/rollout/evolve.ts';
import { initialState } from '../../core/rollout/state.ts';
import { type Book, type Finding, standingsOf } from '../simulate/checks/book.ts';
import {
  nobodyIsSentIntoTheVoid,
  nothingServingIsScaledDown,
  stableCanTakeItBack,
} from '../simulate/checks/capacity.ts';
import { everyRolloutEnds } from '../simulate/checks/ends.ts';
import { everyDecisionOnce, noStepWithoutVerdict, oneAtATime } from '../simulate/checks/history.ts';
import {
  endsAsDecided,
  everyWriteWasDecided,
  marksStable,
  nobodyIsOverruled,
  staysBack,
} from '../simulate/checks/traffic.ts';
import { type Stage, service, stream } from './stage.ts';
import { runningExecutions } from './trouble.ts';
import type { Witness } from './witness.ts';

type Seen = Omit<Witness, 'stop'>;

const atAnyTime = [
  oneAtATime,
  noStepWithoutVerdict,
  everyDecisionOnce,
  everyWriteWasDecided,
  nobodyIsOverruled,
  staysBack,
  nothingServingIsScaledDown,
  nobodyIsSentIntoTheVoid,
  stableCanTakeItBack,
];
const atTheEnd = [endsAsDecided, marksStable, everyRolloutEnds];

/**
 * @param bad revisions that fail from their first request on
 * @returns what broke a promise; empty when all of them hold, once nothing fails any more
 */
export async function judge(
  stage: Pick<Stage, 'store'>,
  witness: Seen,
  bad: ReadonlySet<string>,
): Promise<readonly Finding[]> {
  const events = await Array.fromAsync(stage.store.read(stream));
  const book = bookOf(witness, events);
  const findings = [...atAnyTime, ...atTheEnd].flatMap((check) => check(book));
  return [...findings, ...badIsTakenBack(events, bad), ...(await replays(stage, events))];
}

/** What fails from the beginning is promoted by nobody but a person. */
function badIsTakenBack(events: readonly Recorded[], bad: ReadonlySet<string>): Finding[] {
  const findings: Finding[] = [];
  let byPerson = false;
  for (const { event, version } of events as readonly (Recorded & { readonly event: ServiceEvent })[]) {
    if (event.type === 'RolloutStarted') byPerson = false;
    if (event.type === 'RolloutApproved') byPerson = true;
    if (event.type === 'PromotionOrdered' && event.mode !== 'earned') byPerson = true;
    if (event.type !== 'RolloutPromoted' || byPerson || !bad.has(event.revision)) continue;
    const says = `${event.rolloutId} fails every visitor and was promoted, event ${version}`;
    findings.push({ check: 'bad is taken back', service, says });
  }
  return findings;
}

function bookOf(witness: Seen, events: readonly Recorded[]): Book {
  const reading = witness.shifts.at(-1)?.reading;
  const balancer = { ...witness, reading, mark: witness.marks.at(-1)?.slot ?? null };
  const slots = { blue: { changes: witness.changes.blue }, green: { changes: witness.changes.green } };
  const journal = [...witness.bornAt].map(([by, startedAt]) => {
    const [functionName, number] = by.split('#');
    return { instance: { functionName, number, startedAt } };
  });
  const simulation = { lambda: { journal }, world: { mail: { intended: [] } } };
  const standings = standingsOf(events, witness.appendedAt);
  // The checks read no more of the simulation than this.
  return {
    service,
    settings: null,
    simulation,
    place: { balancer, slots },
    events,
    standings,
  } as unknown as Book;
}

async function replays(stage: Pick<Stage, 'store'>, events: readonly Recorded[]): Promise<Finding[]> {
  const finding = (says: string): Finding => ({ check: 'replays', service, says });
  const { version, brokenAt } = await stage.store.verify(stream);
  if (brokenAt !== null) return [finding(`the chain breaks at ${brokenAt} of ${version}`)];
  const head = await stage.store.head(stream);
  if (head.version !== events.length) return [finding(`${events.length} events of ${head.version}`)];
  if (head.version === 0) return [];
  const folded = fold(
    initialState,
    events.map(({ event }) => event as ServiceEvent),
  );
  return canonical(folded) === canonical(head.snapshot?.state)
    ? []
    : [finding('the state folded from the events is not the one that is kept')];
}

/** What is still on its way: nothing, once all is quiet. */
export async function leftOver(stage: Stage, bus: BusWitness): Promise<readonly string[]> {
  const left: string[] = [];
  for (const { name, size } of stage.cloud.queues.all) {
    if (size > 0 && name !== busQueue) left.push(`${size} messages in ${name}`);
  }
  for (const { name } of await runningExecutions(stage)) left.push(`the execution ${name}`);
  const { version } = await stage.store.head(stream);
  await bus.fetch();
  if (bus.newest !== version) left.push(`${bus.newest} of ${version} events on the bus`);
  return left;
}

export const busQueue = 'heard-on-the-bus';

export type BusWitness = {
  readonly newest: number;
  /** Events that came before one before them. */
  readonly skipped: readonly string[];
  fetch(): Promise<void>;
};

/** Hears what is published; a number that is skipped is one too many. */
export function hearTheBus(stage: Stage, QueueUrl: string): BusWitness {
  const sqs = new SQSClient(stage.at);
  let newest = 0;
  const skipped: string[] = [];
  return {
    get newest() {
      return newest;
    },
    skipped,
    async fetch() {
      for (;;) {
        const { Messages = [] } = await sqs.send(
          new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }),
        );
        if (Messages.length === 0) return;
        for (const { Body = '', ReceiptHandle } of Messages) {
          const { detail } = JSON.parse(Body) as { detail: Recorded & { readonly stream: string } };
          if (detail.stream === stream) {
            if (detail.version > newest + 1) skipped.push(`event ${detail.version} after ${newest}`);
            newest = Math.max(newest, detail.version);
          }
          await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
        }
      }
    },
  };
}
