/** One release, told live from its events: every line is an event of the store, nothing is made up. */
import { PutEventsCommand } from '@aws-sdk/client-eventbridge';
import type { ServiceEvent } from '../../../events/service.ts';
import { type Fault, registerShop } from './account.ts';
import { isBad, slowMs } from './shoppers.ts';
import type { Stage } from './stage.ts';
import { bold, dim, isTold, nameOf, sentenceOf } from './timeline.ts';

/** The longest a release may take before the story is given up. */
const releaseSecondsMax = 120;
const stream = 'service/shop';

type Ending = 'promoted' | 'rolled-back' | 'held' | 'nothing';
type Release = { readonly version: string; readonly fault: Fault; readonly requestedBy: string };

/** Requests a release and follows it to its end. */
export async function release(stage: Stage, { version, fault, requestedBy }: Release): Promise<Ending> {
  // Each task answers this many before it breaks: enough for a few healthy steps. The seed moves it a little.
  const faultAfter = 25 + (stage.seed % 10);
  const revision = await registerShop(stage.at, version, fault, faultAfter);
  const rolloutId = `shop-${version}-${stage.seed}`;
  const from = (await stage.store.head(stream)).version + 1;
  const Detail = JSON.stringify({
    service: 'shop',
    revision,
    rolloutId,
    requestedBy,
    why: `release ${version}`,
  });
  await stage.bus.send(
    new PutEventsCommand({
      Entries: [
        {
          EventBusName: stage.busName,
          Source: 'shop.pipeline',
          DetailType: 'Switchback Rollout Requested',
          Detail,
        },
      ],
    }),
  );
  console.log(dim(`   0.0 s  events put-events  Switchback Rollout Requested  ${nameOf(revision)}`));
  const events = await follow(stage, from);
  summary(stage, version, events);
  return endingOf(events);
}

/** Prints events as they are appended, until the rollout is over. */
async function follow(stage: Stage, from: number): Promise<readonly ServiceEvent[]> {
  const began = Date.now();
  const events: ServiceEvent[] = [];
  let next = from;
  while (Date.now() - began < releaseSecondsMax * 1000) {
    for await (const recorded of stage.store.read(stream, next)) {
      const event = recorded.event as ServiceEvent;
      next = recorded.version + 1;
      events.push(event);
      if (!isTold(event)) continue;
      console.log(`${dim(`${((event.at - began) / 1000).toFixed(1).padStart(6)} s`)}  ${sentenceOf(event)}`);
    }
    if (endingOf(events) !== 'nothing') return events;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return events;
}

function endingOf(events: readonly ServiceEvent[]): Ending {
  if (events.some(({ type }) => type === 'RollbackCompleted')) return 'rolled-back';
  if (events.some(({ type }) => type === 'RolloutCompleted')) return 'promoted';
  return events.at(-1)?.type === 'RolloutHeld' ? 'held' : 'nothing';
}

/**
 * From the first bad visit on the new version to the confirmed weight 0: how long, and how many were hurt.
 */
function summary(stage: Stage, version: string, events: readonly ServiceEvent[]): void {
  const started = events.find(({ type }) => type === 'RolloutStarted')?.at ?? 0;
  const visits = stage.shoppers.visits.filter(({ at }) => at >= started);
  const bad = visits.filter(isBad);
  const onIt = visits.filter((visit) => visit.version === version).length;
  console.log('');
  console.log(
    `        ${visits.length} visits during this release, ${onIt} answered by ${version}, ${bad.length} failed or took over ${slowMs} ms`,
  );
  const back = events.find((event) => event.type === 'RollbackInitiated');
  const off = events.find(
    (event) => event.type === 'TrafficShifted' && event.weight === 0 && event.at >= (back?.at ?? 0),
  );
  if (back?.type !== 'RollbackInitiated' || off === undefined) return;
  const first = bad[0]?.at ?? back.at;
  const alarm = events.find((event) => event.type === 'AlarmReceived' && event.action === 'roll-back');
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
  console.log(
    bold(
      `        from the first bad visit to safety: ${seconds(off.at - first)}, ${bad.filter(({ at }) => at <= off.at).length} bad visits`,
    ),
  );
  if (alarm?.type === 'AlarmReceived') {
    console.log(
      `        bad visit → alarm ${seconds(alarm.changedAt - first)} → decided ${seconds(back.at - alarm.changedAt)} → weight 0 confirmed ${seconds(off.at - back.at)}`,
    );
  }
}
