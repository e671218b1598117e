/**
 * Two target groups behind one listener rule (or a listener's default action). ALB weights are whole numbers
 * 0–999 in any ratio, so a tenth of a percent is held exactly; every write is read back.
 */
import {
  type Action,
  AddTagsCommand,
  DescribeListenersCommand,
  DescribeRulesCommand,
  DescribeTagsCommand,
  type ElasticLoadBalancingV2Client,
  ModifyListenerCommand,
  ModifyRuleCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import type { EcsAlbTarget, Slot } from '../../events/target.ts';
import { stableSideBy } from '../core/fallback/mark.ts';
import { TargetMissing, TrafficUnconfirmed } from '../core/outage.ts';
import type { FallBackMark, OverrideMark, TrafficReading } from '../ports.ts';
import { answered } from './answered.ts';
import { fallBackIn, fallBackText, knowsText, overrideIn, overrideText, stableIn } from './marks.ts';

/** The tag on both target groups that says which slot is stable, so that no store is needed to find it. */
const stableSlotTag = 'switchback:stable-slot';
/** And up to when whoever said so knew of every pull of the fire exit. */
const stableKnowsTag = 'switchback:stable-knows';
/** The tag beside it that says who fell back last, so that nobody raises the canary who could not know. */
const fellBackTag = 'switchback:fell-back';
/** And the one that says who suspended automatic roll backs: the fire exit shows it. */
const overrideTag = 'switchback:override';

/** Reads after a write before it counts as unconfirmed; the API is consistent within a second. */
const readsMax = 5;

/** The rule and its two target groups, whatever stands behind them. */
export type WeightedRule = Pick<EcsAlbTarget, 'ruleArn' | 'targetGroups'>;

export function weightedRule(client: ElasticLoadBalancingV2Client, pause: (ms: number) => Promise<void>) {
  return {
    read: (target: WeightedRule) => readRule(client, target),

    async shift(target: WeightedRule, slot: Slot, weight: number): Promise<void> {
      const actions = await actionsOf(client, target);
      const greenWeight = slot === 'green' ? weight : Math.round((100 - weight) * 10) / 10;
      const before = readingOf(target, actions);
      if (before.kind === 'weights' && before.greenWeight === greenWeight) return;
      await write(client, target, withWeights(target, actions, greenWeight));
      for (let reads = 1; ; reads++) {
        const reading = readingOf(target, await actionsOf(client, target));
        if (reading.kind === 'weights' && reading.greenWeight === greenWeight) return;
        if (reads === readsMax) {
          const found = reading.kind === 'weights' ? `green at ${reading.greenWeight} %` : reading.what;
          throw new TrafficUnconfirmed(
            `${target.ruleArn}: ordered green at ${greenWeight} %, reads show ${found}`,
          );
        }
        await pause(200 * reads);
      }
    },

    async stableMark(target: WeightedRule): Promise<Slot | null> {
      const tags = await tagsOf(client, target);
      return stableSideBy(stableIn(tags(stableSlotTag), tags(stableKnowsTag)), fallBackIn(tags(fellBackTag)));
    },

    markStable: (target: WeightedRule, slot: Slot, knows: number) =>
      tag(client, target, stableTags(slot, knows)),

    markFallBack: (target: WeightedRule, mark: FallBackMark) =>
      tag(client, target, {
        [fellBackTag]: fallBackText(mark),
        ...(mark.slot === null ? {} : stableTags(mark.slot, mark.at)),
      }),

    async fallBackMark(target: WeightedRule): Promise<FallBackMark | null> {
      return fallBackIn((await tagsOf(client, target))(fellBackTag));
    },

    markOverride: (target: WeightedRule, mark: OverrideMark) =>
      tag(client, target, { [overrideTag]: overrideText(mark) }),

    async overrideMark(target: WeightedRule): Promise<OverrideMark | null> {
      return overrideIn((await tagsOf(client, target))(overrideTag));
    },
  };
}

export const readRule = async (client: ElasticLoadBalancingV2Client, target: WeightedRule) =>
  readingOf(target, await actionsOf(client, target));

/** Both are written in one call. */
const stableTags = (slot: Slot, knows: number) => ({
  [stableSlotTag]: slot,
  [stableKnowsTag]: knowsText({ slot, knows }),
});

/** All of them, in one call: a tag that is not there is empty. */
async function tagsOf(client: ElasticLoadBalancingV2Client, target: WeightedRule) {
  const command = new DescribeTagsCommand({ ResourceArns: [target.targetGroups.blue] });
  const { TagDescriptions } = await answered('DescribeTags of the target groups', client.send(command));
  return (key: string): string => TagDescriptions?.[0]?.Tags?.find(({ Key }) => Key === key)?.Value ?? '';
}

async function tag(
  client: ElasticLoadBalancingV2Client,
  { targetGroups }: WeightedRule,
  tags: Readonly<Record<string, string>>,
): Promise<void> {
  const ResourceArns = [targetGroups.blue, targetGroups.green];
  const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  await answered('AddTags of the target groups', client.send(new AddTagsCommand({ ResourceArns, Tags })));
}

const isListener = (arn: string): boolean => arn.includes(':listener/');

async function actionsOf(client: ElasticLoadBalancingV2Client, { ruleArn }: WeightedRule): Promise<Action[]> {
  if (isListener(ruleArn)) {
    const command = new DescribeListenersCommand({ ListenerArns: [ruleArn] });
    const { Listeners } = await answered(`DescribeListeners of ${ruleArn}`, client.send(command));
    return Listeners?.[0]?.DefaultActions ?? missing(ruleArn);
  }
  const command = new DescribeRulesCommand({ RuleArns: [ruleArn] });
  const { Rules } = await answered(`DescribeRules of ${ruleArn}`, client.send(command));
  return Rules?.[0]?.Actions ?? missing(ruleArn);
}

function missing(arn: string): never {
  throw new TargetMissing(`${arn}: there is no such rule or listener; correct target.ruleArn`);
}

async function write(client: ElasticLoadBalancingV2Client, { ruleArn }: WeightedRule, actions: Action[]) {
  const what = `weights of ${ruleArn}`;
  if (isListener(ruleArn)) {
    await answered(
      what,
      client.send(new ModifyListenerCommand({ ListenerArn: ruleArn, DefaultActions: actions })),
    );
  } else {
    await answered(what, client.send(new ModifyRuleCommand({ RuleArn: ruleArn, Actions: actions })));
  }
}

/** Percent that green gets, to the tenth; unknown where traffic goes anywhere but to the two slots. */
function readingOf(target: WeightedRule, actions: readonly Action[]): TrafficReading {
  const forward = actions.find(({ Type }) => Type === 'forward');
  if (forward === undefined) {
    return {
      kind: 'unknown',
      what: `the rule does not forward, it answers with ${actions.at(-1)?.Type ?? 'nothing'}`,
    };
  }
  const groups =
    forward.ForwardConfig?.TargetGroups ??
    (forward.TargetGroupArn === undefined ? [] : [{ TargetGroupArn: forward.TargetGroupArn, Weight: 1 }]);
  const { blue, green } = target.targetGroups;
  let total = 0;
  let toGreen = 0;
  for (const { TargetGroupArn, Weight = 1 } of groups) {
    if (TargetGroupArn === green) toGreen += Weight;
    else if (TargetGroupArn !== blue && Weight > 0) {
      return { kind: 'unknown', what: `the rule sends traffic to ${TargetGroupArn}, which is neither slot` };
    }
    total += Weight;
  }
  if (total === 0) return { kind: 'unknown', what: 'every weight of the rule is 0' };
  return { kind: 'weights', greenWeight: Math.round((toGreen / total) * 1000) / 10 };
}

/** The same actions (an authentication before the forward stays) with the two slots' weights. */
function withWeights(target: WeightedRule, actions: readonly Action[], greenWeight: number): Action[] {
  const whole = Number.isInteger(greenWeight);
  const green = whole ? greenWeight : Math.round(greenWeight * 10);
  const blue = (whole ? 100 : 1000) - green;
  const forward = actions.find(({ Type }) => Type === 'forward');
  const stickiness = forward?.ForwardConfig?.TargetGroupStickinessConfig;
  // A user who sticks to a slot must not stay on it when the slot is to get nothing.
  const sticky =
    stickiness !== undefined && green > 0 && blue > 0 ? { TargetGroupStickinessConfig: stickiness } : {};
  const shifted: Action = {
    Type: 'forward',
    ForwardConfig: {
      TargetGroups: [
        { TargetGroupArn: target.targetGroups.blue, Weight: blue },
        { TargetGroupArn: target.targetGroups.green, Weight: green },
      ],
      ...sticky,
    },
  };
  if (forward?.Order !== undefined) shifted.Order = forward.Order;
  return forward === undefined ? [shifted] : actions.map((action) => (action === forward ? shifted : action));
}
