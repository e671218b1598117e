/** A client's settings for the account, or for the local cloud at `endpoint`: it takes any credentials. */
export function clientAt(endpoint: string | null) {
  const local = { accessKeyId: 'local', secretAccessKey: 'local' };
  return {
    maxAttempts: 2,
    requestHandler: { connectionTimeout: 1000, requestTimeout: 5000 },
    ...(endpoint === null ? {} : { endpoint, region: process.env.AWS_REGION ?? 'eu-west-1' }),
    ...(endpoint === null || process.env.AWS_ACCESS_KEY_ID !== undefined ? {} : { credentials: local }),
  };
}
