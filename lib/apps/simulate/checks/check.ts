/** Everything that must hold of a run that has come to its end. */
import type { Simulation } from '../simulation.ts';
import { type Book, bookOf, type Finding } from './book.ts';
import {
  nobodyIsSentIntoTheVoid,
  nothingIsLeftRunning,
  nothingServingIsScaledDown,
  scalingIsGivenBack,
  stableCanTakeItBack,
} from './capacity.ts';
import { everyMigrationEnds, everyRolloutEnds, nothingIsLeftOver } from './ends.ts';
import { fireExitStands } from './fireExit.ts';
import {
  everyDecisionOnce,
  everythingIsPublished,
  noStepWithoutVerdict,
  oneAtATime,
  replays,
} from './history.ts';
import { badIsOffInTime, comesOffInTime } from './inTime.ts';
import { dependentsComeFirst, everyFactWasOrdered, everyOrderIsAnswered } from './intents.ts';
import { endsAsDecided, everyWriteWasDecided, marksStable, nobodyIsOverruled, staysBack } from './traffic.ts';

const ofService: readonly ((book: Book) => Finding[] | Promise<Finding[]>)[] = [
  replays,
  oneAtATime,
  noStepWithoutVerdict,
  everyDecisionOnce,
  everythingIsPublished,
  everyWriteWasDecided,
  nobodyIsOverruled,
  fireExitStands,
  staysBack,
  endsAsDecided,
  marksStable,
  nothingServingIsScaledDown,
  nobodyIsSentIntoTheVoid,
  stableCanTakeItBack,
  scalingIsGivenBack,
  nothingIsLeftRunning,
  everyOrderIsAnswered,
  everyFactWasOrdered,
  comesOffInTime,
  badIsOffInTime,
  everyRolloutEnds,
];

export async function check(simulation: Simulation): Promise<readonly Finding[]> {
  const books: Book[] = [];
  for (const settings of simulation.settings) books.push(await bookOf(simulation, settings));
  const findings: Finding[] = [];
  for (const book of books) for (const one of ofService) findings.push(...(await one(book)));
  findings.push(
    ...dependentsComeFirst(books),
    ...everyMigrationEnds(simulation, books),
    ...nothingIsLeftOver(simulation, books),
  );
  return findings;
}
