/** Secrets Manager: secrets with versions and their stages, deleted after a recovery window. */
import { randomBytes, randomUUID } from 'node:crypto';
import * as sdk from '@aws-sdk/client-secrets-manager';
import type { Clock } from '../../asl/clock.ts';
import { formatArn } from '../arn.ts';
import { type LocalService, type RequestContext, ServiceError } from '../service.ts';

const dayMs = 86_400_000;
/** Days in which a deletion can be taken back, unless the caller says otherwise. */
const recoveryDays = 30;

type Content = { readonly SecretString?: string | undefined; readonly SecretBinary?: Uint8Array | undefined };
type Version = Content & { readonly id: string; readonly at: Date; stages: readonly string[] };
type Secret = {
  readonly name: string;
  readonly arn: string;
  readonly createdAt: Date;
  description: string | undefined;
  tags: readonly sdk.Tag[];
  versions: readonly Version[];
  deletedAt: Date | null;
  gone: number;
};

export function secretsManagerService(clock: Clock): LocalService {
  const secrets = new Secrets(clock);
  return {
    scope: 'secretsmanager',
    sdk,
    operations: {
      CreateSecret: (input: sdk.CreateSecretCommandInput, context) => secrets.create(input, context),
      PutSecretValue(input: sdk.PutSecretValueCommandInput) {
        const secret = secrets.require(input.SecretId, { deleted: false });
        const version = secrets.write(secret, input, input.ClientRequestToken);
        return { ...identity(secret), VersionId: version.id, VersionStages: version.stages };
      },
      UpdateSecret(input: sdk.UpdateSecretCommandInput) {
        const secret = secrets.require(input.SecretId, { deleted: false });
        if (input.Description !== undefined) secret.description = input.Description;
        const changes = input.SecretString !== undefined || input.SecretBinary !== undefined;
        const version = changes ? secrets.write(secret, input, input.ClientRequestToken) : null;
        return { ...identity(secret), VersionId: version?.id };
      },
      GetSecretValue({ SecretId, VersionId, VersionStage }: sdk.GetSecretValueCommandInput) {
        const secret = secrets.require(SecretId, { deleted: false });
        const stage = VersionStage ?? (VersionId === undefined ? 'AWSCURRENT' : undefined);
        const version = secret.versions.find(({ id, stages }) => {
          return (
            (VersionId === undefined || id === VersionId) && (stage === undefined || stages.includes(stage))
          );
        });
        if (version === undefined) throw missing(`Secrets Manager can't find the specified secret value.`);
        const { SecretString, SecretBinary, id, stages, at } = version;
        return {
          ...identity(secret),
          VersionId: id,
          VersionStages: stages,
          CreatedDate: at,
          SecretString,
          SecretBinary,
        };
      },
      DescribeSecret({ SecretId }) {
        const secret = secrets.require(SecretId, { deleted: true });
        return {
          ...described(secret),
          VersionIdsToStages: Object.fromEntries(secret.versions.map((v) => [v.id, v.stages])),
        };
      },
      ListSecrets: () => ({
        SecretList: secrets.all().map((secret) => ({
          ...described(secret),
          SecretVersionsToStages: Object.fromEntries(secret.versions.map((v) => [v.id, v.stages])),
        })),
      }),
      DeleteSecret: (input: sdk.DeleteSecretCommandInput) => secrets.delete(input),
      RestoreSecret({ SecretId }) {
        const secret = secrets.require(SecretId, { deleted: true });
        secret.deletedAt = null;
        secret.gone = Number.POSITIVE_INFINITY;
        return identity(secret);
      },
    },
  };
}

class Secrets {
  readonly #clock: Clock;
  readonly #secrets = new Map<string, Secret>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  all(): readonly Secret[] {
    for (const [name, { gone }] of this.#secrets) if (gone <= this.#clock.now()) this.#secrets.delete(name);
    return [...this.#secrets.values()].filter(({ deletedAt }) => deletedAt === null);
  }

  create(input: sdk.CreateSecretCommandInput, context: RequestContext) {
    const name = String(input.Name);
    this.all();
    if (this.#secrets.has(name)) {
      throw new ServiceError(
        'ResourceExistsException',
        `The operation failed because the secret ${name} already exists.`,
      );
    }
    const secret: Secret = {
      name,
      arn: formatArn('secretsmanager', context, `secret:${name}-${randomBytes(3).toString('hex')}`),
      createdAt: new Date(this.#clock.now()),
      description: input.Description,
      tags: input.Tags ?? [],
      versions: [],
      deletedAt: null,
      gone: Number.POSITIVE_INFINITY,
    };
    this.#secrets.set(name, secret);
    const valued = input.SecretString !== undefined || input.SecretBinary !== undefined;
    const version = valued ? this.write(secret, input, input.ClientRequestToken) : null;
    return { ...identity(secret), VersionId: version?.id };
  }

  /** The new version is current, the one before is `AWSPREVIOUS`. A repeated token changes nothing. */
  write(secret: Secret, { SecretString, SecretBinary }: Content, token: string | undefined): Version {
    const repeated = secret.versions.find(({ id }) => id === token);
    if (repeated !== undefined) return repeated;
    const version: Version = {
      SecretString,
      SecretBinary,
      id: token ?? randomUUID(),
      at: new Date(this.#clock.now()),
      stages: ['AWSCURRENT'],
    };
    const older = secret.versions.flatMap((other) =>
      other.stages.includes('AWSCURRENT') ? [{ ...other, stages: ['AWSPREVIOUS'] }] : [],
    );
    secret.versions = [version, ...older];
    return version;
  }

  delete({ SecretId, RecoveryWindowInDays, ForceDeleteWithoutRecovery }: sdk.DeleteSecretCommandInput) {
    const secret = this.require(SecretId, { deleted: true });
    const now = this.#clock.now();
    secret.deletedAt = new Date(now);
    secret.gone = ForceDeleteWithoutRecovery ? now : now + (RecoveryWindowInDays ?? recoveryDays) * dayMs;
    this.all();
    return { ...identity(secret), DeletionDate: new Date(secret.gone) };
  }

  /** By name, whole ARN, or ARN without its random end. @throws ServiceError */
  require(id: string | undefined, { deleted }: { readonly deleted: boolean }): Secret {
    this.all();
    const secret = [...this.#secrets.values()].find(
      ({ name, arn }) => name === id || arn === id || arn.slice(0, -7) === id,
    );
    if (secret === undefined) throw missing(`Secrets Manager can't find the specified secret.`);
    if (secret.deletedAt !== null && !deleted) {
      const sentence = `You can't perform this operation on the secret because it was marked for deletion.`;
      throw new ServiceError('InvalidRequestException', sentence);
    }
    return secret;
  }
}

const identity = ({ name, arn }: Secret) => ({ ARN: arn, Name: name });
const described = (secret: Secret) => ({
  ...identity(secret),
  Description: secret.description,
  CreatedDate: secret.createdAt,
  LastChangedDate: secret.versions[0]?.at ?? secret.createdAt,
  DeletedDate: secret.deletedAt,
  Tags: secret.tags,
});
const missing = (message: string) => new ServiceError('ResourceNotFoundException', message);
