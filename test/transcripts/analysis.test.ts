/** `npm run backtest` and `npm run power` as a person meets them, against a golden text. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { defaultAnalysisPolicy } from '../../lib/core/analysis/policy.ts';
import { knownBaseline, minutesOf } from '../core/analysis/rollout.ts';

const apps = fileURLToPath(new URL('../../lib/apps/analysis', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'switchback-analysis-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));

const bad = [...minutesOf(10), ...minutesOf(20, { weight: 15, canary: 9, from: 10 })];
const arn = 'arn:aws:elasticloadbalancing:eu-west-1:000000000000';
const target = {
  kind: 'ecs-alb',
  cluster: 'shop',
  services: { blue: 'shop-blue', green: 'shop-green' },
  targetGroups: { blue: `${arn}:targetgroup/shop-blue/1`, green: `${arn}:targetgroup/shop-green/2` },
  ruleArn: `${arn}:listener-rule/app/shop/3/4/5`,
};
const conversions = { name: 'conversions', counted: 'good', tolerance: 0.05, maturityMinutes: 5 };
const business = { namespace: 'Shop', checks: { conversions: { count: 'Orders', total: 'Sessions' } } };
const files = {
  'release-7.json': {
    minutes: bad,
    baseline: knownBaseline,
    policy: { errors: defaultAnalysisPolicy.errors },
  },
  'minutes.json': minutesOf(5),
  'policy.yml': { errors: { margin: 1.5 }, alpha: 0.001 },
  'words.json': 'no minutes',
  // YAML reads JSON.
  'switchback.yml': {
    services: {
      shop: { target, metrics: { kind: 'ecs-alb', business }, analysis: { business: [conversions] } },
      warehouse: {
        target: { ...target, ruleArn: `${arn}:listener-rule/app/shop/3/4/6` },
        strategy: { kind: 'rolling' },
      },
    },
  },
};

const commands = [
  'backtest --minutes release-7.json',
  'backtest --minutes release-7.json --set errors.margin=12',
  'backtest --minutes release-7.json --policy policy.yml --set alpha=0.02',
  'backtest --minutes minutes.json',
  'backtest --minutes words.json',
  'backtest --minutes missing.json',
  'backtest --minutes release-7.json --set errors.margni=2 --set alpha=often',
  'backtest --minutes release-7.json --set alpha=2',
  'backtest --minutes release-7.json --set alpha',
  'backtest --minutes release-7.json --policy missing.yml',
  'backtest --rollout release-7',
  'backtest --help',
  'power --service shop --config switchback.yml --requests-per-second 100 --error-rate 0.0005 ' +
    '--sessions-per-second 10 --session-rate 0.03',
  'power --service shop --config switchback.yml --requests-per-second 5',
  'power --service shop --config switchback.yml --requests-per-second many',
  'power --service shop --config switchback.yml --requests-per-second 5 --sessions-per-second 10',
  'power --service shop --config switchback.yml --error-rate 0.01',
  'power --service warehouse --config switchback.yml --requests-per-second 5',
  'power --service cart --config switchback.yml --requests-per-second 5',
  'power --service shop',
  'power --help',
];

it('the answers are those of the golden transcript', async () => {
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(work, name), JSON.stringify(content));
  const scenes = await Promise.all(commands.map(scene));
  await expect(scenes.join('\n')).toMatchFileSnapshot('analysis.txt');
});

function scene(command: string): Promise<string> {
  const [app = '', ...argv] = command.split(' ');
  return new Promise((resolve) => {
    execFile(process.execPath, [join(apps, `${app}.ts`), ...argv], { cwd: work }, (error, stdout, stderr) => {
      const exit = error === null ? '' : `(exit ${error.code})\n`;
      resolve(`$ npm run ${app} -- ${argv.join(' ')}\n${stdout}${stderr}${exit}`);
    });
  });
}
