/** Target groups that hold anything (IP addresses of the old world, say) behind one weighted rule. */
import { weightedRule } from '../weightedRule.ts';

export const albTraffic = weightedRule;
