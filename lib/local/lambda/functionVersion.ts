/** What a function is: its configuration as versions keep it, and what belongs to the function as a whole. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { extname, join, resolve } from 'node:path';
import { ServiceError } from '../service.ts';

/** One version: `$LATEST`, which changes, or a number, which does not. */
export type FunctionVersion = {
  readonly name: string;
  readonly version: string;
  /** Without the version. */
  readonly functionArn: string;
  readonly bundlePath: string;
  readonly handler: string;
  readonly runtime: string;
  readonly role: string;
  readonly description: string;
  readonly timeoutSeconds: number;
  readonly memoryMb: number;
  readonly environment: Readonly<Record<string, string>>;
  readonly deadLetterArn: string | null;
  readonly architectures: readonly string[];
  readonly logFormat: 'Text' | 'JSON';
  readonly changedAt: Date;
  readonly revisionId: string;
  readonly codeSha256: string;
  readonly codeBytes: number;
};

export type AliasEntry = {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  /** Weights of other versions, 0 to 1; the rest goes to `version`. */
  readonly weights: Readonly<Record<string, number>>;
  readonly revisionId: string;
};

export type InvokeConfig = {
  readonly retries: number;
  readonly ageSeconds: number;
  readonly onSuccess: string | null;
  readonly onFailure: string | null;
  readonly changedAt: Date;
};

export type LambdaFunction = {
  readonly name: string;
  readonly arn: string;
  latest: FunctionVersion;
  readonly versions: FunctionVersion[];
  readonly aliases: Map<string, AliasEntry>;
  /** By qualifier. */
  readonly invokeConfigs: Map<string, InvokeConfig>;
  readonly statements: Map<string, object>;
  tags: Readonly<Record<string, string>>;
  reservedConcurrency: number | null;
};

const extensions = ['.mjs', '.js', '.cjs', '.ts'];

/** The bundle's file: the path itself, or in a folder the handler's module. @throws ServiceError */
export function bundleFile(bundlePath: string, handler: string): string {
  const path = resolve(bundlePath);
  const module = handler.slice(0, handler.lastIndexOf('.'));
  if (!existsSync(path)) throw noCode(`there is no bundle at ${path}`);
  if (statSync(path).isFile()) return path;
  const found = extensions
    .map((extension) => join(path, module + extension))
    .find((file) => existsSync(file));
  if (found === undefined)
    throw noCode(`${path} holds no ${module} with one of the endings ${extensions.join(' ')}`);
  return found;
}

export const exportNameOf = (handler: string): string => extname(handler).slice(1);

/** What identifies a bundle's bytes. */
export function bundleDigest(file: string): { readonly codeSha256: string; readonly codeBytes: number } {
  const bytes = readFileSync(file);
  return { codeSha256: createHash('sha256').update(bytes).digest('base64'), codeBytes: bytes.length };
}

export const noCode = (reason: string) =>
  new ServiceError(
    'InvalidParameterValueException',
    'the local cloud runs bundles from disk: Code.S3Bucket must be hot-reload and Code.S3Key ' +
      `the bundle's path; ${reason}`,
  );
