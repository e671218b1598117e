/** Whose account the credentials are for, asked before anything is made in it. */
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { ConfigurationRefused } from '../configure/yamlFile.ts';
import type { Stage } from './stage.ts';

/**
 * @param place where the stage names its account: `stages/prod.yml:5`
 * @throws ConfigurationRefused without credentials, or with those of another account than the stage names
 */
export async function refuseOtherAccounts({ name, account, region }: Stage, place: string): Promise<void> {
  let found: string | undefined;
  try {
    const identity = await new STSClient({ region }).send(new GetCallerIdentityCommand({}));
    found = identity.Account;
  } catch (error) {
    const { message } = error as Error;
    throw new ConfigurationRefused(
      `these credentials open no account (${message}): set AWS_PROFILE, or AWS_ACCESS_KEY_ID and its ` +
        'secret; nothing was changed',
    );
  }
  if (account === null || found === account) return;
  throw new ConfigurationRefused(
    `${place}: account: stage ${name} belongs to account ${account}, and these credentials are for ` +
      `${found}: nothing was changed`,
  );
}
