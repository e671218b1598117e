/** A real Prometheus on a port of its own, with a past that was written before it began. */

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../../../lib/local/freePort.ts';
import { until } from '../local/elbDesk.ts';

/** A series' samples: `[milliseconds since the epoch, value]`. */
export type Past = {
  /** `http_requests_total{slot="blue"}` */
  readonly series: string;
  readonly samples: readonly (readonly [atMs: number, value: number])[];
};

/** @param past every series of one metric beside the others, as OpenMetrics wants them */
export async function prometheusServer(past: readonly Past[]) {
  const folder = mkdtempSync(join(tmpdir(), 'switchback-prometheus-'));
  const lines = past.flatMap(({ series, samples }) =>
    samples.map(([atMs, value]) => `${series} ${value} ${atMs / 1000}`),
  );
  writeFileSync(join(folder, 'past.txt'), `${lines.join('\n')}\n# EOF\n`);
  writeFileSync(join(folder, 'prometheus.yml'), 'global: {}\n');
  const data = join(folder, 'data');
  await promisify(execFile)('/usr/bin/promtool', [
    ...['tsdb', 'create-blocks-from', 'openmetrics', '--quiet'],
    ...[join(folder, 'past.txt'), data],
  ]);
  const port = await freePort();
  const server = spawn(
    '/usr/bin/prometheus',
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${data}`,
      '--storage.tsdb.retention.time=100y',
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=error',
    ],
    { stdio: 'ignore' },
  );
  const url = `http://127.0.0.1:${port}`;
  const ready = () =>
    fetch(`${url}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  await until(ready, 'Prometheus is ready');
  return {
    url,
    async close() {
      const gone = once(server, 'exit');
      server.kill('SIGKILL');
      await gone;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
