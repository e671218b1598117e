/** Target groups that hold anything behind one weighted rule. */
import { weightedPlace } from '../weightedPlace.ts';

export const albPlace = weightedPlace;
