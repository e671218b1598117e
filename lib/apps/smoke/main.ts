/** `npm run smoke -- --stage dev`: asks a deployed stage whether it stands. Exit 1 when it does not. */
import { parseArgs } from 'node:util';
import { type Reach, smokeCheck } from './smokeCheck.ts';

async function main(): Promise<boolean> {
  const { values } = parseArgs({
    options: {
      stage: { type: 'string', default: 'dev' },
      region: { type: 'string', default: process.env.AWS_REGION ?? 'eu-west-1' },
      endpoint: { type: 'string' },
    },
  });
  const { stage, region, endpoint } = values;
  const reach: Reach = endpoint === undefined ? { region } : { region, endpoint };
  const findings = await smokeCheck(reach, stage);
  for (const { what, ok, said } of findings) console.log(`${ok ? 'ok    ' : 'FAILED'}  ${what}: ${said}`);
  return findings.every(({ ok }) => ok);
}

try {
  process.exitCode = (await main()) ? 0 : 1;
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
