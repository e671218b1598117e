/** Operations on functions and their versions. */
import type * as sdk from '@aws-sdk/client-lambda';
import { pageOf } from '../page.ts';
import { type LocalService, ServiceError } from '../service.ts';
import { type Changes, type Functions, invalid } from './functions.ts';
import { type FunctionVersion, type LambdaFunction, noCode } from './functionVersion.ts';
import type { Workers } from './workers.ts';

const pageSize = 50;
/** What an account keeps unreserved. */
const unreservedMin = 100;

type CodeInput = {
  readonly S3Bucket?: string | undefined;
  readonly S3Key?: string | undefined;
  readonly ZipFile?: Uint8Array | undefined;
  readonly ImageUri?: string | undefined;
};

export function functionOperations(functions: Functions, workers: Workers): LocalService['operations'] {
  return {
    CreateFunction(input: sdk.CreateFunctionCommandInput, context) {
      if (input.PackageType === 'Image') throw noCode('container images are not run');
      const definition = {
        ...changesOf(input),
        name: String(input.FunctionName).split(':').at(-1) as string,
        bundlePath: bundlePathOf(input.Code ?? {}),
        handler: input.Handler ?? '',
        role: String(input.Role),
      };
      const fn = functions.create(definition, context);
      fn.tags = input.Tags ?? {};
      return described(input.Publish ? functions.publish(fn, input.Description) : fn.latest);
    },
    GetFunction({ FunctionName, Qualifier }) {
      const { fn, version } = functions.resolve(FunctionName, Qualifier);
      const Concurrency =
        fn.reservedConcurrency === null
          ? undefined
          : { ReservedConcurrentExecutions: fn.reservedConcurrency };
      const Code = { RepositoryType: 'hot-reload', Location: `file://${version.bundlePath}` };
      return { Configuration: described(version), Code, Concurrency, Tags: fn.tags };
    },
    GetFunctionConfiguration: ({ FunctionName, Qualifier }) =>
      described(functions.resolve(FunctionName, Qualifier).version),
    ListFunctions({ MaxItems = pageSize, Marker }) {
      const page = pageOf(functions.all, MaxItems, Marker);
      if (page === null) throw invalid('Invalid Marker');
      return { Functions: page.items.map(({ latest }) => described(latest)), NextMarker: page.next };
    },
    DeleteFunction({ FunctionName }) {
      const fn = functions.require(FunctionName);
      functions.delete(fn);
      workers.retire(fn.name);
    },
    UpdateFunctionConfiguration(input: sdk.UpdateFunctionConfigurationCommandInput) {
      const fn = functions.require(String(input.FunctionName));
      assertRevision(fn, input.RevisionId);
      const changed = functions.update(fn, changesOf(input));
      workers.retire(fn.name);
      return described(changed);
    },
    UpdateFunctionCode(input: sdk.UpdateFunctionCodeCommandInput) {
      const fn = functions.require(String(input.FunctionName));
      assertRevision(fn, input.RevisionId);
      const changed = functions.update(fn, { bundlePath: bundlePathOf(input) });
      return described(input.Publish ? functions.publish(fn, undefined) : changed);
    },
    PublishVersion({ FunctionName, Description, CodeSha256, RevisionId }: sdk.PublishVersionCommandInput) {
      const fn = functions.require(String(FunctionName));
      assertRevision(fn, RevisionId);
      if (CodeSha256 !== undefined && CodeSha256 !== fn.latest.codeSha256) {
        const current = `current CodeSHA256 in $LATEST (${fn.latest.codeSha256})`;
        throw invalid(`CodeSHA256 (${CodeSha256}) is different from ${current}.`);
      }
      return described(functions.publish(fn, Description));
    },
    ListVersionsByFunction({ FunctionName, MaxItems = pageSize, Marker }) {
      const fn = functions.require(FunctionName);
      const page = pageOf([fn.latest, ...fn.versions], MaxItems, Marker);
      if (page === null) throw invalid('Invalid Marker');
      return { Versions: page.items.map(described), NextMarker: page.next };
    },
    ...concurrencyOperations(functions),
    ...permissionOperations(functions),
    ListTags: ({ Resource }) => ({ Tags: functions.require(Resource).tags }),
    TagResource({ Resource, Tags }) {
      const fn = functions.require(Resource);
      fn.tags = { ...fn.tags, ...Tags };
    },
    UntagResource({ Resource, TagKeys }) {
      const fn = functions.require(Resource);
      fn.tags = Object.fromEntries(Object.entries(fn.tags).filter(([key]) => !TagKeys.includes(key)));
    },
  };
}

