/**
 * The layers above `switchback.yml`: parameters under `/switchback/<stage>/<service>/`, then environment
 * variables named `SWITCHBACK__<SERVICE>__<KEY>__…`.
 */
import { GetParametersByPathCommand, type Parameter, type SSMClient } from '@aws-sdk/client-ssm';
import type { LayeredValue } from '../core/config/layeredValue.ts';
import { inCapitals } from '../core/config/layers.ts';
import { BadInput } from '../core/outage.ts';
import type { Layers } from '../ports.ts';
import { answered } from './answered.ts';

/** Parameter Store answers ten at a time; a service has fewer keys than this many pages hold. */
const pagesMax = 20;

type Environment = Readonly<Record<string, string | undefined>>;

export const awsLayers = (ssm: SSMClient, stage: string, environment: Environment): Layers => ({
  values: async (service) => [
    ...(await storedValues(ssm, stage, service)),
    ...environmentValues(environment, service),
  ],
});

const environmentPrefix = 'SWITCHBACK__';

/** Variables that are meant for a service: what a deployment hands to the functions that start rollouts. */
export const layeredVariables = (environment: Environment): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) =>
      name.startsWith(environmentPrefix) && value !== undefined ? [[name, value]] : [],
    ),
  );

export function environmentValues(environment: Environment, service: string): readonly LayeredValue[] {
  const prefix = `${environmentPrefix}${inCapitals(service)}__`;
  return Object.entries(layeredVariables(environment))
    .filter(([name]) => name.startsWith(prefix))
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, text]) => ({
      layer: 'environment',
      place: `environment ${name}`,
      words: name.slice(prefix.length).split('__'),
      text,
    }));
}

async function storedValues(
  ssm: SSMClient,
  stage: string,
  service: string,
): Promise<readonly LayeredValue[]> {
  const Path = `/switchback/${stage}/${service}`;
  const values: LayeredValue[] = [];
  let NextToken: string | undefined;
  for (let page = 0; page < pagesMax; page++) {
    // Never decrypted: a secret has no business in a plan, and its ciphertext is thrown away unread.
    const input = { Path, Recursive: true, WithDecryption: false, NextToken };
    const answer = await answered(
      `GetParametersByPath ${Path}`,
      ssm.send(new GetParametersByPathCommand(input)),
    );
    values.push(...(answer.Parameters ?? []).map((parameter) => storedValue(parameter, Path)));
    NextToken = answer.NextToken;
    if (NextToken === undefined) return values;
  }
  throw new BadInput(
    `${Path} holds over ${pagesMax * 10} parameters: a service has fewer keys, remove the others`,
  );
}

function storedValue({ Name = '', Type, Value = '' }: Parameter, path: string): LayeredValue {
  const list = () =>
    JSON.stringify(Value.split(',').map((one) => (Number.isNaN(Number(one)) ? one : Number(one))));
  return {
    layer: 'parameter-store',
    place: `parameter ${Name}`,
    words: Name.slice(path.length + 1).split('/'),
    text: Type === 'SecureString' ? null : Type === 'StringList' ? list() : Value,
  };
}
