import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApiStageTarget } from '../../../events/target.ts';
import { awsMetrics } from '../../../lib/aws/targets.ts';
import { cloudWatchWire, startMs } from './cloudWatchWire.ts';

const target: ApiStageTarget = { kind: 'api-stage', restApiId: 'a1b2c3', stage: 'prod' };

let wire: Awaited<ReturnType<typeof cloudWatchWire>>;
beforeAll(async () => {
  wire = await cloudWatchWire();
  const put = (Stage: string, name: string, values: readonly number[], counts = values.map(() => 1)) => {
    const dimensions = { ApiName: 'shop', Stage };
    wire.publish({ namespace: 'AWS/ApiGateway', name, dimensions, atMs: startMs, values, counts });
  };
  // As API Gateway publishes: an error count is a 0 or a 1 of every request.
  put('prod', 'Count', [1], [100]);
  put('prod', '5XXError', [0, 1], [96, 4]);
  put('prod', '4XXError', [0, 1], [93, 7]);
  put('prod', 'Latency', [30, 700], [91, 9]);
  put('prod/Canary', 'Count', [1], [10]);
  put('prod/Canary', '5XXError', [0, 1], [7, 3]);
  put('prod/Canary', '4XXError', [0, 1], [5, 5]);
  put('prod/Canary', 'Latency', [30, 700], [2, 8]);
});
afterAll(() => wire.close());

const read = (more: { clientErrors?: boolean; canaryStage?: string } = {}) =>
  awsMetrics(wire.client).minutes({
    target,
    source: { kind: 'api-stage', apiName: 'shop', clientErrors: false, ...more },
    canarySlot: 'green',
    periodSeconds: 60,
    fromMs: startMs,
    toMs: startMs + 60_000,
    thresholdsMs: [500],
  });

describe('a minute of a stage with canary settings', () => {
  it('takes what the canary answered off the stage, which counts both', async () => {
    expect(await read()).toMatchObject([
      {
        weight: 10,
        canary: { requests: 10, errors: 3, slow: [8], p95Ms: 700 },
        stable: { requests: 90, errors: 1, slow: [1] },
      },
    ]);
  });

  it('counts 4XX answers as errors where that is asked for', async () => {
    expect(await read({ clientErrors: true })).toMatchObject([
      { canary: { errors: 8 }, stable: { errors: 3 } },
    ]);
  });

  it('is the stage’s alone where the canary has no metrics under the name that was given', async () => {
    expect(await read({ canaryStage: 'elsewhere' })).toMatchObject([
      { weight: 0, canary: null, stable: { requests: 100, errors: 4 } },
    ]);
  });

  it('cannot be read without the API’s name, and the outage says where it belongs', async () => {
    const query = { target, canarySlot: 'green', periodSeconds: 60, fromMs: 0, toMs: 60_000 } as const;
    await expect(awsMetrics(wire.client).minutes({ ...query, thresholdsMs: [] })).rejects.toThrow(
      'no metrics are configured of a target of kind api-stage: see metrics in switchback.yml',
    );
  });
});
