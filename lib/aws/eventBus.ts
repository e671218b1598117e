/** Our events on EventBridge, as events/outward.ts words them. */
import type { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { outward } from '../../events/outward.ts';
import type { EventBus } from '../ports.ts';
import { putEvent } from './putEvent.ts';

export const eventBridgeBus = (client: EventBridgeClient, EventBusName: string): EventBus => ({
  publish: (stream, recorded) => {
    const { source, detailType, detail } = outward(stream, recorded);
    return putEvent(client, {
      EventBusName,
      Source: source,
      DetailType: detailType,
      Time: new Date(recorded.event.at),
      Detail: JSON.stringify(detail),
    });
  },
});
