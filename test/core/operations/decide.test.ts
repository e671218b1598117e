import { describe, expect, it } from 'vitest';
import { decideOperation } from '../../../lib/core/operations/decide.ts';
import { initialOperation, nextOf } from '../../../lib/core/operations/state.ts';
import {
  after,
  begin,
  confirm,
  done,
  fail,
  goingOn,
  now,
  operationId,
  request,
  said,
  step,
  takeBack,
} from './facts.ts';

const plan = [step('network', 'infrastructure'), step('service', 'application'), step('rows')];
const asked = request(plan);
const types = (events: readonly { readonly type: string }[]) => events.map(({ type }) => type);

describe('a plan', () => {
  it('is recorded step by step, and asking twice adds nothing', () => {
    expect(types(said(initialOperation, asked))).toEqual([
      ...['OperationPlanned', 'StepPlanned', 'StepPlanned', 'StepPlanned'],
    ]);
    expect(said(after(asked), asked)).toEqual([]);
  });

  it.each([
    ['nothing-to-do', []],
    ['stages-out-of-order', [step('rows'), step('network', 'infrastructure')]],
    ['named-twice', [step('rows'), step('rows')]],
    ['too-many', Array.from({ length: 17 }, (_, index) => step(`rows-${index}`))],
    ['too-long', [{ ...step('rows'), arguments: { rows: 'x'.repeat(400) } }]],
  ])('is refused with a sentence: %s', (reason, steps) => {
    expect(decideOperation(initialOperation, request(steps))).toMatchObject({
      ...{ outcome: 'refused', reason, sentence: expect.stringMatching(/^[^.]+\.$/) },
    });
  });

  it('of other arguments under the same name is refused until it is taken back', () => {
    const other = request([{ ...step('rows'), arguments: { table: 'other' } }]);
    const begun = after(request([step('rows')]), begin('apply', 'rows'));
    expect(decideOperation(begun, other)).toMatchObject({ outcome: 'refused', reason: 'plan-differs' });
    const back = goingOn(begun, takeBack, begin('invert', 'rows'), confirm('invert', 'rows', 2));
    expect(back.phase).toBe('taken-back');
    const anew = goingOn(back, other);
    expect(anew).toMatchObject({ phase: 'forward', intents: 2 });
    expect(anew.steps.map(({ arguments: given }) => given.table)).toEqual(['other']);
  });
});

describe('forward', () => {
  it('each step is applied and verified before the next one begins', () => {
    let state = after(asked);
    const walked: string[] = [];
    for (let next = nextOf(state), intent = 1; next !== null; next = nextOf(state), intent++) {
      walked.push(`${next.part} ${next.step.step}`);
      state = goingOn(state, begin(next.part, next.step.step), confirm(next.part, next.step.step, intent));
    }
    expect(walked).toEqual([
      ...['apply network', 'verify network', 'apply service', 'verify service', 'apply rows', 'verify rows'],
    ]);
    expect(state.phase).toBe('completed');
  });

  it('nothing is begun out of turn', () => {
    const begun = after(asked, begin('apply', 'network'), confirm('apply', 'network', 1));
    for (const command of [
      begin('apply', 'network'),
      begin('apply', 'service'),
      begin('invert', 'network'),
    ]) {
      expect(decideOperation(begun, command)).toMatchObject({ outcome: 'refused', reason: 'not-next' });
    }
  });

  it('an intent without its fact is begun again, and the older run can record nothing more of it', () => {
    const again = after(asked, begin('apply', 'network'), begin('apply', 'network'));
    expect(again.open).toEqual({ part: 'apply', step: 'network', intent: 2 });
    for (const late of [confirm('apply', 'network', 1), fail('apply', 'network', 1)]) {
      expect(decideOperation(again, late)).toMatchObject({ outcome: 'refused', reason: 'superseded' });
    }
    const applied = goingOn(again, confirm('apply', 'network', 2));
    expect(said(applied, confirm('apply', 'network', 2))).toEqual([]);
  });
});

