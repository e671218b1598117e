import { afterEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../lib/asl/clock.ts';
import { freePort } from '../../../lib/local/freePort.ts';
import { type ElbTestDesk, elbDesk, get } from './elbDesk.ts';

let desk: ElbTestDesk | undefined;
afterEach(() => desk?.close());

const withoutId = (name: string) => name.replace(/\/[0-9a-f]{16}$/, '');

/** A group with one healthy target that answers the status its path names, and a dead neighbour group. */
async function withTraffic(options: { metricPeriodSeconds?: number; metricDelaySeconds?: number } = {}) {
  const clock = new VirtualClock(Date.UTC(2026, 0, 1, 12, 0, 20));
  const made = elbDesk({ clock, probe: async () => ({ status: 200 }), ...options });
  desk = made;
  const port = await made.target((request, response) => {
    response.writeHead(Number(request.url?.slice(1)) || 200).end();
  });
  const group = await made.group('web', [port]);
  const dead = await made.group('dead', [await freePort()]);
  const lb = await made.balancer();
  const listener = await made.listener(lb, { [group]: 1 });
  await made.call('CreateRule', {
    ListenerArn: listener.arn,
    Priority: 1,
    Conditions: [{ Field: 'path-pattern', Values: ['/dead'] }],
    Actions: [{ Type: 'forward', TargetGroupArn: dead }],
  });
  await clock.advance(0);
  /** What was published: `Name{dimensions}` → the values. */
  const published = () =>
    Object.fromEntries(
      made.metrics.map((point) => [
        `${point.name}{${point.dimensions.map(({ Value }) => withoutId(Value)).join(' ')}}`,
        point.values,
      ]),
    );
  return { clock, made, published, port: listener.port };
}

describe("the balancer's metrics", () => {
  it("have ALB's names and dimensions and count what really passed", async () => {
    const { clock, published, port, made } = await withTraffic();
    for (const path of ['/200', '/201', '/302', '/404', '/500', '/503', '/dead']) await get(port, { path });
    await clock.advance(40_000);
    const at = published();
    expect(at).toMatchObject({
      'RequestCount{app/shop}': [7],
      'RequestCount{app/shop targetgroup/web}': [6],
      'RequestCount{app/shop targetgroup/dead}': [1],
      'HTTPCode_Target_2XX_Count{app/shop targetgroup/web}': [2],
      'HTTPCode_Target_3XX_Count{app/shop targetgroup/web}': [1],
      'HTTPCode_Target_4XX_Count{app/shop targetgroup/web}': [1],
      'HTTPCode_Target_5XX_Count{app/shop targetgroup/web}': [2],
      'HTTPCode_Target_5XX_Count{app/shop}': [2],
      'HTTPCode_ELB_5XX_Count{app/shop}': [1],
      'HTTPCode_ELB_502_Count{app/shop}': [1],
      'TargetConnectionErrorCount{app/shop targetgroup/dead}': [1],
      'RequestCountPerTarget{targetgroup/web}': [6],
      'HealthyHostCount{app/shop targetgroup/web}': [1],
      'UnHealthyHostCount{app/shop targetgroup/web}': [0],
    });
    expect(Object.keys(at).filter((name) => /HTTPCode_ELB.*targetgroup/.test(name))).toEqual([]);
    const minute = Date.UTC(2026, 0, 1, 12, 0, 0);
    expect(
      made.metrics.every(({ atMs, namespace }) => atMs === minute && namespace === 'AWS/ApplicationELB'),
    ).toBe(true);
  });

  it('give response times in seconds, one value per request', async () => {
    const { clock, made, port } = await withTraffic();
    for (let i = 0; i < 5; i++) await get(port);
    await clock.advance(40_000);
    const [point] = made.metrics.filter(({ name }) => name === 'TargetResponseTime');
    expect(point).toMatchObject({ unit: 'Seconds', resolutionSeconds: 60 });
    expect(point?.counts?.reduce((sum, count) => sum + count, 0)).toBe(5);
    expect(point?.values.every((seconds) => seconds > 0 && seconds < 1)).toBe(true);
  });

  it('are missing for a period without requests, but the hosts are counted', async () => {
    const { clock, made } = await withTraffic();
    await clock.advance(120_000);
    expect(new Set(made.metrics.map(({ name }) => name))).toEqual(
      new Set(['HealthyHostCount', 'UnHealthyHostCount']),
    );
  });

  it('appear after their delay, stamped with their own period', async () => {
    const { clock, made, port } = await withTraffic({ metricDelaySeconds: 90 });
    await get(port);
    await clock.advance(40_000 + 89_999);
    expect(made.metrics).toEqual([]);
    await clock.advance(1);
    expect(made.metrics.find(({ name }) => name === 'RequestCount')?.atMs).toBe(
      Date.UTC(2026, 0, 1, 12, 0, 0),
    );
  });

  it('can come every second, in high resolution, which is said to be local', async () => {
    const { clock, made, port } = await withTraffic({ metricPeriodSeconds: 1 });
    await get(port);
    await clock.advance(1_000);
    await get(port);
    await clock.advance(1_000);
    const requests = made.metrics.filter(
      ({ name, dimensions }) => name === 'RequestCount' && dimensions.length === 1,
    );
    expect(requests.map(({ atMs, resolutionSeconds }) => [atMs, resolutionSeconds])).toEqual([
      [Date.UTC(2026, 0, 1, 12, 0, 20), 1],
      [Date.UTC(2026, 0, 1, 12, 0, 21), 1],
    ]);
    expect(made.service.notes[0]).toBe('balancers publish metrics every 1 s here; AWS does so every 60 s');
  });
});
