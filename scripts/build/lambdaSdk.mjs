/**
 * The AWS SDK as a Lambda function needs it: what a function never takes is left out of its bundle, and what
 * the SDK writes at length is written short. Region, endpoint (AWS_ENDPOINT_URL) and retries stay the SDK's
 * own.
 * Functions only: apps run the SDK as it is.
 *
 * Each row names files of the packages and what stands in their place; a test holds every row to files that
 * exist.
 */
import { readFileSync } from 'node:fs';
import { shortErrorClasses, shortErrorSchemas } from './shortErrors.mjs';

const smithy = '@smithy/core/dist-es/submodules';

/** An export that says what is missing when somebody calls it after all. */
const absent = (what, ...names) =>
  [
    `const sentence = ${JSON.stringify(`${what} is left out of functions' bundles`)};`,
    'const absent = () => { throw new Error(sentence); };',
    ...names.map((name) => `export const ${name} = absent;`),
  ].join('\n');

/**
 * Client to the first part of its hosts, where that and the region are all there is to an endpoint. A client
 * that is not here keeps the SDK's rule engine.
 */
export const regionalServices = {
  'api-gateway': 'apigateway',
  'application-auto-scaling': 'application-autoscaling',
  cloudwatch: 'monitoring',
  codedeploy: 'codedeploy',
  dynamodb: 'dynamodb',
  ecs: 'ecs',
  'elastic-load-balancing-v2': 'elasticloadbalancing',
  eventbridge: 'events',
  lambda: 'lambda',
  'secrets-manager': 'secretsmanager',
  sfn: 'states',
  sns: 'sns',
  sqs: 'sqs',
  ssm: 'ssm',
};

const endpointResolver = /@aws-sdk\/client-([\w-]+)\/dist-es\/endpoint\/endpointResolver\.js$/;

/** `switchback-endpoints` is lib/aws/lambda/endpoints.ts: build.mjs says so. */
function regionalResolver(_, path) {
  const prefix = regionalServices[endpointResolver.exec(path)?.[1]];
  if (prefix === undefined) return null;
  return [
    'import { regionalEndpoints } from "switchback-endpoints";',
    `export const defaultEndpointResolver = regionalEndpoints(${JSON.stringify(prefix)});`,
  ].join('\n');
}

