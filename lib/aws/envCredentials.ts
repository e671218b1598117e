/**
 * Credentials of a Lambda function: always three environment variables. The build puts this file in the place
 * of `@aws-sdk/credential-provider-node`, whose other ways (files, SSO, STS, the container's address) a
 * function never takes and would carry for 28–33 % of its load time. For functions only: apps keep the SDK's.
 */

type Credentials = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
};

class CredentialsMissing extends Error {
  override readonly name = 'CredentialsMissing';
}

/**
 * What an SDK client calls for its credentials; Lambda sets them once for a sandbox's whole life.
 * @throws CredentialsMissing naming the variable
 */
export const defaultProvider = () => async (): Promise<Credentials> => {
  const sessionToken = process.env.AWS_SESSION_TOKEN;
  return {
    accessKeyId: required('AWS_ACCESS_KEY_ID'),
    secretAccessKey: required('AWS_SECRET_ACCESS_KEY'),
    ...(sessionToken === undefined ? {} : { sessionToken }),
  };
};

function required(variable: string): string {
  const value = process.env[variable];
  if (value !== undefined && value !== '') return value;
  throw new CredentialsMissing(`${variable} is not set: Lambda sets it, and elsewhere it must be given`);
}
