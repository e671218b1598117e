/** Two other ECS services behind one weighted rule. */
import { weightedPlace } from '../weightedPlace.ts';

export const ecsAlbPlace = weightedPlace;
