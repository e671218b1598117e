/**
 * `npm run history -- --stage prod --service shop`: what is recorded of a service, or of an operation with
 * `--operation`, event by event: when, who, what and on which numbers; `--rollout` one rollout only,
 * `--json` whole events, `--verify` the hash chain.
 */
import { parseArgs } from 'node:util';
import type { OperationEvent } from '../../../events/operation.ts';
import type { Recorded } from '../../../events/recorded.ts';
import type { ServiceEvent } from '../../../events/service.ts';
import { operationSentence } from '../../core/operations/sentence.ts';
import { operationStream } from '../../flows/recordOperation.ts';
import type { EventStore } from '../../ports.ts';
import { withStore } from '../analysis/withStore.ts';
import { dim, sentenceOf } from '../demo/timeline.ts';

const usage =
  'npm run history -- --service NAME | --operation NAME [--stage dev] [--rollout ID] [--json] [--verify] [--table NAME] [--endpoint URL]';

type Asked = ReturnType<typeof asked>;

function asked(argv: readonly string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const options = { service: text, operation: text, rollout: text, table: text, endpoint: text } as const;
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: { ...options, stage: { ...text, default: 'dev' }, json: flag, verify: flag },
    });
    const { service, operation, stage, table = `switchback-${stage}-events`, ...rest } = values;
    if (operation === undefined) {
      if (service === undefined) throw new Error('say --service or --operation');
      return { ...rest, table, name: service, stream: `service/${service}`, tell: serviceSentence };
    }
    if (service !== undefined) throw new Error('say either --service or --operation');
    const stream = operationStream(operation);
    return { ...rest, table, name: operation, stream, tell: operationTold };
  } catch (error) {
    throw new Error(`${(error as Error).message}. Usage: ${usage}`);
  }
}

const serviceSentence = ({ event }: Recorded): string => sentenceOf(event as ServiceEvent);
const operationTold = ({ event }: Recorded): string => operationSentence(event as OperationEvent);

async function tellAll(store: EventStore, asked: Asked): Promise<boolean> {
  const { name, stream, rollout, json, verify, tell } = asked;
  let told = 0;
  for await (const recorded of store.read(stream)) {
    if (rollout !== undefined && recorded.event.rolloutId !== rollout) continue;
    told += 1;
    console.log(json ? JSON.stringify(recorded) : line(recorded, tell(recorded)));
  }
  if (told === 0) {
    const of = rollout === undefined ? '' : ` of rollout ${rollout}`;
    const as = stream.startsWith('service/') ? 'switchback.yml does' : 'the command that began it said';
    console.error(`nothing is recorded of ${name}${of}: name it as ${as}`);
    return false;
  }
  if (!verify) return true;
  const { version, brokenAt } = await store.verify(stream);
  if (brokenAt === null) console.log(`the hash chain follows, from 1 to ${version}`);
  else console.error(`the hash chain is broken at ${brokenAt}: from there on it is not what was appended`);
  return brokenAt === null;
}

const line = ({ version, actor, event }: Recorded, sentence: string): string =>
  `${new Date(event.at).toISOString()}  ${String(version).padStart(5)}  ${sentence}  ${dim(actor)}`;

try {
  const options = asked(process.argv.slice(2));
  const done = await withStore(options.table, options.endpoint ?? null, (store) => tellAll(store, options));
  process.exitCode = done ? 0 : 1;
} catch (error) {
  const { message } = error as Error;
  console.error(message.includes('ResourceNotFound') ? `${message}: name the stage, or the table` : message);
  process.exitCode = 1;
}
