/** The SDK in functions' bundles: shorter, and the same to whoever uses it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { regionalEndpoints } from '../../lib/aws/lambda/endpoints.ts';
import { lambdaSdkPlugin, regionalServices, replacements } from '../../scripts/build/lambdaSdk.mjs';
import { repositoryRoot } from '../tidy/plant.ts';

const packages = join(repositoryRoot, 'node_modules');
const files = ['@aws-sdk', '@smithy'].flatMap((scope) =>
  readdirSync(join(packages, scope), { recursive: true, encoding: 'utf8' })
    .map((path) => join(packages, scope, path))
    .filter((path) => /(?:dist-es\/.*\.js|package\.json)$/.test(path)),
);

describe('what stands in the place of the SDK’s files', () => {
  it.each(replacements.map((replacement) => [String(replacement.file), replacement] as const))(
    '%s',
    (_, replacement) => {
      const meant = files.filter((path) => replacement.file.test(path));
      expect(meant.length).toBeGreaterThan(0);
      const made = meant.map((path) => replacement.with(readFileSync(path, 'utf8'), path));
      expect(made.some((text) => text !== null)).toBe(true);
    },
  );
});

type Thrown = Error & { readonly $fault: string };
type Client = {
  readonly errors: Readonly<Record<string, new (given: object) => Thrown>>;
  readonly errorTypeRegistries: readonly Registry[];
};
type Registry = {
  readonly schemas: ReadonlyMap<string, readonly unknown[]>;
  getErrorCtor(schema: readonly unknown[]): (new (given: object) => Thrown) | undefined;
};

/** The client's errors as they are, or as a bundle holds them. */
async function load(client: string, plugins: Plugin[]): Promise<Client> {
  const folder = join(packages, '@aws-sdk', client, 'dist-es');
  const { outputFiles } = await build({
    stdin: {
      contents:
        "export { errorTypeRegistries } from './schemas/schemas_0.js';\n" +
        "export * as errors from './models/errors.js';\n",
      resolveDir: folder,
    },
    write: false,
    bundle: true,
    platform: 'node',
    format: 'esm',
    mainFields: ['module', 'main'],
    plugins,
  });
  const text = outputFiles[0]?.text ?? '';
  return import(/* @vite-ignore */ `data:text/javascript;base64,${Buffer.from(text).toString('base64')}`);
}

const given = {
  message: 'm',
  Message: 'M',
  Item: 1,
  CancellationReasons: [2],
  $metadata: { httpStatusCode: 400 },
};

const seen = (error: Thrown) => ({
  ...error,
  name: error.name,
  fault: error.$fault,
  message: error.message,
  base: Object.getPrototypeOf(Object.getPrototypeOf(error)).constructor.name,
  isError: error instanceof Error,
});

const clients = ['dynamodb', 'ecs', 'elastic-load-balancing-v2', 'sfn', 'sqs', 'api-gateway'].map(
  (name) => `client-${name}`,
);

describe.each(clients)('the errors of %s, written short', (client) => {
  it('are the classes that the SDK has', async () => {
    const [theirs, ours] = [await load(client, []), await load(client, [lambdaSdkPlugin])];
    const made = ({ errors }: Client) =>
      Object.entries(errors).map(([name, Made]) => [name, seen(new Made(given))]);
    expect(made(ours).length).toBeGreaterThan(5);
    expect(made(ours)).toEqual(made(theirs));
  });

  it('are found by the same ids, with the same traits and members', async () => {
    const [theirs, ours] = [await load(client, []), await load(client, [lambdaSdkPlugin])];
    const registered = ({ errorTypeRegistries }: Client) =>
      errorTypeRegistries
        .flatMap((registry) =>
          [...registry.schemas].map(([id, schema]) => {
            const Made = registry.getErrorCtor(schema);
            const [, namespace, name, traits, members] = schema;
            return {
              id,
              namespace,
              name,
              traits,
              members,
              made: Made === undefined ? null : seen(new Made(given)),
            };
          }),
        )
        .sort((a, b) => a.id.localeCompare(b.id));
    expect(registered(ours).length).toBeGreaterThan(5);
    expect(registered(ours)).toEqual(registered(theirs));
  });
});

type Endpoints = (given: object) => { readonly url: URL; readonly properties?: object };

/** Every region the SDK knows; its lists also hold `aws-global` and the like, which no service here has. */
const partitionsText = readFileSync(
  join(packages, '@aws-sdk/core/dist-es/submodules/client/util-endpoints/lib/aws/partitions.js'),
  'utf8',
);
const regions = [...partitionsText.matchAll(/^ {16}"([\w-]+)": \{$/gm)]
  .map(([, region = '']) => region)
  .filter((region) => !region.endsWith('-global'));

describe('endpoints without the rule engine', () => {
  it.each(Object.entries(regionalServices))('of %s are the SDK’s in every region', async (client, prefix) => {
    const made = Object.entries(await import(`@aws-sdk/client-${client}`)).find(([name]) =>
      /^[A-Z]\w*Client$/.test(name),
    )?.[1] as new (
      settings: object,
    ) => { readonly config: { readonly endpointProvider: Endpoints } };
    const { endpointProvider } = new made({ region: 'eu-west-1' }).config;
    const asked = (endpoints: Endpoints, Region: string, more: object = {}) => {
      const { url, properties } = endpoints({ Region, UseFIPS: false, UseDualStack: false, ...more });
      return { region: Region, href: url.href, properties };
    };
    const ours: Endpoints = regionalEndpoints(prefix);
    expect(regions.length).toBeGreaterThan(40);
    for (const region of [...regions, 'eu-new-7', 'us-gov-new-3', 'cn-new-1']) {
      expect(asked(ours, region)).toEqual(asked(endpointProvider, region));
    }
    const named = { Endpoint: 'http://127.0.0.1:4566' };
    expect(asked(ours, 'eu-west-1', named)).toEqual(asked(endpointProvider, 'eu-west-1', named));
  });

  it('say so when a FIPS endpoint is asked for', () => {
    const asked = () => regionalEndpoints('ecs')({ Region: 'us-east-1', UseFIPS: true });
    expect(asked).toThrow(
      /FIPS and dual-stack endpoints are left out of functions: take AWS_USE_FIPS_ENDPOINT/,
    );
  });
});
