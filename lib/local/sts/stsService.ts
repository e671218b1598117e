/** STS: who am I. */
import * as sdk from '@aws-sdk/client-sts';
import type { LocalService } from '../service.ts';

export function stsService(): LocalService {
  return {
    scope: 'sts',
    sdk,
    operations: {
      GetCallerIdentity: (_input, { account, accessKeyId }) => ({
        Account: account,
        UserId: accessKeyId,
        Arn: `arn:aws:iam::${account}:root`,
      }),
    },
  };
}
