/** All functions: created, changed, versioned, aliased, and found by every kind of name that Lambda takes. */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../../asl/clock.ts';
import { formatArn } from '../arn.ts';
import type { Place } from '../cloudEvent.ts';
import type { Random } from '../random.ts';
import { ServiceError } from '../service.ts';
import {
  type AliasEntry,
  bundleDigest,
  bundleFile,
  type FunctionVersion,
  type LambdaFunction,
} from './functionVersion.ts';

/** What may change about `$LATEST`. */
export type Changes = Partial<
  Pick<
    FunctionVersion,
    | 'bundlePath'
    | 'handler'
    | 'runtime'
    | 'role'
    | 'description'
    | 'timeoutSeconds'
    | 'memoryMb'
    | 'environment'
    | 'deadLetterArn'
    | 'architectures'
    | 'logFormat'
  >
>;
export type Definition = Changes & {
  readonly name: string;
  readonly bundlePath: string;
  readonly handler: string;
  readonly role: string;
};

/** What a caller meant: a function, and the version that this call goes to. */
export type Resolved = {
  readonly fn: LambdaFunction;
  readonly version: FunctionVersion;
  /** The alias it was called by; null otherwise. */
  readonly alias: AliasEntry | null;
  /** As the caller sees it: with its qualifier. */
  readonly arn: string;
};

const defaults = {
  runtime: 'nodejs24.x',
  description: '',
  timeoutSeconds: 3,
  memoryMb: 128,
  environment: {},
  deadLetterArn: null,
  architectures: ['x86_64'],
  logFormat: 'Text',
} as const;

export class Functions {
  readonly #functions = new Map<string, LambdaFunction>();
  readonly #clock: Clock;
  readonly #random: Random;

  constructor(deps: { readonly clock: Clock; readonly random: Random }) {
    this.#clock = deps.clock;
    this.#random = deps.random;
  }

