/** Reads the alarms' states and hears those the stream has not heard of: an event may have been lost. */
import { alarmNews } from '../core/rollout/alarmNews.ts';
import type { Plan } from '../core/rollout/plan.ts';
import type { Alarms } from '../ports.ts';
import { type AlarmWorld, alarmCommandId, hearAlarm } from './hearAlarm.ts';
import { hearFireExit } from './hearMark.ts';
import type { Cause, Known } from './record.ts';

export async function hearMissedAlarms(
  world: AlarmWorld & { readonly alarms: Alarms },
  service: string,
  plan: Plan,
  from: Known,
  cause: Cause,
): Promise<Known> {
  const { alarms, coolOffSeconds } = plan.settings;
  if (alarms.length === 0) return from;
  const readings = await world.alarms.read(alarms.map(({ name }) => name));
  const news = alarmNews(from.state, alarms, readings, world.clock.now());
  let current = news.length === 0 ? from : await hearFireExit(world, service, from);
  for (const seen of news) {
    // A change that was heard, and then suppressed or overridden, has its turn now: under an id of its own.
    const commandId = `${alarmCommandId(seen)}#${current.head.version}`;
    current = await hearAlarm(world, service, seen, current, cause, coolOffSeconds, commandId);
  }
  return current;
}
