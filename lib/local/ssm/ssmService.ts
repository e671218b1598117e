/** Systems Manager's Parameter Store as its clients see it. */
import * as sdk from '@aws-sdk/client-ssm';
import { formatArn } from '../arn.ts';
import { pageOf } from '../page.ts';
import { type LocalService, type RequestContext, ServiceError } from '../service.ts';
import type { Parameters, Version } from './parameters.ts';

export function ssmService(parameters: Parameters): LocalService {
  return { scope: 'ssm', sdk, operations: operationsOf(parameters) };
}

function operationsOf(parameters: Parameters): LocalService['operations'] {
  return {
    PutParameter({ Name, Value, Type, Overwrite = false, Tier }: sdk.PutParameterCommandInput) {
      const tier = Tier === 'Advanced' ? 'Advanced' : 'Standard';
      const name = String(Name);
      const written = parameters.put({ name, value: String(Value), type: Type, overwrite: Overwrite, tier });
      return { Version: written.version, Tier: tier };
    },
    GetParameter({ Name, WithDecryption = false }: sdk.GetParameterCommandInput, context) {
      const found = parameters.find(plainName(String(Name)));
      if (found === null) throw new ServiceError('ParameterNotFound', `Parameter ${Name} not found.`);
      return { Parameter: shown(found, WithDecryption, context) };
    },
    GetParameters({ Names = [], WithDecryption = false }: sdk.GetParametersCommandInput, context) {
      if (Names.length > 10)
        throw new ServiceError('ValidationException', 'At most 10 parameters can be read at once.');
      const found = Names.map((name) => ({ name, version: parameters.find(plainName(name)) }));
      return {
        Parameters: found.flatMap(({ version }) =>
          version === null ? [] : [shown(version, WithDecryption, context)],
        ),
        InvalidParameters: found.flatMap(({ name, version }) => (version === null ? [name] : [])),
      };
    },
    GetParametersByPath(input: sdk.GetParametersByPathCommandInput, context) {
      const { Path, Recursive = false, WithDecryption = false, MaxResults = 10, NextToken } = input;
      if (!Path?.startsWith('/'))
        throw new ServiceError('ValidationException', 'The path must start with a slash.');
      const page = pageOf(parameters.under(Path, Recursive), MaxResults, NextToken);
      if (page === null) throw new ServiceError('InvalidNextToken', 'The specified token is not valid.');
      return {
        Parameters: page.items.map((version) => shown(version, WithDecryption, context)),
        NextToken: page.next,
      };
    },
    GetParameterHistory({ Name, WithDecryption = false }: sdk.GetParameterHistoryCommandInput, context) {
      const versions = parameters.history(String(Name));
      if (versions.length === 0) throw new ServiceError('ParameterNotFound', `Parameter ${Name} not found.`);
      return { Parameters: versions.map((version) => shown(version, WithDecryption, context)) };
    },
    DescribeParameters({ MaxResults = 50, NextToken }: sdk.DescribeParametersCommandInput, context) {
      const page = pageOf(parameters.all(), MaxResults, NextToken);
      if (page === null) throw new ServiceError('InvalidNextToken', 'The specified token is not valid.');
      const described = page.items.map(({ value: _, ...version }) =>
        shown({ ...version, value: '' }, true, context),
      );
      return { Parameters: described, NextToken: page.next };
    },
    DeleteParameter({ Name }) {
      if (!parameters.delete(Name))
        throw new ServiceError('ParameterNotFound', `Parameter ${Name} not found.`);
    },
    DeleteParameters({ Names = [] }: sdk.DeleteParametersCommandInput) {
      const deleted = Names.filter((name) => parameters.delete(name));
      return {
        DeletedParameters: deleted,
        InvalidParameters: Names.filter((name) => !deleted.includes(name)),
      };
    },
  };
}

function shown(
  { name, type, value, version, changedAt }: Version,
  decrypted: boolean,
  context: RequestContext,
) {
  const hidden = type === 'SecureString' && !decrypted;
  return {
    Name: name,
    Type: type,
    // Without decryption a secret's ciphertext is answered; it only must not be the plain text.
    Value: hidden ? Buffer.from(`kms:${name}:${version}`).toString('base64') : value,
    Version: version,
    LastModifiedDate: changedAt,
    ARN: formatArn('ssm', context, `parameter${name.startsWith('/') ? '' : '/'}${name}`),
    DataType: 'text',
  };
}

/** A parameter may be asked for by its ARN. */
function plainName(name: string): string {
  const [, path] = name.split(':parameter');
  if (!name.startsWith('arn:') || path === undefined) return name;
  return path.lastIndexOf('/') === 0 ? path.slice(1) : path;
}
