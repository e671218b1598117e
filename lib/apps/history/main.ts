/**
 * `npm run history -- --stage prod --service shop`: what is recorded of a service, event by event: when, who,
 * what and on which numbers; `--rollout` one rollout only, `--json` whole events, `--verify` the hash chain.
 */
import { parseArgs } from 'node:util';
import type { Recorded } from '../../../events/recorded.ts';
import type { ServiceEvent } from '../../../events/service.ts';
import type { EventStore } from '../../ports.ts';
import { withStore } from '../analysis/withStore.ts';
import { dim, sentenceOf } from '../demo/timeline.ts';

const usage =
  'npm run history -- --service NAME [--stage dev] [--rollout ID] [--json] [--verify] [--table NAME] [--endpoint URL]';

type Asked = ReturnType<typeof asked>;

function asked(argv: readonly string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const options = { service: text, rollout: text, table: text, endpoint: text } as const;
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: { ...options, stage: { ...text, default: 'dev' }, json: flag, verify: flag },
    });
    const { service, stage, table = `switchback-${stage}-events`, ...rest } = values;
    if (service === undefined) throw new Error('say --service');
    return { ...rest, service, table };
  } catch (error) {
    throw new Error(`${(error as Error).message}. Usage: ${usage}`);
  }
}

async function tell(store: EventStore, { service, rollout, json, verify }: Asked): Promise<boolean> {
  const stream = `service/${service}`;
  let told = 0;
  for await (const recorded of store.read(stream)) {
    const event = recorded.event as ServiceEvent;
    if (rollout !== undefined && !('rolloutId' in event && event.rolloutId === rollout)) continue;
    told += 1;
    console.log(json ? JSON.stringify(recorded) : line(recorded, event));
  }
  if (told === 0) {
    const of = rollout === undefined ? '' : ` of rollout ${rollout}`;
    console.error(`nothing is recorded of ${service}${of}: name it as switchback.yml does`);
    return false;
  }
  if (!verify) return true;
  const { version, brokenAt } = await store.verify(stream);
  if (brokenAt === null) console.log(`the hash chain follows, from 1 to ${version}`);
  else console.error(`the hash chain is broken at ${brokenAt}: from there on it is not what was appended`);
  return brokenAt === null;
}

const line = ({ version, actor }: Recorded, event: ServiceEvent): string =>
  `${new Date(event.at).toISOString()}  ${String(version).padStart(5)}  ${sentenceOf(event)}  ${dim(actor)}`;

try {
  const options = asked(process.argv.slice(2));
  const done = await withStore(options.table, options.endpoint ?? null, (store) => tell(store, options));
  process.exitCode = done ? 0 : 1;
} catch (error) {
  const { message } = error as Error;
  console.error(message.includes('ResourceNotFound') ? `${message}: name the stage, or the table` : message);
  process.exitCode = 1;
}
