import { describe, expect, it } from 'vitest';
import type { AlbTarget, ApiStageTarget, DnsTarget } from '../../../events/target.ts';
import { byHand } from '../../../lib/core/fallback/byHand.ts';
import {
  drainSeconds,
  type FallBackService,
  placeOf,
  reassertSeconds,
  whoFallsBack,
} from '../../../lib/core/fallback/place.ts';

const rule: AlbTarget = {
  kind: 'alb',
  targetGroups: { blue: 'arn:aws:elb:b', green: 'arn:aws:elb:g' },
  ruleArn: 'arn:aws:elb:listener-rule/1',
};
const stage: ApiStageTarget = {
  kind: 'api-stage',
  restApiId: 'books1',
  stage: 'live',
  variable: { name: 'environment', values: { blue: 'phase1', green: 'phase2' } },
};
const name: DnsTarget = {
  kind: 'dns',
  hostedZoneId: 'Z1',
  name: 'www.shop.example',
  recordType: 'CNAME',
  setIdentifiers: { blue: 'local', green: 'aws' },
  ttlSeconds: 60,
};
const nothing = { target: null, slot: null, healthUrl: null, scaleDown: true };
const service = (of: Partial<FallBackService>): FallBackService => ({
  ...{ service: 'shop', target: rule, dependsOn: [], shiftTimeoutSeconds: 60, fallback: nothing },
  ...of,
});
const request = { service: null, why: 'dark', by: 'ada', dryRun: false, slot: null };

describe('who falls back', () => {
  const services = [
    service({ service: 'orchestrator' }),
    service({ service: 'agent', dependsOn: ['orchestrator'] }),
    service({ service: 'discovery', dependsOn: ['orchestrator', 'agent'] }),
  ];

  it('is everybody, dependents first, when nobody is named', () => {
    const who = whoFallsBack(services, request);
    expect('outcome' in who ? who : who.map((each) => each.service)).toEqual([
      'discovery',
      'agent',
      'orchestrator',
    ]);
  });

  it('is just the one that is named', () => {
    expect(whoFallsBack(services, { ...request, service: 'agent' })).toEqual([services[1]]);
  });

  it('is nobody when the name is unknown, and the sentence lists the names', () => {
    expect(whoFallsBack(services, { ...request, service: 'cart' })).toMatchObject({
      reason: 'unknown-service',
      sentence: 'service "cart" is not configured: this function knows orchestrator, agent, discovery.',
    });
  });
});

describe('the place', () => {
  it('is the slot a person says, before the configured one, before the mark', () => {
    const configured = service({ fallback: { ...nothing, slot: 'blue' } });
    expect(placeOf(configured, { ...request, slot: 'green' }, 'blue')).toEqual({
      target: rule,
      slot: 'green',
    });
    expect(placeOf(configured, request, 'green')).toEqual({ target: rule, slot: 'blue' });
    expect(placeOf(service({}), request, 'green')).toEqual({ target: rule, slot: 'green' });
  });

  it('is the configured target where there is one', () => {
    const elsewhere = service({ fallback: { ...nothing, target: stage, slot: 'blue' } });
    expect(placeOf(elsewhere, request, null)).toEqual({ target: stage, slot: 'blue' });
  });

  it('is not guessed', () => {
    expect(placeOf(service({}), request, null)).toMatchObject({ outcome: 'refused', reason: 'no-place' });
  });
});

it('is asserted again for the longest shift timeout, and left by users after the time to live', () => {
  expect(reassertSeconds([service({}), service({ shiftTimeoutSeconds: 90 })])).toBe(90);
  expect([rule, stage, name].map(drainSeconds)).toEqual([0, 0, 60]);
});

describe('by hand', () => {
  it('is one command per service, with everything in it', () => {
    const services = [
      service({ service: 'api', target: stage, fallback: { ...nothing, slot: 'blue' } }),
      service({ service: 'site', target: name, fallback: { ...nothing, slot: 'blue' }, dependsOn: ['api'] }),
    ];
    expect(byHand(services, request)).toEqual([
      '# site',
      '# Route 53, zone Z1, www.shop.example (CNAME): record "local" to weight 100, "aws" to 0; users follow within 60 s',
      '# api',
      'aws apigateway update-stage --rest-api-id books1 --stage-name live --patch-operations op=replace,path=/variables/environment,value=phase1',
    ]);
  });

  it('names both slots where only the person can know', () => {
    const [comment, blue, green] = byHand([service({})], request);
    expect(comment).toContain('switchback:stable-slot');
    expect(blue).toContain('"TargetGroupArn":"arn:aws:elb:b","Weight":100');
    expect(green).toContain('"TargetGroupArn":"arn:aws:elb:g","Weight":100');
  });
});
