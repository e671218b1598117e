/**
 * `node lib/local/main.ts --port 4566`: the local cloud by itself, until it is interrupted. Then any AWS
 * client works against it: `aws --endpoint-url http://127.0.0.1:4566 sqs list-queues`.
 */
import { parseArgs } from 'node:util';
import { startLocalCloud } from './cloud.ts';
import { PortInUse } from './endpoint.ts';

const usage =
  'usage: node lib/local/main.ts [--port 4566] [--region eu-west-1] [--seed 1] [--metric-period 60]';

/** Exit code 1 and one sentence for what the caller can mend. */
function refuse(sentence: string): never {
  console.error(sentence);
  process.exit(1);
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        port: { type: 'string', default: '4566' },
        region: { type: 'string', default: 'eu-west-1' },
        seed: { type: 'string', default: '1' },
        'metric-period': { type: 'string', default: '60' },
      },
    });
    return values;
  } catch (error) {
    return refuse(`${(error as Error).message}; ${usage}`);
  }
}

function wholeNumber(name: string, text: string, min: number, max: number): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= min && number <= max) return number;
  return refuse(`--${name} must be a whole number from ${min} to ${max}, not ${text}; ${usage}`);
}

const options = readOptions();
const cloud = await startLocalCloud({
  port: wholeNumber('port', options.port, 0, 65_535),
  region: options.region,
  seed: wholeNumber('seed', options.seed, 0, 2 ** 31),
  metricPeriodSeconds: wholeNumber('metric-period', options['metric-period'], 1, 60),
  onFunctionLog: ({ functionName, line }) => console.log(`${functionName}: ${line}`),
}).catch((error: unknown) => {
  if (error instanceof PortInUse) return refuse(error.message);
  throw error;
});
console.log(
  `the local cloud answers at ${cloud.url} (region ${cloud.place.region}, account ${cloud.place.account})`,
);
console.log(`try: aws --endpoint-url ${cloud.url} --region ${cloud.place.region} sts get-caller-identity`);

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void cloud.close().then(() => process.exit(0)));
}
