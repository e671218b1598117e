/**
 * `npm run power`: before a rollout, what its plan can detect on the service's traffic and how long that
 * takes. The traffic is stated, or read as a start would read it; nothing is written.
 */
import { assumedBaseline, type Baseline } from '../../core/analysis/baseline.ts';
import type { AnalysisPolicy } from '../../core/analysis/policy.ts';
import { powerOf } from '../../core/analysis/power.ts';
import type { ServiceSettings } from '../../core/config/settings.ts';
import { stepsOf } from '../../core/rollout/plan.ts';
import { compileConfiguration } from '../configure/compile.ts';
import { powerArguments, powerUsage, type StatedTraffic } from './arguments.ts';
import { changePolicy } from './policyChange.ts';
import { powerReport } from './powerReport.ts';

async function main(argv: readonly string[]): Promise<void> {
  if (argv.includes('--help')) return console.log(powerUsage);
  const options = powerArguments(argv);
  const { services } = await compileConfiguration(options.config);
  const settings = services.find(({ service }) => service === options.service);
  if (settings === undefined) {
    const known = services.map(({ service }) => service).join(', ');
    throw new Error(`there is no service "${options.service}" in ${options.config}: known are ${known}`);
  }
  const steps = stepsOf(settings.strategy);
  const changed = changePolicy(settings.analysis, options).policy;
  const policy = { ...changed, stepCount: steps.length };
  const analysed = steps.filter(({ judge }) => judge === 'analysed');
  if (analysed.length === 0) {
    throw new Error(`${settings.strategy.kind} watches health alone: no step of it compares anything`);
  }
  const baseline =
    options.traffic === null
      ? await trafficOf({ ...settings, analysis: policy }, options.endpoint)
      : statedBaseline(policy, options.traffic);
  const power = powerOf({ policy, baseline, steps: analysed });
  console.log(powerReport({ service: settings.service, policy, baseline, power }).join('\n'));
}

function statedBaseline(policy: AnalysisPolicy, traffic: StatedTraffic): Baseline {
  const { requestsPerSecond, errorRate, sessions } = traffic;
  if (sessions !== null && policy.business.length === 0) {
    throw new Error(
      'the service has no business check: add one under analysis.business, or leave sessions out',
    );
  }
  const each = (value: number) => Object.fromEntries(policy.business.map(({ name }) => [name, value]));
  return {
    ...assumedBaseline(policy),
    requestsPerSecond,
    errorRate,
    ...(sessions === null
      ? {}
      : { businessPerSecond: each(sessions.perSecond), businessRates: each(sessions.rate) }),
  };
}

/** Figures that are stated need no SDK, and loading one takes a second. */
async function trafficOf(settings: ServiceSettings, endpoint: string | null): Promise<Baseline> {
  const { readTraffic } = await import('./readTraffic.ts');
  return readTraffic(settings, endpoint);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 2;
}