export const replacements = [
  {
    file: endpointResolver,
    with: regionalResolver,
  },
  {
    // The version for the user agent is one line of it.
    file: /@aws-sdk\/(?:client-[\w-]+|nested-clients)\/package\.json$/,
    with: (text) => `export default ${JSON.stringify({ version: JSON.parse(text).version })};`,
  },
  {
    file: /@aws-sdk\/client-[\w-]+\/dist-es\/models\/errors\.js$/,
    with: shortErrorClasses,
  },
  {
    file: /@aws-sdk\/client-[\w-]+\/dist-es\/schemas\/schemas_0\.js$/,
    with: shortErrorSchemas,
  },
  {
    // No operation of ours streams events.
    file: new RegExp(`${smithy}/event-streams/index\\.js$`),
    with: () => absent('event streaming', 'EventStreamSerde', 'eventStreamSerdeProvider'),
  },
  {
    // A function has no ~/.aws: settings come from its environment.
    file: new RegExp(`${smithy}/config/shared-ini-file-loader/loadSharedConfigFiles\\.js$`),
    with: () =>
      "export const CONFIG_PREFIX_SEPARATOR = '.';\n" +
      'export const loadSharedConfigFiles = async () => ({ configFile: {}, credentialsFile: {} });',
  },
  {
    // Nor is it an EC2 instance.
    file: new RegExp(`${smithy}/config/config-resolver/regionConfig/getInstanceMetadataRegion\\.js$`),
    with: () => 'export const getInstanceMetadataRegion = async () => undefined;',
  },
  {
    // Only Timestream's clients discover their endpoints; DynamoDB's can and never does unless told to.
    file: /@aws-sdk\/middleware-endpoint-discovery\/dist-es\/index\.js$/,
    with: () =>
      'export const NODE_ENDPOINT_DISCOVERY_CONFIG_OPTIONS = ' +
      '{ environmentVariableSelector: () => undefined, configFileSelector: () => undefined };\n' +
      'export const resolveEndpointDiscoveryConfig = (config) => config;',
  },
  {
    file: /@aws-sdk\/client-dynamodb\/dist-es\/DynamoDBClient\.js$/,
    with: (text) =>
      text
        .replace(/^import \{ DescribeEndpointsCommand,? \} from "[^"]+";\n/m, '')
        .replace('endpointDiscoveryCommandCtor: DescribeEndpointsCommand', ''),
  },
  // Node's own hashes serve; these are for where there is no node:crypto.
  ...['sha256/Sha256Js', 'md5/Md5Js', 'crc32/Crc32Js'].map((path) => ({
    file: new RegExp(`${smithy}/checksum/${path}\\.js$`),
    with: () => absent('hashing without node:crypto', path.split('/')[1]),
  })),
  {
    // Retries are the standard ones; the adaptive mode is asked for by nobody.
    file: new RegExp(`${smithy}/retry/util-retry/AdaptiveRetryStrategy\\.js$`),
    with: () =>
      'export class AdaptiveRetryStrategy { constructor() { throw new Error(' +
      '"the adaptive retry mode is left out of functions\' bundles: take AWS_RETRY_MODE away"); } }',
  },
  {
    // Headers of event streams.
    file: /@smithy\/signature-v4\/dist-es\/HeaderFormatter\.js$/,
    with: () => 'export class HeaderFormatter {}\nexport class Int64 {}',
  },
  {
    file: new RegExp(`${smithy}/endpoints/middleware-endpoint/service-customizations/s3\\.js$`),
    with: () =>
      absent(
        "S3's endpoints",
        ...['resolveParamsForS3', 'DOT_PATTERN', 'S3_HOSTNAME_PATTERN'],
        ...['isDnsCompatibleBucketName', 'isArnBucketName'],
      ),
  },
  {
    // A function gives its clients no logger.
    file: /@aws-sdk\/core\/dist-es\/submodules\/client\/middleware-logger\/loggerMiddleware\.js$/,
    with: () =>
      'export const getLoggerPlugin = () => ({ applyToStack: () => undefined });\n' +
      'export const loggerMiddlewareOptions = {};\n' +
      'export const loggerMiddleware = () => (next) => next;',
  },
  {
    file: new RegExp(`${smithy}/client/smithy-client/schemaLogFilter\\.js$`),
    with: () => absent('logging of requests', 'schemaLogFilter'),
  },
  {
    // Which settings a client has, as letters in its user agent.
    file: /@aws-sdk\/core\/dist-es\/submodules\/client\/middleware-user-agent\/check-features\.js$/,
    with: () => 'export const checkFeatures = async () => undefined;',
  },
  {
    // The build says which Node a function runs on.
    file: /@aws-sdk\/core\/dist-es\/submodules\/client\/emitWarningIfUnsupportedVersion\.js$/,
    with: () => 'export const state = {};\nexport const emitWarningIfUnsupportedVersion = () => undefined;',
  },
  {
    // Rules that call AWS's functions put them there themselves.
    file: /@aws-sdk\/core\/dist-es\/submodules\/client\/util-endpoints\/aws\.js$/,
    with: (text) => text.replace('customEndpointFunctions.aws = awsEndpointFunctions;', ''),
  },
];

/** For esbuild. */
export const lambdaSdkPlugin = {
  name: 'switchback-lambda-sdk',
  setup(build) {
    for (const replacement of replacements) {
      build.onLoad({ filter: replacement.file }, ({ path }) => {
        const contents = replacement.with(readFileSync(path, 'utf8'), path);
        return contents === null ? undefined : { contents, loader: 'js' };
      });
    }
  },
};
