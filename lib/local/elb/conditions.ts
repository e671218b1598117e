/** When a listener rule applies: its conditions, checked once on creation and matched on every request. */
import type { IncomingMessage } from 'node:http';
import { BlockList } from 'node:net';
import type { RuleCondition } from '@aws-sdk/client-elastic-load-balancing-v2';
import { ServiceError } from '../service.ts';

/** What of a request conditions can see. Header names are in lower case. */
export type RequestFacts = {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly sourceIp: string;
};

/** What conditions can see of `request`. */
export function factsOf(request: IncomingMessage): RequestFacts {
  const [path = '/', search = ''] = (request.url ?? '/').split('?', 2);
  return {
    method: request.method ?? 'GET',
    host: (request.headers.host ?? '').replace(/:\d+$/, ''),
    path,
    query: new URLSearchParams(search),
    headers: request.headers,
    sourceIp: (request.socket.remoteAddress ?? '').replace(/^::ffff:/, ''),
  };
}

/** True when the rule's every condition holds; a rule without conditions is the default rule. */
export const applies = (conditions: readonly RuleCondition[], request: RequestFacts): boolean =>
  conditions.every((condition) => holds(condition, request));

/** @throws ServiceError for a field or form this balancer cannot match */
export function normalizeConditions(given: readonly RuleCondition[] | undefined): RuleCondition[] {
  return (given ?? []).map((condition) => {
    const { Field: field = '' } = condition;
    if (
      condition.RegexValues ||
      condition.HttpHeaderConfig?.RegexValues ||
      condition.PathPatternConfig?.RegexValues
    )
      throw refuse('Regular expressions in conditions are not emulated here');
    const values = valuesOf(condition);
    if (values === null) throw refuse(`Condition field '${field}' must be one of ${fields.join(', ')}`);
    if (values.length === 0) throw refuse(`A condition on '${field}' must have at least one value`);
    if (field === 'http-header' && !condition.HttpHeaderConfig?.HttpHeaderName)
      throw refuse("A condition on 'http-header' must have a header name");
    const plain = field === 'path-pattern' || field === 'host-header';
    return {
      ...condition,
      ...(plain && { Values: [...values] as string[] }),
      ...configOf(field, condition, values),
    };
  });
}

const fields = [
  'path-pattern',
  'host-header',
  'http-header',
  'query-string',
  'http-request-method',
  'source-ip',
];

function valuesOf(condition: RuleCondition): readonly unknown[] | null {
  switch (condition.Field) {
    case 'path-pattern':
      return condition.PathPatternConfig?.Values ?? condition.Values ?? [];
    case 'host-header':
      return condition.HostHeaderConfig?.Values ?? condition.Values ?? [];
    case 'http-header':
      return condition.HttpHeaderConfig?.Values ?? [];
    case 'query-string':
      return condition.QueryStringConfig?.Values ?? [];
    case 'http-request-method':
      return condition.HttpRequestMethodConfig?.Values ?? [];
    case 'source-ip':
      return condition.SourceIpConfig?.Values ?? [];
    default:
      return null;
  }
}

/** AWS answers path and host conditions both as Values and as their Config. */
function configOf(
  field: string,
  condition: RuleCondition,
  values: readonly unknown[],
): Partial<RuleCondition> {
  if (field === 'path-pattern') return { PathPatternConfig: { Values: [...values] as string[] } };
  if (field === 'host-header') return { HostHeaderConfig: { Values: [...values] as string[] } };
  return condition;
}

function holds(condition: RuleCondition, request: RequestFacts): boolean {
  switch (condition.Field) {
    case 'path-pattern': // case-sensitive, the query not part of it (ELBv2 reference, `RuleCondition`)
      return (condition.PathPatternConfig?.Values ?? []).some((pattern) => like(request.path, pattern));
    case 'host-header':
      return (condition.HostHeaderConfig?.Values ?? []).some((pattern) => like(request.host, pattern, 'i'));
    case 'http-header': {
      const header = request.headers[(condition.HttpHeaderConfig?.HttpHeaderName ?? '').toLowerCase()];
      const all = header === undefined ? [] : [header].flat();
      return (condition.HttpHeaderConfig?.Values ?? []).some((pattern) =>
        all.some((one) => like(one, pattern, 'i')),
      );
    }
    case 'query-string':
      return (condition.QueryStringConfig?.Values ?? []).some(({ Key, Value }) =>
        [...request.query].some(
          ([key, value]) => (Key === undefined || like(key, Key, 'i')) && like(value, Value ?? '', 'i'),
        ),
      );
    case 'http-request-method':
      return (condition.HttpRequestMethodConfig?.Values ?? []).includes(request.method);
    default:
      return (condition.SourceIpConfig?.Values ?? []).some((range) => within(request.sourceIp, range));
  }
}

/** `*` stands for any characters, `?` for one. */
function like(text: string, pattern: string, flags = ''): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, flags).test(text);
}

function within(address: string, range: string): boolean {
  const [network = '', bits] = range.split('/');
  const family = (ip: string) => (ip.includes(':') ? 'ipv6' : 'ipv4');
  if (family(address) !== family(network)) return false;
  const list = new BlockList();
  list.addSubnet(network, Number(bits ?? (family(network) === 'ipv6' ? 128 : 32)), family(network));
  return list.check(address, family(address));
}

const refuse = (message: string): ServiceError =>
  new ServiceError('InvalidConfigurationRequestException', message);