describe('a failure', () => {
  const halfway = after(asked, ...done('network', 1), begin('apply', 'service'));

  it('takes back what was, or may have been, applied, the newest first', () => {
    const events = said(halfway, fail('apply', 'service', 3));
    expect(types(events)).toEqual(['StepFailed', 'OperationTakeBackInitiated']);
    expect(events[1]).toMatchObject({
      order: ['service', 'network'],
      reason: 'service: it broke',
      by: 'switchback',
    });
    const back = goingOn(
      ...[halfway, fail('apply', 'service', 3), begin('invert', 'service'), confirm('invert', 'service', 4)],
      ...[begin('invert', 'network'), confirm('invert', 'network', 5)],
    );
    expect(back).toMatchObject({ phase: 'taken-back', reason: 'service: it broke' });
  });

  it('waits for a person where the request says so; asked again, only what is not verified is done anew', () => {
    const state = after(request(plan, { onFailure: 'hold' }), ...done('network', 1));
    const applied = goingOn(state, begin('apply', 'service'), confirm('apply', 'service', 3));
    const held = goingOn(applied, begin('verify', 'service'), fail('verify', 'service', 4));
    expect(held).toMatchObject({ phase: 'held', reason: 'service failed: it broke' });
    expect(nextOf(goingOn(held, asked))).toMatchObject({ part: 'apply', step: { step: 'service' } });
    expect(nextOf(goingOn(held, request(plan, { again: 'verify' })))).toMatchObject({ part: 'verify' });
    expect(goingOn(held, takeBack).order).toEqual(['service', 'network']);
  });

  it('past a step that nothing takes back is held, with the reason', () => {
    const oneWay = [step('rows', 'data', true), step('checks', 'verification')];
    const begun = after(request(oneWay), ...done('rows', 1), begin('apply', 'checks'));
    const held = goingOn(begun, fail('apply', 'checks', 3));
    expect(held).toMatchObject({
      ...{ phase: 'held', reason: 'nothing takes rows back, and checks failed: it broke' },
    });
    expect(decideOperation(held, takeBack)).toMatchObject({ outcome: 'refused', reason: 'one-way' });
    expect(nextOf(goingOn(held, request(oneWay)))).toMatchObject({ part: 'apply', step: { step: 'checks' } });
  });

  it('of an inverse is held; taken back again, it goes on with that inverse', () => {
    const going = goingOn(halfway, fail('apply', 'service', 3), begin('invert', 'service'));
    const held = goingOn(going, fail('invert', 'service', 4));
    expect(held).toMatchObject({ phase: 'held', reason: 'service could not be taken back: it broke' });
    expect(decideOperation(held, asked)).toMatchObject({ outcome: 'refused', reason: 'held' });
    expect(nextOf(goingOn(held, takeBack))).toMatchObject({ part: 'invert', step: { step: 'service' } });
  });
});

describe('an operation that is completed, or nearly', () => {
  const completed = after(request([step('rows')]), ...done('rows', 1));

  it('asked for again is left alone, verified again, or done again, as asked', () => {
    expect(said(completed, request([step('rows')]))).toEqual([]);
    const again = (first: 'apply' | 'verify') =>
      goingOn(completed, request([step('rows')], { again: first }));
    expect(nextOf(again('verify'))).toMatchObject({ part: 'verify' });
    expect(nextOf(again('apply'))).toMatchObject({ part: 'apply' });
  });

  it('that was applied and never verified is done again where that is asked, or goes on', () => {
    const applied = after(request([step('rows')]), begin('apply', 'rows'), confirm('apply', 'rows', 1));
    expect(said(applied, request([step('rows')]))).toEqual([]);
    expect(said(applied, request([step('rows')], { again: 'verify' }))).toEqual([]);
    const looked = goingOn(applied, request([step('rows')], { again: 'verify', onFailure: 'hold' }));
    expect([nextOf(looked)?.part, looked.onFailure]).toEqual(['verify', 'hold']);
    expect(nextOf(goingOn(applied, request([step('rows')], { again: 'apply' })))?.part).toBe('apply');
  });

  it('can be taken back, once', () => {
    const back = goingOn(completed, takeBack, begin('invert', 'rows'), confirm('invert', 'rows', 3));
    expect(back.phase).toBe('taken-back');
    expect(said(back, takeBack)).toEqual([]);
  });
});

it('what was never begun is taken back at once, and what was never asked for is refused', () => {
  expect(types(said(after(asked), takeBack))).toEqual(['OperationTakeBackInitiated', 'OperationTakenBack']);
  expect(decideOperation(initialOperation, takeBack)).toMatchObject({ reason: 'no-operation' });
  const verify = request([step('rows')], { again: 'verify', now, operationId });
  expect(decideOperation(initialOperation, verify)).toMatchObject({ reason: 'not-applied' });
});
