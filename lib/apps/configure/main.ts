/**
 * `npm run config -- --stage prod --service orchestrator`: what the next rollout would be made of, value by
 * value with its place. Exit 1, and one sentence per value, when a rollout would be refused.
 */
import { existsSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { GetFunctionConfigurationCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { SSMClient } from '@aws-sdk/client-ssm';
import { configurationPath } from '../../../scripts/build/sources.mjs';
import { awsLayers, environmentValues } from '../../aws/layers.ts';
import { layered } from '../../core/config/layers.ts';
import type { ServiceSettings } from '../../core/config/settings.ts';
import { readStage } from '../deploy/stage.ts';
import { compileConfiguration } from './compile.ts';
import { type Origin, originsOf } from './origins.ts';
import { readYaml } from './yamlFile.ts';

const usage =
  'npm run config -- [--stage dev] [--service NAME] [--file switchback.yml] [--changed] [--json] ' +
  '[--offline] [--region R] [--endpoint URL]';

type Asked = ReturnType<typeof asked>;

function asked(argv: readonly string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const options = {
    stage: { ...text, default: 'dev' },
    service: text,
    file: text,
    region: text,
    endpoint: text,
  };
  try {
    return parseArgs({ args: [...argv], options: { ...options, changed: flag, json: flag, offline: flag } })
      .values;
  } catch (error) {
    throw new Error(`${(error as Error).message}. Usage: ${usage}`);
  }
}

async function main(argv: readonly string[]): Promise<boolean> {
  const options = asked(argv);
  const path = configurationPath(process.cwd(), options.file);
  if (path === null || !existsSync(path)) {
    throw new Error(`there is no ${options.file ?? 'switchback.yml'}: name an existing file with --file`);
  }
  const file = { name: basename(path), ...readYaml(readFileSync(path, 'utf8'), basename(path)) };
  const { services } = await compileConfiguration(path, options.stage);
  const wanted = services.filter(({ service }) => service === (options.service ?? service));
  if (wanted.length === 0) {
    const known = services.map(({ service }) => service).join(', ');
    throw new Error(`${file.name}: there is no service "${options.service}": known are ${known}`);
  }
  const valuesOf = await above(options);
  let usable = true;
  for (const settings of wanted) {
    const result = layered(settings, await valuesOf(settings));
    if ('refused' in result) {
      usable = false;
      console.error(result.refused.map((sentence) => `${settings.service}: ${sentence}`).join('\n'));
      continue;
    }
    const origins = originsOf(result.settings, result.laid, file).filter(
      ({ place }) => !options.changed || place !== 'default',
    );
    if (options.json)
      console.log(JSON.stringify({ service: settings.service, stage: options.stage, origins }));
    else console.log(tableOf(`${settings.service}, stage ${options.stage}`, origins));
  }
  return usable;
}

/** What stands above the file: of the deployed stage, or offline of this shell's environment. */
async function above({ offline, stage, region, endpoint }: Asked) {
  if (offline) {
    return async ({ service }: ServiceSettings) => environmentValues(process.env, service);
  }
  const reach = {
    region: region ?? readStage(process.cwd(), stage).region,
    ...(endpoint === undefined ? {} : { endpoint }),
  };
  const FunctionName = `switchback-${stage}-start-rollout`;
  const deployed = await new LambdaClient(reach)
    .send(new GetFunctionConfigurationCommand({ FunctionName }))
    .catch((error: Error) => {
      if (error.name === 'ResourceNotFoundException') return null;
      throw new Error(
        `${error.message}: set AWS_PROFILE, or ask with --offline for the file and this shell alone`,
      );
    });
  if (deployed === null)
    console.log(`stage ${stage} is not deployed: this shell's environment stands for its own\n`);
  const environment = deployed === null ? process.env : (deployed.Environment?.Variables ?? {});
  const layers = awsLayers(new SSMClient(reach), stage, environment);
  return ({ service }: ServiceSettings) => layers.values(service);
}

/** Columns; `--json` has every value whole. */
const valueColumns = 44;

function tableOf(title: string, origins: readonly Origin[]): string {
  const width = Math.max(...origins.map(({ key }) => key.length), 0);
  const shown = (value: unknown) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    return text.length <= valueColumns ? text : `${text.slice(0, valueColumns - 1)}…`;
  };
  const rows = origins.map(
    ({ key, value, place }) => `  ${key.padEnd(width)}  ${shown(value).padEnd(valueColumns)}  ${place}`,
  );
  return [title, ...rows, ''].join('\n');
}

try {
  process.exitCode = (await main(process.argv.slice(2))) ? 0 : 1;
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
