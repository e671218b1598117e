import { describe, expect, it } from 'vitest';
import { judge, type MissingData } from '../../../lib/local/cloudwatch/alarmEvaluation.ts';

/** A row of the user guide: `0` within the threshold, `X` beyond it, `-` missing; oldest first. */
function outcomes(points: string, evaluationPeriods: number, datapointsToAlarm: number) {
  const slots = points
    .split(' ')
    .map((sign, i) => ({ atMs: i * 60_000, value: sign === '-' ? null : sign === 'X' ? 9 : 1 }));
  const state = (missingData: MissingData) =>
    judge(slots, {
      operator: 'GreaterThanThreshold',
      threshold: 5,
      evaluationPeriods,
      datapointsToAlarm,
      missingData,
    }).state;
  return [state('missing'), state('ignore'), state('breaching'), state('notBreaching')];
}

describe("the user guide's tables: 3 evaluation periods, a range of 5 points", () => {
  it.each([
    ['0 - X - X', ['OK', 'OK', 'OK', 'OK']],
    ['0 - - - -', ['OK', 'OK', 'OK', 'OK']],
    ['- - - - -', ['INSUFFICIENT_DATA', 'keep', 'ALARM', 'OK']],
    ['0 X X - X', ['ALARM', 'ALARM', 'ALARM', 'ALARM']],
    ['- - X - -', ['ALARM', 'keep', 'ALARM', 'OK']],
  ])('3 of 3 on %s', (points, expected) => {
    expect(outcomes(points, 3, 3)).toEqual(expected);
  });

  it.each([
    ['0 - X - X', ['ALARM', 'ALARM', 'ALARM', 'ALARM']],
    ['0 0 X 0 X', ['ALARM', 'ALARM', 'ALARM', 'ALARM']],
    ['0 - X - -', ['OK', 'OK', 'ALARM', 'OK']],
    ['- - - - 0', ['OK', 'OK', 'ALARM', 'OK']],
    ['- - - X -', ['ALARM', 'keep', 'ALARM', 'OK']],
  ])('2 of 3 on %s', (points, expected) => {
    expect(outcomes(points, 3, 2)).toEqual(expected);
  });
});

describe('premature alarms', () => {
  it.each(['- - - - X', '- - - X -'])('one young breaching point does not alarm 3 of 3: %s', (points) => {
    expect(outcomes(points, 3, 3)[0]).toBe('keep');
  });

  it('a good point among the missing ones is OK', () => {
    expect(outcomes('- - - X 0', 3, 3)[0]).toBe('OK');
  });
});
