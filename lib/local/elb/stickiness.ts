/**
 * The cookies that keep a client where it was: AWSALBTG for the target group, AWSALB or AWSALBAPP for the
 * target. AWS encrypts their content; here it is encoded, and no less opaque to a browser.
 */
import type { Action } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { Target, TargetGroup } from './elbState.ts';

/** Reads one cookie's content; null when the client sent none that we made. */
export function readCookie(header: string | undefined, name: string): string | null {
  const found = (header ?? '')
    .split(';')
    .map((part) => part.trim())
    .find((part) => part.startsWith(`${name}=`));
  if (!found) return null;
  return Buffer.from(found.slice(name.length + 1), 'base64url').toString() || null;
}

/**
 * The cookies to set on the answer of `target`; the application's own cookies decide where it asks for that.
 */
export function cookiesFor(
  action: Action,
  group: TargetGroup,
  target: Target,
  fromTarget: readonly string[],
): string[] {
  const cookies: string[] = [];
  const forGroup = action.ForwardConfig?.TargetGroupStickinessConfig;
  if (forGroup?.Enabled) cookies.push(cookie('AWSALBTG', group.arn, forGroup.DurationSeconds));
  if (group.attributes.get('stickiness.enabled') !== 'true') return cookies;
  const name = targetCookie(group);
  const address = `${target.id}:${target.port}`;
  if (name === 'AWSALB') {
    cookies.push(
      cookie(name, address, Number(group.attributes.get('stickiness.lb_cookie.duration_seconds'))),
    );
    return cookies;
  }
  const own = group.attributes.get('stickiness.app_cookie.cookie_name');
  const duration = Number(group.attributes.get('stickiness.app_cookie.duration_seconds'));
  if (fromTarget.some((line) => line.startsWith(`${own}=`))) cookies.push(cookie(name, address, duration));
  return cookies;
}

/** The target the client's cookie names, where the group is sticky. */
export function stickyTarget(group: TargetGroup, header: string | undefined): string | null {
  return group.attributes.get('stickiness.enabled') === 'true'
    ? readCookie(header, targetCookie(group))
    : null;
}

const targetCookie = (group: TargetGroup): string =>
  group.attributes.get('stickiness.type') === 'app_cookie' ? 'AWSALBAPP-0' : 'AWSALB';

const cookie = (name: string, content: string, seconds = 86_400): string =>
  `${name}=${Buffer.from(content).toString('base64url')}; Max-Age=${seconds}; Path=/`;
