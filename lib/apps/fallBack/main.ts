/**
 * `npm run fall-back`: runs the fire exit by its name, the same way as `aws lambda invoke` and `sls invoke`
 * do, and prints what it did. Where Lambda does not answer either, it prints what to type by hand instead.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import type { Refusal } from '../../core/decision.ts';
import { byHand } from '../../core/fallback/byHand.ts';
import type { FellBack } from '../../flows/fallBack.ts';
import { compileConfiguration } from '../configure/compile.ts';
import { type FallBackArguments, fallBackArguments } from './arguments.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '../../..');

/**
 * The function goes on asserting for as long as a late write may land, and waits for DNS: up to its own
 * timeout.
 */
const answerMsMax = 900_000;

async function main(argv: readonly string[]): Promise<number> {
  const options = fallBackArguments(argv);
  let answer: FellBack | Refusal;
  try {
    answer = await invoke(options);
  } catch (error) {
    console.error(`The function could not be run: ${(error as Error).message}\n\nBy hand:\n`);
    console.error((await commands(options)).join('\n'));
    return 1;
  }
  if (answer.outcome === 'refused') {
    console.error(answer.sentence);
    return 1;
  }
  for (const { atMs, service, ok, what } of answer.steps) {
    console.log(`${(atMs / 1000).toFixed(2).padStart(7)} s  ${ok ? 'ok  ' : 'FAIL'}  ${service}: ${what}`);
  }
  const where = answer.recorded === 'intent-queue' ? 'the intent queue' : 'this answer and the log only';
  console.log(
    answer.outcome === 'dry-run' ? '\nNothing was touched.' : `\n${answer.outcome}; recorded in ${where}.`,
  );
  return answer.outcome === 'incomplete' ? 1 : 0;
}

/** @throws Error when Lambda does not answer, or the function itself fails */
async function invoke(options: FallBackArguments): Promise<FellBack | Refusal> {
  const { service, why, by, dryRun, slot, stage, endpoint } = options;
  const local = { accessKeyId: 'local', secretAccessKey: 'local' };
  const client = new LambdaClient({
    ...(endpoint === null ? {} : { endpoint, region: process.env.AWS_REGION ?? 'eu-west-1' }),
    ...(endpoint === null || process.env.AWS_ACCESS_KEY_ID !== undefined ? {} : { credentials: local }),
    maxAttempts: 2,
    requestHandler: { connectionTimeout: 3000, requestTimeout: answerMsMax },
  });
  const request = {
    ...{ why, by, dryRun },
    ...(service === null ? {} : { service }),
    ...(slot === null ? {} : { slot }),
  };
  const FunctionName = stage === null ? 'switchback-fall-back' : `switchback-${stage}-fall-back`;
  const { FunctionError, Payload } = await client.send(
    new InvokeCommand({ FunctionName, Payload: JSON.stringify(request) }),
  );
  const text = Buffer.from(Payload ?? []).toString();
  if (FunctionError !== undefined) throw new Error(`${FunctionName}: ${text}`);
  return JSON.parse(text);
}

/** From the configuration file: nothing in the account is asked. */
async function commands({ config, stage, ...request }: FallBackArguments): Promise<readonly string[]> {
  const usual = ['switchback.yml', '.switchback/demo.yml', 'examples/shop/switchback.yml'];
  const path = config ?? usual.map((name) => join(root, name)).find((each) => existsSync(each));
  if (path === undefined) return ['# name the configuration with --config to see the commands'];
  const { services } = await compileConfiguration(path, stage ?? 'dev');
  return byHand(services, request);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 2;
}
