/**
 * The cloud's own addresses, outside AWS: `GET /_local/health`, and `GET`, `PUT`, `DELETE /_local/faults`
 * with the fault rules as JSON.
 */
import type { FaultRule, Faults } from './faults.ts';
import type { Answer, WireRequest } from './protocols/wire.ts';
import type { LocalService } from './service.ts';

const kinds = ['throttle', 'error', 'reset', 'slow', 'half', 'applied', 'late', 'kill'];

/** The answer to a request for `/_local/…`; null for every other request. */
export function answerControl(
  request: WireRequest,
  faults: Faults,
  services: readonly LocalService[],
): Answer | null {
  if (!request.path.startsWith('/_local/')) return null;
  if (request.path === '/_local/health') {
    return json(200, {
      status: 'ok',
      services: [...new Set(services.map((service) => service.scope))].sort(),
    });
  }
  if (request.path !== '/_local/faults')
    return json(404, { message: `${request.path} is not an address here` });
  if (request.method === 'DELETE') faults.clear();
  if (request.method === 'PUT') {
    const rules = readRules(request.body.toString());
    if (typeof rules === 'string') return json(400, { message: rules });
    faults.set(rules);
  }
  return json(200, { rules: faults.rules, strikes: faults.strikes.length });
}

/** The rules in a body, or the sentence that says what is wrong with it. */
function readRules(body: string): readonly FaultRule[] | string {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return 'the body must be JSON: a list of fault rules';
  }
  if (!Array.isArray(parsed)) return 'the body must be a list of fault rules';
  const wrong = parsed.findIndex((rule) => !kinds.includes(rule?.fault?.kind));
  if (wrong >= 0) return `rule ${wrong} needs a fault whose kind is one of ${kinds.join(', ')}`;
  return parsed as FaultRule[];
}

const json = (status: number, value: unknown): Answer => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(value),
});
