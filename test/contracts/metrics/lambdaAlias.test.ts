import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LambdaAliasTarget } from '../../../events/target.ts';
import { awsMetrics } from '../../../lib/aws/targets.ts';
import { cloudWatchWire, startMs } from './cloudWatchWire.ts';

const target: LambdaAliasTarget = { kind: 'lambda-alias', functionName: 'orders', alias: 'live' };
const whole = { FunctionName: 'orders', Resource: 'orders:live' };

let wire: Awaited<ReturnType<typeof cloudWatchWire>>;
beforeAll(async () => {
  wire = await cloudWatchWire();
  const put = (version: string | null, name: string, values: readonly number[], counts?: readonly number[]) =>
    wire.publish({
      namespace: 'AWS/Lambda',
      name,
      dimensions: version === null ? whole : { ...whole, ExecutedVersion: version },
      atMs: startMs,
      values,
      ...(counts === undefined ? {} : { counts }),
    });
  put('7', 'Invocations', [1], [95]);
  put('7', 'Duration', [20, 400], [90, 5]);
  put('8', 'Invocations', [1], [5]);
  put('8', 'Errors', [1], [2]);
  put('8', 'Duration', [20, 900], [2, 3]);
  put(null, 'Invocations', [1], [100]);
  put(null, 'Duration', [20, 400, 900], [92, 5, 3]);
  put('9', 'Throttles', [1], [3]);
});
afterAll(() => wire.close());

const over = { target, fromMs: startMs, toMs: startMs + 60_000 };
const minutes = (revisions?: { blue: string; green: string }) =>
  awsMetrics(wire.client).minutes({
    ...over,
    canarySlot: 'green',
    periodSeconds: 60,
    thresholdsMs: [300],
    ...(revisions === undefined ? {} : { revisions }),
  });

describe('a minute of a Lambda alias', () => {
  it('has each version’s invocations, errors and durations, whether named by number or by ARN', async () => {
    const arn = 'arn:aws:lambda:eu-west-1:123456789012:function:orders:8';
    for (const green of ['8', arn]) {
      const [minute] = await minutes({ blue: '7', green });
      expect(minute).toMatchObject({
        weight: 5,
        canary: { requests: 5, errors: 2, slow: [3], p95Ms: 900 },
        stable: { requests: 95, errors: 0, slow: [5] },
      });
    }
  });

  it('is the alias as a whole before there is a canary', async () => {
    const [minute] = await minutes();
    expect(minute).toMatchObject({ canary: null, stable: { requests: 100, slow: [8] } });
    expect(
      await awsMetrics(wire.client).percentiles({ ...over, slot: 'blue', percentiles: [50, 99] }),
    ).toEqual([20, 900]);
  });

  it('counts throttled calls, which Lambda counts nowhere else, as failed requests', async () => {
    const [minute] = await minutes({ blue: '7', green: '9' });
    expect(minute?.canary).toMatchObject({ requests: 3, errors: 3 });
  });

  it('of a version that never ran is unknown', async () => {
    const [minute] = await minutes({ blue: '7', green: '10' });
    expect(minute?.canary).toBeNull();
  });
});
