/**
 * Which target a request goes to: first rule that applies → target group by weight or by the client's cookie
 * → target by round robin or fewest outstanding requests. Weighted groups do not stand in for one another: a
 * group without targets answers 503, as on AWS.
 */
import type { Action } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { Random } from '../random.ts';
import { applies, type RequestFacts } from './conditions.ts';
import type { Listener, Rule, Target, TargetGroup } from './elbState.ts';

/** The rule of lowest priority that applies; the default rule applies always. */
export function chooseRule(listener: Listener, facts: RequestFacts): Rule {
  const rule = listener.rules.find(({ conditions }) => applies(conditions, facts));
  if (!rule) throw new Error(`the listener ${listener.arn} has no default rule`);
  return rule;
}

/**
 * The ARN of a group by weight; null when every weight is 0.
 * @param sticky the group that the client's cookie names; it wins over any weight, also over 0
 */
export function chooseGroup(action: Action, sticky: string | null, random: Random): string | null {
  const groups = action.ForwardConfig?.TargetGroups ?? [];
  if (sticky !== null && groups.some((tuple) => tuple.TargetGroupArn === sticky)) return sticky;
  const total = groups.reduce((sum, tuple) => sum + (tuple.Weight ?? 0), 0);
  let point = random() * total;
  for (const { TargetGroupArn: arn = '', Weight: weight = 0 } of groups) {
    if (point < weight) return arn;
    point -= weight;
  }
  return null;
}

/**
 * A target of the group; null when none is registered. Healthy ones only, unless all are unhealthy: then each
 * may be asked, which is how an ALB fails open.
 */
export function chooseTarget(group: TargetGroup, sticky: string | null): Target | null {
  const registered = [...group.targets.values()].filter(({ health }) => health.state !== 'draining');
  const healthy = registered.filter(
    ({ health }) => health.state === 'healthy' || health.state === 'unavailable',
  );
  const able = healthy.length > 0 ? healthy : registered;
  const known = able.find((target) => `${target.id}:${target.port}` === sticky);
  if (known) return known;
  group.turn = (group.turn + 1) % Math.max(1, able.length);
  const next = able[group.turn] ?? null;
  if (group.attributes.get('load_balancing.algorithm.type') !== 'least_outstanding_requests') return next;
  return able.reduce<Target | null>(
    (least, each) => (least && least.inFlight <= each.inFlight ? least : each),
    next,
  );
}
