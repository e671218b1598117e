/** The health check settings a target group accepts. */
import type {
  CreateTargetGroupCommandInput,
  ModifyTargetGroupCommandInput,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { ServiceError } from '../service.ts';
import type { HealthCheckSettings } from './elbState.ts';

/** Defaults for HTTP and targets other than functions: ELBv2 reference, `CreateTargetGroup`. */
const initial: HealthCheckSettings = {
  enabled: true,
  path: '/',
  port: 'traffic-port',
  intervalSeconds: 30,
  timeoutSeconds: 5,
  healthyThreshold: 5,
  unhealthyThreshold: 2,
  matcher: '200',
};

/** What AWS takes; below the lower bound of seconds, 1 is taken here too and noted. */
const ranges = {
  intervalSeconds: [5, 300],
  timeoutSeconds: [2, 120],
  healthyThreshold: [2, 10],
  unhealthyThreshold: [2, 10],
} as const;

type Given = CreateTargetGroupCommandInput | ModifyTargetGroupCommandInput;

/** `before` changed by what `given` says. @throws ServiceError */
export function checkSettings(
  given: Given,
  before: HealthCheckSettings | null,
  note: (text: string) => void,
): HealthCheckSettings {
  const base = before ?? initial;
  if ((given.HealthCheckProtocol ?? 'HTTP') !== 'HTTP')
    throw new ServiceError('UnsupportedProtocolException', 'Health checks speak HTTP only here');
  const settings: HealthCheckSettings = {
    enabled: given.HealthCheckEnabled ?? base.enabled,
    path: given.HealthCheckPath ?? base.path,
    port: given.HealthCheckPort ?? base.port,
    intervalSeconds: given.HealthCheckIntervalSeconds ?? base.intervalSeconds,
    timeoutSeconds: given.HealthCheckTimeoutSeconds ?? base.timeoutSeconds,
    healthyThreshold: given.HealthyThresholdCount ?? base.healthyThreshold,
    unhealthyThreshold: given.UnhealthyThresholdCount ?? base.unhealthyThreshold,
    matcher: given.Matcher?.HttpCode ?? base.matcher,
  };
  for (const [name, [least, most]] of Object.entries(ranges)) {
    const value = settings[name as keyof typeof ranges];
    if (!Number.isInteger(value) || value < 1 || value > most)
      throw new ServiceError(
        'ValidationError',
        `Health check ${name} '${value}' must be between ${least} and ${most}`,
      );
    if (value < least)
      note(`a health check with ${name} ${value} is accepted here only; AWS asks for at least ${least}`);
  }
  if (settings.timeoutSeconds > settings.intervalSeconds)
    throw new ServiceError(
      'ValidationError',
      `Health check timeout '${settings.timeoutSeconds}' must be smaller than the interval ` +
        `'${settings.intervalSeconds}'`,
    );
  if (!settings.path.startsWith('/'))
    throw new ServiceError('ValidationError', `Health check path '${settings.path}' must begin with a '/'`);
  if (!/^(\d{3}(-\d{3})?)(,\d{3}(-\d{3})?)*$/.test(settings.matcher))
    throw new ServiceError(
      'ValidationError',
      `Health check matcher HTTP code '${settings.matcher}' must be codes like 200, 200,202 or 200-299`,
    );
  if (settings.port !== 'traffic-port' && !/^\d{1,5}$/.test(settings.port))
    throw new ServiceError(
      'ValidationError',
      `Health check port '${settings.port}' must be 'traffic-port' or a number`,
    );
  return settings;
}
