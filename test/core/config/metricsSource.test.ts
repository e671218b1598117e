import { describe, expect, it } from 'vitest';
import { settingsOf } from '../../../lib/core/config/configuration.ts';

const arn = 'arn:aws:elasticloadbalancing:eu-west-1:123456789012';
const ecsAlb = {
  kind: 'ecs-alb',
  cluster: 'shop',
  services: { blue: 'shop-blue', green: 'shop-green' },
  targetGroups: { blue: `${arn}:targetgroup/shop-blue/1`, green: `${arn}:targetgroup/shop-green/2` },
  ruleArn: `${arn}:listener-rule/app/shop/3/4/5`,
};
const lambdaAlias = { kind: 'lambda-alias', functionName: 'orders', alias: 'live' };
const apiStage = { kind: 'api-stage', restApiId: 'a1b2c3', stage: 'prod' };
const emf = { kind: 'emf', namespace: 'Shop' };
const prometheus = {
  kind: 'prometheus',
  url: 'https://prometheus.example',
  requests: 'http_requests_total{slot="$slot"}',
  errors: 'http_requests_total{slot="$slot",code=~"5.."}',
};
const conversion = { name: 'conversion', counted: 'good', tolerance: 0.05, maturityMinutes: 30 };

const configured = (service: object) => settingsOf({ services: { shop: { target: ecsAlb, ...service } } });

function sourceIn(service: object) {
  const result = configured(service);
  if ('problems' in result) throw new Error(JSON.stringify(result.problems));
  return result.services[0]?.metrics;
}

/** `path: sentence` of each, below the service. */
function problemsWith(service: object): readonly string[] {
  const result = configured(service);
  if (!('problems' in result)) throw new Error('nothing was found wrong');
  return result.problems.map(({ path, sentence }) => `${path.slice(2).join('.')}: ${sentence}`);
}

describe('where a service’s figures are read', () => {
  it('are the target’s own metrics where nothing is said and they need no more words', () => {
    expect(sourceIn({})).toEqual({ kind: 'ecs-alb' });
    expect(sourceIn({ target: lambdaAlias })).toEqual({ kind: 'lambda-alias' });
    expect(sourceIn({ target: apiStage })).toBeNull();
  });

  it('is completed with the names that services publish by', () => {
    expect(sourceIn({ metrics: emf })).toMatchObject({
      slotDimension: 'Slot',
      requests: 'Requests',
      errors: 'Errors',
      latency: 'Latency',
      latencyUnit: 'milliseconds',
    });
    expect(sourceIn({ metrics: prometheus })).toMatchObject({ latencyUnit: 'seconds', business: {} });
  });

  it.each([
    [
      'AWS’s own namespace',
      { metrics: { ...emf, namespace: 'AWS/Lambda' } },
      'metrics.namespace: a namespace of your own',
    ],
    ['a misspelt key', { metrics: { ...emf, request: 'Calls' } }, 'metrics.request: unknown key "request"'],
    ['a kind there is none of', { metrics: { kind: 'statsd' } }, 'metrics.kind: Invalid'],
    [
      'another target’s metrics',
      { metrics: { kind: 'lambda-alias' } },
      'metrics.kind: lambda-alias are the metrics of such a target, and this one is ecs-alb',
    ],
    [
      'a stage that switches all at once',
      {
        target: { ...apiStage, variable: { name: 'phase', values: { blue: '1', green: '2' } } },
        metrics: { kind: 'api-stage', apiName: 'shop' },
      },
      'metrics.kind: a stage variable switches all at once',
    ],
    [
      'a selector for both sides',
      { metrics: { ...prometheus, requests: 'http_requests_total{}' } },
      'metrics.requests: needs $slot or $revision',
    ],
    [
      'a query in the place of a selector',
      { metrics: { ...prometheus, requests: 'sum(rate(a{slot="$slot"}[1m]))' } },
      'metrics.requests: a metric with its labels',
    ],
    [
      'a password in an address',
      { metrics: { ...prometheus, url: 'https://me:secret@prometheus.example' } },
      'metrics.url: no user or password belongs in the address',
    ],
    [
      'a token in the file',
      { metrics: { ...prometheus, bearerToken: 'abc' } },
      'metrics.bearerToken: unknown key',
    ],
    [
      'a token over plain HTTP',
      { metrics: { ...prometheus, url: 'http://prometheus.example', bearerTokenParameter: '/token' } },
      'metrics.url: must begin with https://',
    ],
    [
      'a signature and a token',
      { metrics: { ...prometheus, region: 'eu-west-1', bearerTokenParameter: '/token' } },
      'metrics.url: is asked with a signature (region) or with a bearer token, not with both',
    ],
    [
      'a period CloudWatch does not have',
      { analysis: { periodSeconds: 15 } },
      'analysis.periodSeconds: CloudWatch has no periods of 15 s',
    ],
    [
      'an incomplete check',
      { analysis: { business: [{ name: 'sales' }] } },
      'analysis.business.0: needs counted, tolerance, maturityMinutes.',
    ],
    [
      'a check without figures',
      { analysis: { business: [conversion] } },
      'metrics.business: needs an entry for the check conversion',
    ],
    [
      'figures without a check',
      { metrics: { ...prometheus, business: { sales: { count: 'a{s="$slot"}', total: 'b{s="$slot"}' } } } },
      'metrics.business: sales is no check of analysis.business',
    ],
  ])('%s is refused in one sentence with its place', (_, service, says) => {
    expect(problemsWith(service)).toEqual([expect.stringContaining(says)]);
  });

  it('may have any period where Prometheus is asked, and figures of checks beside the balancer’s', () => {
    expect(sourceIn({ metrics: prometheus, analysis: { periodSeconds: 15 } })).toMatchObject({
      kind: 'prometheus',
    });
    const checks = { conversion: { count: 'Orders', total: 'Sessions' } };
    const service = {
      metrics: { kind: 'ecs-alb', business: { namespace: 'Shop', checks } },
      analysis: { business: [conversion] },
    };
    expect(sourceIn(service)).toMatchObject({
      business: { namespace: 'Shop', slotDimension: 'Slot', checks },
    });
  });
});
