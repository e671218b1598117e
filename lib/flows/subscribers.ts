/** Who is told of events: the event bus, for machines, and people, in their words. */
import type { MigrationEvent } from '../../events/migration.ts';
import type { OperationEvent } from '../../events/operation.ts';
import type { Recorded } from '../../events/recorded.ts';
import type { ServiceEvent } from '../../events/service.ts';
import { migrationNotice } from '../core/notices/migrationNotice.ts';
import { noticeOf } from '../core/notices/notice.ts';
import { operationNotice } from '../core/notices/operationNotice.ts';
import type { EventBus, Notifications } from '../ports.ts';
import type { Subscriber } from './publishEvents.ts';

/** Every event, on the bus, with the stream's version as what to deduplicate by. */
export const toTheBus = (bus: EventBus): Subscriber => ({
  name: 'bus',
  handle: (stream, recorded) => bus.publish(stream, recorded),
});

/** The decisions a person wants to hear of. */
export const toPeople = (notifications: Notifications): Subscriber => ({
  name: 'people',
  async handle(stream, recorded, earlier) {
    const service = stream.replace(/^service\//, '');
    if (service === stream) return tellOfMany(notifications, stream, recorded);
    const notice = noticeOf(service, eventOf(recorded), earlier.map(eventOf));
    if (notice === null) return;
    const { subject, ...rest } = notice;
    await notifications.notify({
      subject,
      body: {
        service,
        version: recorded.version,
        correlationId: recorded.correlationId,
        ...rest,
        event: recorded.event,
      },
      attributes: {
        service,
        type: recorded.event.type,
        urgency: notice.urgency,
        correlationId: recorded.correlationId,
      },
    });
  },
});

/** What concerns no single service: migrations and operations. */
async function tellOfMany(notifications: Notifications, stream: string, recorded: Recorded) {
  const [what = '', ...name] = stream.split('/');
  const notice = noticeOfMany(what, recorded);
  if (notice === null) return;
  const { subject, ...rest } = notice;
  const { version, correlationId, event } = recorded;
  const of = { [what]: name.join('/') };
  await notifications.notify({
    subject,
    body: { ...of, version, correlationId, ...rest, event },
    attributes: { ...of, type: event.type, urgency: notice.urgency, correlationId },
  });
}

function noticeOfMany(what: string, { event }: Recorded) {
  if (what === 'migration') return migrationNotice(event as MigrationEvent);
  return what === 'operation' ? operationNotice(event as OperationEvent) : null;
}

/** A service's stream holds service events only: their schema was checked when they were appended. */
const eventOf = (recorded: Recorded): ServiceEvent => recorded.event as ServiceEvent;
