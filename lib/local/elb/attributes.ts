/** Attributes of balancers and target groups: the ones that are obeyed here, their defaults and ranges. */
import { ServiceError } from '../service.ts';

type Rule = { readonly initial: string; readonly allowed: RegExp | readonly [number, number] };

const onOff = /^(true|false)$/;

/**
 * What is obeyed. Defaults and ranges: ELBv2 reference, `LoadBalancerAttribute` and `TargetGroupAttribute`.
 */
export const balancerRules: Readonly<Record<string, Rule>> = {
  'idle_timeout.timeout_seconds': { initial: '60', allowed: [1, 4000] },
  'deletion_protection.enabled': { initial: 'false', allowed: onOff },
  'access_logs.s3.enabled': { initial: 'false', allowed: /^false$/ },
  'routing.http2.enabled': { initial: 'true', allowed: onOff },
};

export const groupRules: Readonly<Record<string, Rule>> = {
  'deregistration_delay.timeout_seconds': { initial: '300', allowed: [0, 3600] },
  'stickiness.enabled': { initial: 'false', allowed: onOff },
  'stickiness.type': { initial: 'lb_cookie', allowed: /^(lb_cookie|app_cookie)$/ },
  'stickiness.lb_cookie.duration_seconds': { initial: '86400', allowed: [1, 604_800] },
  'stickiness.app_cookie.cookie_name': { initial: '', allowed: /^(?!AWSALB)[\w-]*$/ },
  'stickiness.app_cookie.duration_seconds': { initial: '86400', allowed: [1, 604_800] },
  'load_balancing.algorithm.type': {
    initial: 'round_robin',
    allowed: /^(round_robin|least_outstanding_requests)$/,
  },
  'slow_start.duration_seconds': { initial: '0', allowed: /^0$/ },
};

type Pair = { readonly Key?: string | undefined; readonly Value?: string | undefined };

export const initialAttributes = (rules: Readonly<Record<string, Rule>>): Map<string, string> =>
  new Map(Object.entries(rules).map(([key, { initial }]) => [key, initial]));

/** Sets all of `given`, or none. @throws ServiceError for an attribute or value that is not obeyed here */
export function setAttributes(
  attributes: Map<string, string>,
  rules: Readonly<Record<string, Rule>>,
  given: readonly Pair[] | undefined,
): void {
  for (const { Key: key = '', Value: value = '' } of given ?? []) {
    const rule = rules[key];
    if (!rule) throw refuse(`Load balancer attribute key '${key}' is not recognized here`);
    if (!allows(rule, value)) throw refuse(`The value '${value}' of attribute '${key}' is not possible here`);
  }
  for (const { Key: key = '', Value: value = '' } of given ?? []) attributes.set(key, value);
}

export const listAttributes = (attributes: ReadonlyMap<string, string>) =>
  [...attributes].map(([Key, Value]) => ({ Key, Value }));

function allows({ allowed }: Rule, value: string): boolean {
  if (allowed instanceof RegExp) return allowed.test(value);
  return /^\d+$/.test(value) && Number(value) >= allowed[0] && Number(value) <= allowed[1];
}

const refuse = (message: string): ServiceError =>
  new ServiceError('InvalidConfigurationRequestException', message);