function concurrencyOperations(functions: Functions): LocalService['operations'] {
  return {
    PutFunctionConcurrency({ FunctionName, ReservedConcurrentExecutions: reserved }) {
      if (reserved < 0 || reserved > 1_000 - unreservedMin) {
        const sentence = "Specified ReservedConcurrentExecutions for function decreases account's";
        throw invalid(
          `${sentence} UnreservedConcurrentExecution below its minimum value of [${unreservedMin}].`,
        );
      }
      functions.require(FunctionName).reservedConcurrency = reserved;
      return { ReservedConcurrentExecutions: reserved };
    },
    GetFunctionConcurrency: ({ FunctionName }) => ({
      ReservedConcurrentExecutions: functions.require(FunctionName).reservedConcurrency ?? undefined,
    }),
    DeleteFunctionConcurrency({ FunctionName }) {
      functions.require(FunctionName).reservedConcurrency = null;
    },
  };
}

/** Permissions are kept and shown; nothing here is denied. */
function permissionOperations(functions: Functions): LocalService['operations'] {
  return {
    AddPermission({
      FunctionName,
      StatementId,
      Action,
      Principal,
      SourceArn,
    }: sdk.AddPermissionCommandInput) {
      const fn = functions.require(String(FunctionName));
      if (fn.statements.has(String(StatementId))) {
        throw new ServiceError(
          'ResourceConflictException',
          `The statement id (${StatementId}) provided already exists.`,
          409,
        );
      }
      const condition =
        SourceArn === undefined ? {} : { Condition: { ArnLike: { 'AWS:SourceArn': SourceArn } } };
      const statement = {
        Sid: StatementId,
        Effect: 'Allow',
        Principal: { Service: Principal },
        Action,
        Resource: fn.arn,
        ...condition,
      };
      fn.statements.set(String(StatementId), statement);
      return { Statement: JSON.stringify(statement) };
    },
    RemovePermission({ FunctionName, StatementId }) {
      if (!functions.require(FunctionName).statements.delete(StatementId)) {
        throw new ServiceError(
          'ResourceNotFoundException',
          `Statement ${StatementId} is not found in resource policy.`,
          404,
        );
      }
    },
    GetPolicy({ FunctionName }) {
      const fn = functions.require(FunctionName);
      if (fn.statements.size === 0) {
        throw new ServiceError(
          'ResourceNotFoundException',
          'The resource you requested does not exist.',
          404,
        );
      }
      const Policy = JSON.stringify({
        Version: '2012-10-17',
        Id: 'default',
        Statement: [...fn.statements.values()],
      });
      return { Policy, RevisionId: fn.latest.revisionId };
    },
  };
}

function bundlePathOf({ S3Bucket, S3Key, ZipFile, ImageUri }: CodeInput): string {
  if (ZipFile !== undefined) throw noCode('Code.ZipFile is not taken');
  if (ImageUri !== undefined) throw noCode('container images are not run');
  if (S3Bucket !== 'hot-reload' || S3Key === undefined)
    throw noCode(`the bucket is ${S3Bucket ?? 'not given'}`);
  return S3Key;
}

type ConfigurationInput = sdk.CreateFunctionCommandInput | sdk.UpdateFunctionConfigurationCommandInput;

/** What the input says, and nothing of what it leaves out. */
function changesOf(input: ConfigurationInput): Changes {
  const changes = {
    handler: input.Handler,
    runtime: input.Runtime,
    role: input.Role,
    description: input.Description,
    timeoutSeconds: input.Timeout,
    memoryMb: input.MemorySize,
    environment: input.Environment === undefined ? undefined : (input.Environment.Variables ?? {}),
    deadLetterArn:
      input.DeadLetterConfig === undefined ? undefined : input.DeadLetterConfig.TargetArn || null,
    architectures: 'Architectures' in input ? input.Architectures : undefined,
    logFormat: input.LoggingConfig?.LogFormat,
  };
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined)) as Changes;
}

function assertRevision(fn: LambdaFunction, revisionId: string | undefined): void {
  if (revisionId === undefined || revisionId === fn.latest.revisionId) return;
  throw new ServiceError(
    'PreconditionFailedException',
    'The Revision Id provided does not match the latest Revision Id.',
    412,
  );
}

/** A version as the API shows it. */
function described(version: FunctionVersion) {
  const { functionArn, version: number } = version;
  return {
    FunctionName: version.name,
    FunctionArn: number === '$LATEST' ? functionArn : `${functionArn}:${number}`,
    Version: number,
    Runtime: version.runtime,
    Role: version.role,
    Handler: version.handler,
    CodeSize: version.codeBytes,
    CodeSha256: version.codeSha256,
    Description: version.description,
    Timeout: version.timeoutSeconds,
    MemorySize: version.memoryMb,
    LastModified: version.changedAt.toISOString().replace('Z', '+0000'),
    Environment: { Variables: version.environment },
    DeadLetterConfig: version.deadLetterArn === null ? undefined : { TargetArn: version.deadLetterArn },
    TracingConfig: { Mode: 'PassThrough' },
    RevisionId: version.revisionId,
    State: 'Active',
    LastUpdateStatus: 'Successful',
    PackageType: 'Zip',
    Architectures: version.architectures,
    EphemeralStorage: { Size: 512 },
    LoggingConfig: { LogFormat: version.logFormat, LogGroup: `/aws/lambda/${version.name}` },
  };
}