  get all(): readonly LambdaFunction[] {
    return [...this.#functions.values()];
  }

  create(definition: Definition, place: Place): LambdaFunction {
    const { name } = definition;
    if (!/^[\w-]{1,64}$/.test(name)) throw invalid(`${name} is not a function name`);
    if (this.#functions.has(name))
      throw new ServiceError('ResourceConflictException', `Function already exist: ${name}`, 409);
    const arn = formatArn('lambda', place, `function:${name}`);
    const latest = this.#version({ ...defaults, ...definition, version: '$LATEST', functionArn: arn });
    const fn: LambdaFunction = {
      name,
      arn,
      latest,
      versions: [],
      aliases: new Map(),
      invokeConfigs: new Map(),
      statements: new Map(),
      tags: {},
      reservedConcurrency: null,
    };
    this.#functions.set(name, fn);
    return fn;
  }

  /** Changes `$LATEST`. */
  update(fn: LambdaFunction, changes: Changes): FunctionVersion {
    fn.latest = this.#version({ ...fn.latest, ...changes });
    return fn.latest;
  }

  /** Freezes `$LATEST` as the next number; the newest version again when nothing has changed since. */
  publish(fn: LambdaFunction, description: string | undefined): FunctionVersion {
    const newest = fn.versions.at(-1);
    if (newest !== undefined && contentOf(newest) === contentOf(fn.latest)) return newest;
    const version = {
      ...fn.latest,
      version: String(fn.versions.length + 1),
      description: description ?? fn.latest.description,
    };
    fn.versions.push(version);
    return version;
  }

  delete(fn: LambdaFunction): void {
    this.#functions.delete(fn.name);
  }

  putAlias(fn: LambdaFunction, alias: Omit<AliasEntry, 'revisionId'>): AliasEntry {
    for (const version of [alias.version, ...Object.keys(alias.weights)]) this.versionOf(fn, version);
    const weights = Object.values(alias.weights);
    if (Object.keys(alias.weights).length > 1 || weights.some((weight) => weight < 0 || weight > 1)) {
      throw invalid('an alias routes to one additional version at most, with a weight from 0 to 1');
    }
    if (weights.length > 0 && (alias.version === '$LATEST' || alias.weights.$LATEST !== undefined)) {
      throw invalid('$LATEST is not supported for an alias pointing to more than 1 version');
    }
    const kept = { ...alias, revisionId: randomUUID() };
    fn.aliases.set(alias.name, kept);
    return kept;
  }

  /** @throws ServiceError ResourceNotFoundException */
  versionOf(fn: LambdaFunction, qualifier: string): FunctionVersion {
    if (qualifier === '$LATEST') return fn.latest;
    const found = fn.versions.find(({ version }) => version === qualifier);
    if (found === undefined) throw missing(`${fn.arn}:${qualifier}`);
    return found;
  }

  /** The function by name, `account:name`, or ARN, whatever qualifier that carries. @throws ServiceError */
  require(nameOrArn: string): LambdaFunction {
    const { name } = splitName(nameOrArn);
    const fn = this.#functions.get(name);
    if (fn === undefined) throw missing(nameOrArn);
    return fn;
  }

  /** The version that one call goes to: an alias with weights chooses anew each time. @throws ServiceError */
  resolve(nameOrArn: string, qualifier?: string): Resolved {
    const fn = this.require(nameOrArn);
    const wanted = qualifier ?? splitName(nameOrArn).qualifier ?? '$LATEST';
    const alias = fn.aliases.get(wanted) ?? null;
    const arn = wanted === '$LATEST' && qualifier === undefined ? fn.arn : `${fn.arn}:${wanted}`;
    if (alias === null) return { fn, version: this.versionOf(fn, wanted), alias, arn };
    return { fn, version: this.versionOf(fn, this.#weighted(alias)), alias, arn };
  }

  #weighted({ version, weights }: AliasEntry): string {
    let chance = this.#random();
    for (const [other, weight] of Object.entries(weights)) {
      if (chance < weight) return other;
      chance -= weight;
    }
    return version;
  }

  #version(
    made: Omit<FunctionVersion, 'revisionId' | 'changedAt' | 'codeSha256' | 'codeBytes'>,
  ): FunctionVersion {
    if (made.timeoutSeconds < 1 || made.timeoutSeconds > 900)
      throw invalid('Timeout must be between 1 and 900 seconds');
    if (made.memoryMb < 128 || made.memoryMb > 10_240)
      throw invalid('MemorySize must be between 128 and 10240 MB');
    if (!/^nodejs\d+\.x$/.test(made.runtime))
      throw invalid(`the local cloud runs Node.js functions, not ${made.runtime}`);
    if (!/^[^.].*\.[^.]+$/.test(made.handler))
      throw invalid(`Handler must name a module and an export, not ${made.handler}`);
    const digest = bundleDigest(bundleFile(made.bundlePath, made.handler));
    return { ...made, ...digest, revisionId: randomUUID(), changedAt: new Date(this.#clock.now()) };
  }
}

/** What makes two versions different: code and configuration, not when they were written. */
function contentOf({
  version: _,
  description: _d,
  revisionId: _r,
  changedAt: _c,
  ...content
}: FunctionVersion): string {
  return JSON.stringify(content);
}

/** `name`, `name:qualifier`, `account:function:name`, or a whole ARN with or without a qualifier. */
function splitName(nameOrArn: string): { readonly name: string; readonly qualifier: string | null } {
  const path = nameOrArn.includes(':function:') ? (nameOrArn.split(':function:')[1] as string) : nameOrArn;
  const [name = '', qualifier] = path.split(':');
  return { name, qualifier: qualifier ?? null };
}

const missing = (name: string) =>
  new ServiceError('ResourceNotFoundException', `Function not found: ${name}`, 404);
export const invalid = (message: string) => new ServiceError('InvalidParameterValueException', message);
