import { describe, expect, it } from 'vitest';
import { Operation, parseOperationRequest, parseRolloutRequest } from '../../../events/request.ts';
import { type Json, sample, sentence } from './payloads.ts';

const asking = (name: string, detail: Json): Json =>
  JSON.parse(JSON.stringify({ ...sample(name), detail: { ...(sample(name).detail as Json), ...detail } }));

describe('a request for a rollout', () => {
  const request = (detail: Json = {}) => parseRolloutRequest(asking('RolloutRequest', detail));

  it('is read with who asks and why', () => {
    expect(request()).toEqual({
      ok: true,
      value: {
        eventId: '7bf73129-1428-4cd3-a780-95db273d1602',
        service: 'orchestrator',
        revision: 'arn:aws:ecs:eu-central-1:123456789012:task-definition/mistersmith-orchestrator:42',
        rolloutId: 'orchestrator-7bf731291428',
        requestedBy: 'ada',
        actor: 'ada, as ci.pipeline of 123456789012',
        why: 'release 2026.11.3',
      },
    });
  });

  it('delivered twice is one rollout; asked twice it is two', () => {
    const other = { ...sample('RolloutRequest'), id: '00000000-1428-4cd3-a780-95db273d1602' };
    expect(request()).toEqual(request());
    expect(parseRolloutRequest(other)).not.toMatchObject({
      value: { rolloutId: 'orchestrator-7bf731291428' },
    });
  });

  it('may bring its own id, strategy, and reason for a revision that is known bad', () => {
    const more = {
      rolloutId: 'release_2026-11',
      strategy: 'all-at-once',
      knownBadOverride: 'it was the database',
    };
    expect(request(more)).toMatchObject({ ok: true, value: more });
  });

  it('is read without the blanks around names, and not at all with nothing else', () => {
    expect(request({ service: ' orchestrator ' })).toMatchObject({ value: { service: 'orchestrator' } });
    expect(sentence(request({ service: '  ' }))).toBe(
      'rollout request: detail.service is "  ": the service must be named.',
    );
  });

  it('that does not say who asks is asked by its source', () => {
    expect(request({ requestedBy: undefined })).toMatchObject({
      value: { requestedBy: 'ci.pipeline', actor: 'ci.pipeline of 123456789012' },
    });
  });

  it('is recorded with what EventBridge says of its sender, whatever it says of itself', () => {
    const forged = { ...asking('RolloutRequest', { requestedBy: 'root' }), source: 's'.repeat(256) };
    const { account: _, ...unsaid } = forged as Record<string, unknown>;
    expect(parseRolloutRequest(forged)).toMatchObject({
      value: { requestedBy: 'root', actor: `root, as ${'s'.repeat(64)} of 123456789012` },
    });
    expect(parseRolloutRequest(unsaid)).toMatchObject({
      value: { actor: expect.stringMatching(/of no account$/) },
    });
  });

  it.each([
    ['nothing', {}, null, 'rollout request is null: it must be an object.'],
    [
      'no detail',
      {},
      { ...sample('RolloutRequest'), detail: undefined },
      'rollout request: detail is missing: it must be an object.',
    ],
    [
      'no id',
      {},
      { ...sample('RolloutRequest'), id: '' },
      'rollout request: id is "": it must not be empty.',
    ],
    [
      'an operation',
      {},
      sample('OperationRequest'),
      'rollout request: detail-type is "Switchback Operation Requested": it must be "Switchback ' +
        'Rollout Requested".',
    ],
    [
      'no service',
      { service: undefined },
      undefined,
      'rollout request: detail.service is missing: it must be a text.',
    ],
    [
      'an empty service',
      { service: '' },
      undefined,
      'rollout request: detail.service is "": the service must be named.',
    ],
    [
      'no revision',
      { revision: undefined },
      undefined,
      'rollout request: detail.revision is missing: it must be a text.',
    ],
    [
      'a revision that is a number',
      { revision: 42 },
      undefined,
      'rollout request: detail.revision is 42: it must be a text.',
    ],
    [
      'a key nobody knows',
      { revison: 'x' },
      undefined,
      'rollout request: detail has the unknown key "revison": remove it or correct its spelling.',
    ],
    [
      'an id with a slash',
      { rolloutId: 'a/b' },
      undefined,
      'rollout request: detail.rolloutId is "a/b": a rolloutId has 1–64 letters, digits, - or _.',
    ],
    [
      'a strategy nobody knows',
      { strategy: 'yolo' },
      undefined,
      'rollout request: detail.strategy is "yolo": it must be one of canary, linear, blue-green, ' +
        'rolling, all-at-once.',
    ],
    [
      'an empty override',
      { knownBadOverride: '' },
      undefined,
      'rollout request: detail.knownBadOverride is "": say why the revision may run again.',
    ],
    [
      'a novel',
      { why: 'x'.repeat(301) },
      undefined,
      `rollout request: detail.why is "${'x'.repeat(38)}…: it must be at most 300 characters long.`,
    ],
  ])('is refused with one sentence: %s', (_, detail, body, expected) => {
    expect(sentence(body === undefined ? request(detail) : parseRolloutRequest(body))).toBe(expected);
  });
});

describe('a request for an operation', () => {
  const request = (detail: Json = {}) => parseOperationRequest(asking('OperationRequest', detail));

  it('is read with who, why and until when', () => {
    expect(request()).toEqual({
      ok: true,
      value: {
        ...{
          eventId: '5f0f1e8e-2f6b-4d3c-9f57-0d8e6f3a7c11',
          service: 'orchestrator',
          operation: 'override',
        },
        ...{ by: 'ada', actor: 'ada, as switchback.request of 123456789012' },
        ...{ why: 'load test until eleven', untilMinutes: 60 },
        saidAt: Date.UTC(2026, 10, 21, 10),
      },
    });
  });

  it.each(Operation.def.entries ? Object.values(Operation.def.entries) : [])('may be %s', (operation) => {
    expect(request({ operation, why: undefined, untilMinutes: undefined })).toEqual({
      ok: true,
      value: {
        ...{ eventId: expect.any(String), service: 'orchestrator', operation, by: 'ada' },
        actor: 'ada, as switchback.request of 123456789012',
        saidAt: Date.UTC(2026, 10, 21, 10),
      },
    });
  });

  it.each([
    [
      'an operation nobody knows',
      { operation: 'stop' },
      'operation request: detail.operation is "stop": it must be one of pause, resume, approve, ' +
        'promote, promote-fully, abort, retry, override, lift-override.',
    ],
    ['nobody who asks', { by: undefined }, 'operation request: detail.by is missing: it must be a text.'],
    ['no time', { untilMinutes: 0 }, 'operation request: detail.untilMinutes is 0: it must be more than 0.'],
    [
      'a time in words',
      { untilMinutes: 'an hour' },
      'operation request: detail.untilMinutes is "an hour": it must be a number.',
    ],
    [
      'a key nobody knows',
      { force: true },
      'operation request: detail has the unknown key "force": remove it or correct its spelling.',
    ],
  ])('is refused with one sentence: %s', (_, detail, expected) => {
    expect(sentence(request(detail))).toBe(expected);
  });
});
