/** Two ECS services behind one weighted rule. */
import { weightedRule } from '../weightedRule.ts';

export const ecsAlbTraffic = weightedRule;
