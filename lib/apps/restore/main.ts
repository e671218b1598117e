/**
 * `npm run restore -- --from switchback-prod-restored --to switchback-prod-events`: says what would change;
 * with `--yes` the deployed event table goes back to what the other one holds (docs/deploy.md).
 */
import { parseArgs } from 'node:util';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { copyTable, difference } from './copyTable.ts';

const usage = 'npm run restore -- --from TABLE --to TABLE [--yes] [--region R] [--endpoint URL]';

function asked(argv: readonly string[]) {
  const text = { type: 'string' } as const;
  const options = {
    from: text,
    to: text,
    region: text,
    endpoint: text,
    yes: { type: 'boolean', default: false },
  } as const;
  const { from, to, region, endpoint, yes } = parseArgs({ args: [...argv], options }).values;
  if (from === undefined || to === undefined) throw new Error(`say --from and --to. Usage: ${usage}`);
  if (from === to)
    throw new Error(`--from and --to are both ${to}: restore the moment into a table beside it first`);
  const reach = {
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
  };
  return { from, to, yes, client: new DynamoDBClient(reach) };
}

async function main(): Promise<boolean> {
  const { from, to, yes, client } = asked(process.argv.slice(2));
  const { items, toWrite, toDelete, underWay } = await difference(client, { from, to });
  console.log(`${to}: ${items} items; ${toWrite} would be written from ${from}, ${toDelete} deleted`);
  if (underWay.length > 0) {
    console.error(
      `${underWay.join(', ')}: something is under way there; abort it, or wait for its end, first`,
    );
    return false;
  }
  if (!yes) {
    console.log('nothing was changed: say --yes to do it');
    return true;
  }
  const broken = await copyTable(client, { from, to });
  if (broken.length === 0) console.log('done: every stream’s hash chain follows');
  else console.error(`done, but the hash chain is broken: ${broken.join(', ')}`);
  return broken.length === 0;
}

try {
  process.exitCode = (await main()) ? 0 : 1;
} catch (error) {
  const { name, message } = error as Error;
  console.error(
    name === 'ResourceNotFoundException' ? `${message}: name tables that exist, both of them` : message,
  );
  process.exitCode = 1;
}
