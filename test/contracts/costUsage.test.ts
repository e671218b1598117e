/** How the cost bench counts: what is billed by size, by metric, by transition and by time. */
import { describe, expect, it } from 'vitest';
import { dollarsOf, total } from '../../bench/cost/prices.ts';
import { usageOfCall, usageOfHistory, usageOfLog } from '../../bench/cost/usage.ts';
import type { RequestEntry } from '../../lib/local/endpoint.ts';

const call = (service: string, operation: string, body: object, responseBytes = 100): RequestEntry => ({
  ...{ service, operation, responseBytes, body: Buffer.from(JSON.stringify(body)) },
  ...{ at: 0, durationMs: 1, status: 200, errorCode: null, requestBytes: 0, userAgent: '' },
  ...{ caller: 'fn-x', traceId: null, fault: null },
});

const stat = (name: string) => ({ Id: name, MetricStat: { Metric: { MetricName: name } } });

describe('what a call uses', () => {
  it('of the table is a unit for each KB that is begun; binary counts as bytes, not as their text', () => {
    const written = (bytes: number) =>
      usageOfCall(
        call('dynamodb', 'PutItem', { Item: { b: { B: Buffer.alloc(bytes).toString('base64') } } }),
      );
    expect(written(1023)).toEqual({ writeUnits: 1 });
    expect(written(1024)).toEqual({ writeUnits: 2 });
  });

  it('of a read is a unit for each 4 KB, half where it may be a little old', () => {
    expect(usageOfCall(call('dynamodb', 'GetItem', {}, 4097))).toEqual({ readUnits: 2 });
    expect(usageOfCall(call('dynamodb', 'Query', {}, 10))).toEqual({ readUnits: 0.5 });
    expect(usageOfCall(call('dynamodb', 'Query', { ConsistentRead: true }, 10))).toEqual({ readUnits: 1 });
  });

  it('of CloudWatch is each metric that is read, not what is computed from them', () => {
    const queries = [stat('a'), stat('b'), { Id: 'c', Expression: 'a + b' }];
    const asked = call('monitoring', 'GetMetricData', { MetricDataQueries: queries });
    expect(usageOfCall(asked)).toEqual({ metrics: 2 });
  });

  it('of a balancer has no price', () => {
    expect(usageOfCall(call('elasticloadbalancing', 'ModifyRule', {}))).toEqual({ free: 1 });
  });
});

describe('what runs uses', () => {
  it('of Lambda is the billed time by its memory, and its lines', () => {
    const report =
      'REPORT RequestId: r\tDuration: 99.1 ms\tBilled Duration: 100 ms\tMemory Size: 512 MB\tMax Memory Used: 90 MB';
    const usage = usageOfLog([
      { functionName: 'f', line: 'START RequestId: r' },
      { functionName: 'f', line: report },
    ]);
    expect(usage).toMatchObject({ invocations: 1, gigabyteSeconds: 0.05 });
    expect((usage.logGigabytes ?? 0) * 1024 ** 3).toBeCloseTo(18 + report.length + 2 * 26, 6);
  });

  it('of a machine is each state that is entered, and each time a task is tried again', () => {
    const types = ['PassStateEntered', 'TaskStateEntered', 'TaskScheduled', 'TaskFailed', 'TaskScheduled'];
    expect(usageOfHistory(types.map((type) => ({ type }))).transitions).toBe(3);
  });

  it('adds up, as often as it happens, to dollars', () => {
    const usage = total([180, { transitions: 4, metrics: 10 }], [1, { transitions: 280 }]);
    expect(usage).toEqual({ transitions: 1000, metrics: 1800 });
    expect(dollarsOf(usage)).toBeCloseTo(0.025 + 0.018, 10);
  });
});
