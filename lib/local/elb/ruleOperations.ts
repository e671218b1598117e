/** The rules of a listener. */
import type {
  CreateRuleCommandInput,
  DescribeRulesCommandInput,
  ModifyRuleCommandInput,
  SetRulePrioritiesCommandInput,
  Rule as WireRule,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { type Operation, ServiceError } from '../service.ts';
import { normalizeActions } from './actions.ts';
import { normalizeConditions } from './conditions.ts';
import { type ElbDesk, newId, pageFor, refuseMembers, tagMap } from './elbDesk.ts';
import { groupsIn, type Listener, type Rule } from './elbState.ts';
import { checkSharing } from './listenerOperations.ts';

/**
 * ELB user guide, "Quotas": 100 rules besides the default one; ELBv2 reference: priorities from 1 to 50000.
 */
const RULES_MAX = 100;
const PRIORITY_MAX = 50_000;

export function ruleOperations(desk: ElbDesk): Readonly<Record<string, Operation>> {
  const { state } = desk;
  return {
    CreateRule: (input: CreateRuleCommandInput) => ({ Rules: [wire(create(desk, input))] }),
    ModifyRule: (input: ModifyRuleCommandInput) => {
      const { listener, rule } = state.rule(input.RuleArn);
      refuseDefault(rule, 'modified');
      refuseMembers(input, ['Transforms']);
      const conditions = input.Conditions && checkConditions(input.Conditions);
      const actions = input.Actions && normalizeActions(input.Actions, (arn) => desk.targets.exists(arn));
      if (actions) checkSharing(desk, listener.loadBalancer.arn, groupsIn(actions));
      rule.conditions = conditions ?? rule.conditions;
      rule.actions = actions ?? rule.actions;
      desk.targets.refreshUse();
      return { Rules: [wire(rule)] };
    },
    DeleteRule: ({ RuleArn }: { RuleArn?: string }) => {
      const { listener, rule } = state.rule(RuleArn);
      refuseDefault(rule, 'deleted');
      listener.rules = listener.rules.filter((each) => each !== rule);
      desk.targets.refreshUse();
      return {};
    },
    DescribeRules: (input: DescribeRulesCommandInput) => {
      const rules = input.ListenerArn
        ? state.listener(input.ListenerArn).rules
        : (input.RuleArns ?? []).map((arn) => state.rule(arn).rule);
      const page = pageFor(rules, input);
      return { Rules: page.items.map(wire), NextMarker: page.next };
    },
    SetRulePriorities: (input: SetRulePrioritiesCommandInput) => {
      const wanted = (input.RulePriorities ?? []).map(({ RuleArn, Priority }) => ({
        ...state.rule(RuleArn),
        priority: checkPriority(Priority),
      }));
      for (const { listener, rule, priority } of wanted) {
        refuseDefault(rule, 'moved');
        const staying = listener.rules.filter((each) => !wanted.some((moved) => moved.rule === each));
        const twice = wanted.some(
          (other) => other.rule !== rule && other.listener === listener && other.priority === priority,
        );
        if (twice || staying.some((each) => each.priority === priority)) throw inUse(priority);
      }
      for (const { rule, priority } of wanted) rule.priority = priority;
      for (const { listener } of wanted) listener.rules.sort(byPriority);
      return { Rules: wanted.map(({ rule }) => wire(rule)) };
    },
  };
}

function create(desk: ElbDesk, input: CreateRuleCommandInput): Rule {
  const listener: Listener = desk.state.listener(input.ListenerArn);
  refuseMembers(input, ['Transforms']);
  const priority = checkPriority(input.Priority);
  if (listener.rules.some((rule) => rule.priority === priority)) throw inUse(priority);
  if (listener.rules.length > RULES_MAX)
    throw new ServiceError('TooManyRulesException', `A listener has at most ${RULES_MAX} rules`);
  const conditions = checkConditions(input.Conditions);
  const actions = normalizeActions(input.Actions, (arn) => desk.targets.exists(arn));
  checkSharing(desk, listener.loadBalancer.arn, groupsIn(actions));
  const rule: Rule = {
    arn: `${listener.arn.replace(':listener/', ':listener-rule/')}/${newId(desk)}`,
    priority,
    conditions,
    actions,
    tags: tagMap(input.Tags),
  };
  listener.rules = [...listener.rules, rule].sort(byPriority);
  desk.targets.refreshUse();
  return rule;
}

function checkConditions(given: CreateRuleCommandInput['Conditions']) {
  const conditions = normalizeConditions(given);
  if (conditions.length === 0) throw new ServiceError('ValidationError', 'A condition must be specified');
  return conditions;
}

function checkPriority(priority: number | undefined): number {
  if (priority === undefined || !Number.isInteger(priority) || priority < 1 || priority > PRIORITY_MAX)
    throw new ServiceError('ValidationError', `A priority from 1 to ${PRIORITY_MAX} must be specified`);
  return priority;
}

function refuseDefault(rule: Rule, verb: string): void {
  if (rule.priority === null)
    throw new ServiceError('OperationNotPermittedException', `Default rule '${rule.arn}' cannot be ${verb}`);
}

const inUse = (priority: number): ServiceError =>
  new ServiceError('PriorityInUseException', `Priority '${priority}' is currently in use`);

const byPriority = (a: Rule, b: Rule): number => (a.priority ?? Infinity) - (b.priority ?? Infinity);

const wire = (rule: Rule): WireRule => ({
  RuleArn: rule.arn,
  Priority: rule.priority === null ? 'default' : `${rule.priority}`,
  Conditions: [...rule.conditions],
  Actions: [...rule.actions],
  IsDefault: rule.priority === null,
});
