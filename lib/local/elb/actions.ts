/** Which actions a listener or rule accepts, and the form in which they are kept and answered. */
import type {
  Action,
  ForwardActionConfig,
  TargetGroupTuple,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { ServiceError } from '../service.ts';

/** Limits: ELBv2 reference, `TargetGroupTuple`, `TargetGroupStickinessConfig`, `ForwardActionConfig`. */
const WEIGHT_MAX = 999;
const GROUPS_MAX = 5;
const STICKY_SECONDS_MAX = 604_800;

/**
 * The actions as AWS answers them: a forward to one group names it both ways, weights are filled in.
 * @param exists whether a target group is there
 * @throws ServiceError
 */
export function normalizeActions(
  given: readonly Action[] | undefined,
  exists: (arn: string) => boolean,
): Action[] {
  if (given?.length !== 1)
    throw refuse(
      'InvalidLoadBalancerActionException',
      'Exactly one forward, redirect or fixed-response action is needed',
    );
  return given.map((action, i) => {
    const place = `actions.${i + 1}.member`;
    switch (action.Type) {
      case 'forward':
        return forward(action, place, exists);
      case 'fixed-response':
        if (!/^[245]\d\d$/.test(action.FixedResponseConfig?.StatusCode ?? ''))
          throw refuse(
            'InvalidLoadBalancerActionException',
            'A fixed response needs a status code 2XX, 4XX or 5XX',
          );
        return { Type: action.Type, Order: action.Order, FixedResponseConfig: action.FixedResponseConfig };
      case 'redirect':
        if (!/^HTTP_30[12]$/.test(action.RedirectConfig?.StatusCode ?? ''))
          throw refuse(
            'InvalidLoadBalancerActionException',
            'A redirect needs the status code HTTP_301 or HTTP_302',
          );
        return { Type: action.Type, Order: action.Order, RedirectConfig: redirect(action) };
      default:
        throw refuse(
          'InvalidLoadBalancerActionException',
          `The action type ${action.Type} is not emulated here`,
        );
    }
  });
}

function forward(action: Action, place: string, exists: (arn: string) => boolean): Action {
  const { TargetGroupArn: alone, ForwardConfig: config } = action;
  const given: TargetGroupTuple[] =
    config?.TargetGroups ?? (alone === undefined ? [] : [{ TargetGroupArn: alone }]);
  if (
    alone !== undefined &&
    config?.TargetGroups &&
    (given.length !== 1 || given[0]?.TargetGroupArn !== alone)
  )
    throw refuse(
      'InvalidLoadBalancerActionException',
      'TargetGroupArn and ForwardConfig must name the same target group',
    );
  if (given.length === 0 || given.length > GROUPS_MAX)
    throw refuse('InvalidLoadBalancerActionException', `A forward needs 1 to ${GROUPS_MAX} target groups`);
  const groups = given.map((tuple, i) => {
    const arn = tuple.TargetGroupArn ?? '';
    if (!exists(arn)) throw refuse('TargetGroupNotFoundException', `Target group '${arn}' not found`);
    return {
      TargetGroupArn: arn,
      Weight: weightOf(tuple, `${place}.forwardConfig.targetGroups.${i + 1}.member.weight`),
    };
  });
  if (new Set(groups.map((tuple) => tuple.TargetGroupArn)).size !== groups.length)
    throw refuse(
      'InvalidLoadBalancerActionException',
      'A target group can only be specified once in an action',
    );
  const forwardConfig = { TargetGroups: groups, TargetGroupStickinessConfig: stickiness(config) };
  const only = groups.length === 1 ? { TargetGroupArn: groups[0]?.TargetGroupArn } : {};
  return { Type: 'forward', ...only, Order: action.Order, ForwardConfig: forwardConfig };
}

function weightOf({ Weight: weight = 1 }: TargetGroupTuple, place: string): number {
  const bound = weight < 0 ? 'greater than or equal to 0' : `less than or equal to ${WEIGHT_MAX}`;
  if (!Number.isInteger(weight) || weight < 0 || weight > WEIGHT_MAX)
    throw refuse(
      'ValidationError',
      `1 validation error detected: Value '${weight}' at '${place}' failed to satisfy ` +
        `constraint: Member must have value ${bound}`,
    );
  return weight;
}

function stickiness(config: ForwardActionConfig | undefined) {
  const { Enabled: enabled = false, DurationSeconds: seconds } = config?.TargetGroupStickinessConfig ?? {};
  if (!enabled) return { Enabled: false };
  if (seconds === undefined || seconds < 1 || seconds > STICKY_SECONDS_MAX)
    throw refuse(
      'InvalidLoadBalancerActionException',
      `Stickiness needs DurationSeconds from 1 to ${STICKY_SECONDS_MAX}`,
    );
  return { Enabled: true, DurationSeconds: seconds };
}

const redirect = ({ RedirectConfig: given }: Action): Action['RedirectConfig'] => ({
  Protocol: '#{protocol}',
  Host: '#{host}',
  Port: '#{port}',
  Path: '/#{path}',
  Query: '#{query}',
  StatusCode: 'HTTP_302',
  ...given,
});

const refuse = (code: string, message: string): ServiceError => new ServiceError(code, message);
